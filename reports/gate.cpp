#include "reports/gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "reports/format.hpp"

namespace assay::reports {
namespace {

class Judge {
 public:
  Judge(const RunRecord& run, const RunRecord* baseline, const GateOptions& options)
      : run_(run), baseline_(baseline), options_(options) {}

  GateResult judge() {
    out_.rule = rule();
    out_.margin = options_.margin;
    choose_baseline();
    judge_run();
    for (const Check& check : run_.checks) judge_check(check);
    judge_required_backends();
    for (const Mutant& mutant : run_.mutants) judge_mutant(mutant);
    for (const Benchmark& benchmark : run_.benchmarks)
      if (benchmark.peer.empty()) judge_benchmark(benchmark);
    if (baseline_) find_vanished();
    finish();
    return std::move(out_);
  }

 private:
  std::string rule() const {
    return fmt::format(
        "A benchmark has regressed when the 95 % intervals of the two medians do not overlap and the ratio "
        "of the "
        "medians exceeds {0:.2f} (improved: below 1/{0:.2f}); it is the same when the interval of the ratio "
        "lies "
        "within [1/{0:.2f}, {0:.2f}]; else it is inconclusive. A change must also exceed twice the timer's "
        "resolution of {1:g} ns in a sample. Intervals are order statistics, unadjusted for the number of "
        "benchmarks; one process is compared with one process.",
        1.0 + options_.margin, options_.timer_resolution_ns);
  }

  void add(GateVerdict verdict, std::string subject, std::string key, std::string reason) {
    GateItem item;
    item.verdict = verdict;
    item.subject = std::move(subject);
    item.key = std::move(key);
    item.reason = std::move(reason);
    out_.items.push_back(std::move(item));
  }

  bool in_scope(const std::string& operation) const {
    return !options_.in_scope || options_.in_scope(operation);
  }

  void choose_baseline() {
    const std::string recorded =
        "No baseline yet for this branch, environment and mode: this run is recorded as one";
    std::string why_none = "No baseline for this branch, environment and mode";
    if (baseline_) {
      const std::string difference = environment_difference(baseline_->run.environment, run_.run.environment);
      if (baseline_->run.id == run_.run.id) {
        why_none = "This run is itself the baseline of its branch, environment and mode";
        baseline_ = nullptr;
      } else if (!difference.empty()) {
        why_none = "The baseline is from another environment (" + difference + "): times are not compared";
        baseline_ = nullptr;
      } else if (baseline_->run.quick != run_.run.quick) {
        why_none = "The baseline is from another mode (quick or full): times are not compared";
        baseline_ = nullptr;
      }
    }
    if (baseline_) {
      out_.baseline_run = baseline_->run.id;
      out_.baseline_note =
          fmt::format("Compared with run {} of {} UTC, commit {}", format_short(baseline_->run.id),
                      format_moment(baseline_->run.started_at), format_short(baseline_->run.commit));
      return;
    }
    out_.record_as_baseline = options_.record_first;
    out_.baseline_note = options_.record_first ? recorded : why_none;
    if (!options_.record_first) add(GateVerdict::no_baseline, "run", run_.run.id, why_none);
  }

  void judge_run() {
    if (run_.run.state == RunState::interrupted)
      add(GateVerdict::invalid, "run", run_.run.id, "the run was interrupted");
    if (run_.checks.empty() && run_.benchmarks.empty() && run_.mutants.empty())
      add(GateVerdict::vacuous, "run", run_.run.id, "nothing was checked and nothing was measured");
    if (!options_.every_operation) return;
    std::set<std::string> checked;
    for (const Check& check : run_.checks)
      if (executed(check)) checked.insert(check.operation);
    for (const OperationInfo& operation : run_.operations)
      if (in_scope(operation.name) && !checked.count(operation.name))
        add(GateVerdict::vacuous, "run", operation.name, "no check of this operation was executed");
  }

  static bool executed(const Check& check) {
    return check.verdict != Verdict::not_executed && check.verdict != Verdict::unsupported &&
           check.verdict != Verdict::vacuous;
  }

