#pragma once

#include <functional>

#include "reports/record.hpp"
#include "reports/statistics.hpp"
#include "reports/waivers.hpp"

/// The verdict for CI: one run against its baseline, and what the run says by itself.
///
/// The rule is a simple one and stands in the output. It looks at one process against one process, so its
/// margin is wide; times are compared only between runs of one environment fingerprint and mode.
namespace assay::reports {

/// What a single check, benchmark, mutant or the run as a whole comes to; worst first.
enum class GateVerdict {
  invalid,         // the measurement cannot be used
  device_missing,  // a device that is required was not there
  incorrect,       // fail, xpass, crashed, timeout; a mutant that was missed or never reached
  regressed,
  vacuous,      // nothing was compared
  vanished,     // in the baseline, not in this run
  no_baseline,  // nothing to compare with
  waived,       // one of the above but the last, which a waiver lets pass
  inconclusive,
  improved,
  added,  // in this run, not in the baseline
  same,
};
std::string_view to_string(GateVerdict);

struct GateItem {
  GateVerdict verdict = GateVerdict::same;
  std::string subject;  // "check", "benchmark", "mutant" or "run"
  std::string key;      // check_key, benchmark_key, mutant id, or run id
  std::string reason;   // one line
  double median_ns = 0.0;
  double baseline_median_ns = 0.0;
  std::optional<Ratio> ratio;  // this run over the baseline
  std::string replay;
};

struct GateOptions {
  double margin = 0.10;               // the least relative change that counts
  double timer_resolution_ns = 30.0;  // a change must exceed twice this over all iterations of a sample
  bool strict = false;                // inconclusive fails
  bool record_first = false;          // a run without a baseline becomes one, and is green
  std::vector<std::string> required_backends;        // their checks must have been executed
  bool every_operation = false;                      // each operation listed must have an executed check
  std::function<bool(const std::string&)> in_scope;  // by operation; empty: all. Others cannot vanish.
  std::vector<Waiver> waivers;                       // none of them expired: that is the reader's to refuse
};

struct GateResult {
  std::vector<GateItem> items;  // worst first
  std::map<Verdict, int> checks;
  std::map<GateVerdict, int> counts;
  int exit_code = 0;
  bool record_as_baseline = false;          // the caller promotes this run
  std::string baseline_run;                 // id, "" where there is none
  std::string baseline_note;                // one line: which baseline, or why none
  std::string rule;                         // in words, with its parameters
  double margin = 0.0;                      // GateOptions::margin
  std::vector<std::string> unused_waivers;  // one line each

  int count(Verdict verdict) const;
  int count(GateVerdict verdict) const;

  /// Green, red or "don't know", and why, in words fit for a banner.
  std::string headline() const;

  /// Worst first, totals shown, at most `limit` bytes (GitHub takes 1 MiB).
  std::string markdown(std::size_t limit = 1000000) const;
};

/// `baseline` may be null. One from another environment or mode is not compared with: the note says why.
GateResult gate(const RunRecord& run, const RunRecord* baseline, const GateOptions& options = {});

/// The first of 1, 2, 7, 3, 4, 6, 5 among the codes; 0 where there is none. Any other code is a tool
/// error, 1.
int combine_exit_codes(std::span<const int> codes);

/// What an exit code means, in a few words: "incorrect", "regressed", ...
std::string_view exit_code_meaning(int code);

/// The facts that decide comparability and differ, as "cpu: A -> B; cores: 2 -> 4"; "" where none does.
std::string environment_difference(const Environment& before, const Environment& after);

}  // namespace assay::reports