  void judge_check(const Check& check) {
    const bool ran_nothing = check.verdict == Verdict::pass && check.cases <= 0;
    ++out_.checks[ran_nothing ? Verdict::vacuous : check.verdict];
    const std::string first_line = check.message.substr(0, check.message.find('\n'));
    const std::string reason =
        std::string(to_string(check.verdict)) + (first_line.empty() ? "" : ": " + first_line);
    switch (check.verdict) {
      case Verdict::fail:
      case Verdict::xpass:
      case Verdict::crashed:
      case Verdict::timeout:
        add(GateVerdict::incorrect, "check", check_key(check), reason);
        out_.items.back().replay = check.replay;
        break;
      case Verdict::vacuous:
        add(GateVerdict::vacuous, "check", check_key(check), reason);
        break;
      case Verdict::pass:
        if (ran_nothing)
          add(GateVerdict::vacuous, "check", check_key(check), "passed without having run a case");
        break;
      case Verdict::xfail:
      case Verdict::unsupported:
      case Verdict::not_executed:
        break;  // counted, shown, and no reason to stop anybody
    }
  }

  void judge_required_backends() {
    for (const std::string& backend : options_.required_backends) {
      const auto ran = std::count_if(run_.checks.begin(), run_.checks.end(), [&](const Check& check) {
        return check.backend == backend && executed(check);
      });
      const auto missed = std::count_if(run_.checks.begin(), run_.checks.end(), [&](const Check& check) {
        return check.backend == backend && check.verdict == Verdict::not_executed;
      });
      if (missed > 0 || ran == 0)
        add(GateVerdict::device_missing, "run", backend,
            fmt::format("required, but {} not executed and {} executed",
                        format_count(missed, "check was", "checks were"), ran));
    }
  }

  void judge_mutant(const Mutant& mutant) {
    if (counts_as_caught(mutant.status)) return;
    add(GateVerdict::incorrect, "mutant", mutant.id + '/' + mutant.backend,
        mutant.status == MutantStatus::missed ? "a planted fault was not caught: " + mutant.change
                                              : "a planted fault was never reached: " + mutant.change);
  }

  void judge_benchmark(const Benchmark& benchmark) {
    const std::string key = benchmark_key(benchmark);
    const auto invalid = [&](const std::string& reason) {
      add(GateVerdict::invalid, "benchmark", key, reason);
    };
    if (benchmark.check_verdict == Verdict::fail || benchmark.check_verdict == Verdict::crashed)
      return add(GateVerdict::incorrect, "benchmark", key,
                 "its output is wrong, so that its time means nothing");
    if (benchmark.validity == Validity::invalid)
      return invalid(benchmark.invalid_reason.empty() ? "invalid" : benchmark.invalid_reason);
    if (benchmark.impossible) return invalid("faster than the peak of the device allows");
    if (!benchmark.checked) return invalid("its output was not checked");
    if (benchmark.samples_ns.empty() && benchmark.median_ns <= 0.0)
      return add(GateVerdict::vacuous, "benchmark", key, "no samples");
    if (!baseline_) return;
    const Benchmark* before = find(*baseline_, key);
    if (!before || before->validity == Validity::invalid || before->median_ns <= 0.0)
      return add(GateVerdict::added, "benchmark", key, "no valid time in the baseline");
    compare(key, benchmark, *before);
  }

  static const Benchmark* find(const RunRecord& record, const std::string& key) {
    for (const Benchmark& benchmark : record.benchmarks)
      if (benchmark_key(benchmark) == key) return &benchmark;
    return nullptr;
  }

  void compare(const std::string& key, const Benchmark& benchmark, const Benchmark& before) {
    GateItem item;
    item.subject = "benchmark";
    item.key = key;
    item.median_ns = benchmark.median_ns;
    item.baseline_median_ns = before.median_ns;
    item.ratio = ratio_of_medians(benchmark, before);
    classify(item, static_cast<double>(std::max<std::int64_t>(1, benchmark.iterations)));
    out_.items.push_back(std::move(item));
  }

  void classify(GateItem& item, double iterations) const {
    const double upper = 1.0 + options_.margin;
    const double lower = 1.0 / upper;
    item.verdict = GateVerdict::inconclusive;
    if (!item.ratio) {
      item.reason = "too few samples for an interval of the median";
      return;
    }
    const auto& [value, interval] = *item.ratio;
    const bool visible =
        std::abs(item.median_ns - item.baseline_median_ns) * iterations > 2.0 * options_.timer_resolution_ns;
    if (interval.low > 1.0 && value > upper && visible) {
      item.verdict = GateVerdict::regressed;
      item.reason = "slower, and the intervals do not overlap";
    } else if (interval.high < 1.0 && value < lower && visible) {
      item.verdict = GateVerdict::improved;
      item.reason = "faster, and the intervals do not overlap";
    } else if (interval.low >= lower && interval.high <= upper) {
      item.verdict = GateVerdict::same;
      item.reason = "the interval of the ratio lies within the margin";
    } else if (!visible) {
      item.reason = "the difference is below what the timer resolves";
    } else {
      item.reason = fmt::format("changes from {} to {} cannot be excluded", format_change(interval.low),
                                format_change(interval.high));
    }
  }

  /// A run of another command, such as `bench` against a `nightly`, is held only to the kind of thing that it
  /// does.
  void find_vanished() {
    const bool same_command = baseline_->run.command == run_.run.command;
    if (same_command || !run_.benchmarks.empty()) find_vanished_benchmarks();
    if (same_command || !run_.checks.empty()) find_vanished_checks();
  }

  void find_vanished_benchmarks() {
    std::set<std::string> present;
    for (const Benchmark& benchmark : run_.benchmarks) present.insert(benchmark_key(benchmark));
    for (const Benchmark& before : baseline_->benchmarks)
      if (before.peer.empty() && in_scope(before.operation) && !present.count(benchmark_key(before)))
        add(GateVerdict::vanished, "benchmark", benchmark_key(before),
            "measured in the baseline, gone or renamed here");
  }

  void find_vanished_checks() {
    std::map<std::string, bool> ran;
    for (const Check& check : run_.checks) ran[check_key(check)] |= executed(check);
    for (const Check& before : baseline_->checks) {
      if (!executed(before) || !in_scope(before.operation)) continue;
      const auto found = ran.find(check_key(before));
      if (found == ran.end()) {
        // Golden data may lie outside the repository and be given to one run and not to another.
        if (before.kind != CheckKind::golden)
          add(GateVerdict::vanished, "check", check_key(before),
              "executed in the baseline, gone or renamed here");
      } else if (!found->second) {
        add(GateVerdict::vanished, "check", check_key(before), "executed in the baseline, not here");
      }
    }
  }

  void finish() {
    out_.unused_waivers = apply_waivers(out_.items, options_.waivers);
    std::stable_sort(out_.items.begin(), out_.items.end(), [](const GateItem& a, const GateItem& b) {
      if (a.verdict != b.verdict) return a.verdict < b.verdict;
      const double slower_a = a.ratio ? a.ratio->value : 0.0;
      const double slower_b = b.ratio ? b.ratio->value : 0.0;
      return slower_a > slower_b;
    });
    for (const GateItem& item : out_.items) ++out_.counts[item.verdict];
    std::vector<int> codes;
    const auto code_if = [&](std::initializer_list<GateVerdict> verdicts, int code) {
      for (const GateVerdict verdict : verdicts)
        if (out_.count(verdict) > 0) codes.push_back(code);
    };
    code_if({GateVerdict::invalid, GateVerdict::device_missing}, 7);
    code_if({GateVerdict::incorrect}, 3);
    code_if({GateVerdict::regressed}, 4);
    code_if({GateVerdict::vacuous, GateVerdict::vanished, GateVerdict::no_baseline}, 6);
    if (options_.strict) code_if({GateVerdict::inconclusive}, 5);
    out_.exit_code = combine_exit_codes(codes);
    if (out_.record_as_baseline && out_.exit_code != 0) {
      out_.record_as_baseline = false;
      out_.baseline_note = "No baseline yet, and this run is not recorded as one because it is not green";
    }
  }

  const RunRecord& run_;
  const RunRecord* baseline_;
  const GateOptions& options_;
  GateResult out_;
};

}  // namespace

GateResult gate(const RunRecord& run, const RunRecord* baseline, const GateOptions& options) {
  return Judge(run, baseline, options).judge();
}

int combine_exit_codes(std::span<const int> codes) {
  constexpr std::array<int, 7> precedence{1, 2, 7, 3, 4, 6, 5};
  for (const int code : codes)
    if (code < 0 || code > 7) return 1;
  for (const int code : precedence)
    if (std::find(codes.begin(), codes.end(), code) != codes.end()) return code;
  return 0;
}

std::string environment_difference(const Environment& before, const Environment& after) {
  std::string out;
  const auto value = [](const Environment& environment, const std::string& key) {
    const std::string found = environment.get(key);
    return found.empty() ? std::string("none") : found;
  };
  for (const std::string& key : fingerprint_keys()) {
    const std::string old_value = value(before, key);
    const std::string new_value = value(after, key);
    if (old_value == new_value) continue;
    out += (out.empty() ? "" : "; ") + key + ": " + old_value + " -> " + new_value;
  }
  return out;
}

}  // namespace assay::reports
