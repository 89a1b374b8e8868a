#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/comparison/sign_flip.hpp"

/// Two builds of one program on one machine: what their times say. The unit is the process; a block is four
/// of them, A B B A, and gives one difference d = ln(median of B / median of A) for each case and measure.
namespace assay::reports {

/// What one measure of one case comes to; worst first.
enum class ComparisonVerdict {
  invalid,       // a process failed, or the answers of one program differed between its processes
  incorrect,     // the answer is wrong: it gets no verdict on time
  regressed,     // slower, and again in a fresh run
  vanished,      // in the base and not in the candidate: gone or renamed
  inconclusive,  // don't know; the smallest effect that could have been seen stands beside it
  improved,      // faster, and again in a fresh run
  environment,   // it changed, but nothing that the two programs run differs
  added,         // in the candidate and not in the base
  left_out,      // one call takes longer than a case may
  same,          // within +-2 %
};
std::string_view to_string(ComparisonVerdict);

struct ComparisonRule {
  std::size_t blocks = 20;      // for a change; half of them, rounded up, for `same` alone
  double margin = 0.005;        // of ln of the ratio: a change is one beyond it
  double equivalence = 0.02;    // `same`: within -2 % to +2 %
  double alpha = 0.05;          // of the equivalence test
  double family_rate = 0.001;   // of one wrong change or more among all cases and measures, both directions
  double resolution_times = 2;  // a change must exceed so many resolutions of the timer
  bool identity = true;         // equal machine code turns a change into `environment`

  std::size_t interim() const { return (blocks + 1) / 2; }
};

/// The fewest blocks with which `series` cases times measures can be rejected at all under the rule: the
/// first step of Holm's procedure asks for family_rate / (2 series).
std::size_t fewest_blocks(std::size_t series, const ComparisonRule& rule);

/// One measure of one case: a median for each block and side.
struct ComparisonSeries {
  std::vector<double> base, candidate;              // of the first run
  std::vector<double> fresh_base, fresh_candidate;  // of the run that confirms a change
  double resolution = 0.0;                          // of one call, in the measure's unit
  std::string unit;                                 // "ns" or "instructions"

  std::vector<double> differences() const;
  std::vector<double> fresh_differences() const;
  bool operator==(const ComparisonSeries&) const = default;
};

enum class Presence { both, base_only, candidate_only };

struct ComparedCase {
  std::string name;  // "te.ksg/n=1000,k=4/cpu"
  Presence presence = Presence::both;
  std::map<std::string, ComparisonSeries> measures;  // by "wall", "cpu", "instructions", "counted"
  double seconds = 0.0;                              // that it takes of one process, of the slower program
  std::string left_out;                              // why it is not measured; empty: it is
  std::string wrong;                                 // what is wrong with an answer
  std::string invalid;                               // why its measurements cannot be used
  bool same_launches = true;                         // launch sequence and bytes copied are equal
  bool answers_differ = false;                       // the two programs give different, each right, answers
};

struct ComparisonItem {
  std::string name;
  std::string measure;  // "" where the verdict is of the whole case
  ComparisonVerdict verdict = ComparisonVerdict::inconclusive;
  std::string reason;  // one line
  std::string unit;
  std::size_t blocks = 0, fresh_blocks = 0;
  double base = 0.0, candidate = 0.0;      // medians over the blocks
  std::optional<double> ratio;             // exp of the median difference
  std::optional<CentreInterval> interval;  // of the ratio: 95 %, unadjusted
  double slower_p = 1.0, faster_p = 1.0;   // adjusted by Holm
  std::optional<double> equivalence_p;
  double smallest_visible = 0.0;  // as a share: 0.031 is 3.1 %
  bool alarmed = false;           // the first run rejected, whatever the fresh one said
};

struct ComparisonResult {
  std::vector<ComparisonItem> items;  // worst first
  std::size_t series = 0;             // cases times measures under test
  bool identical = false;             // machine code and host objects are equal
  bool counted = false;               // instructions, not times: intervals are over all processes
  std::string rule;                   // in words, with its parameters

  int count(ComparisonVerdict verdict) const;
  /// 7 invalid, 3 incorrect, 4 regressed, 6 vanished or nothing compared, 5 inconclusive (strict), else 0;
  /// the first of these.
  int exit_code(bool strict) const;
  std::string headline() const;
  /// Worst first, totals shown, at most `limit` bytes.
  std::string markdown(std::size_t limit = 1000000) const;
};

/// Where a series stands in its own run, before the family is looked at.
bool same_at_interim(const ComparisonSeries& series, const ComparisonRule& rule);

/// A change that the first run shows, by series: +1 slower, -1 faster, 0 none. In the order of the cases and
/// of their measures. `slower` and `faster` receive the adjusted p-values where they are not null.
std::vector<int> changes_seen(const std::vector<ComparedCase>& cases, const ComparisonRule& rule,
                              std::vector<double>* slower = nullptr, std::vector<double>* faster = nullptr);

/// The verdict of a case that gets none on its measures: it is not in both programs, its answer is wrong, it
/// was left out or could not be used.
std::optional<ComparisonItem> verdict_without_times(const ComparedCase& item);

/// By verdict, and by falling ratio.
void put_worst_first(std::vector<ComparisonItem>& items);

/// The verdicts on what was measured so far. `identical`: machine code and host objects of both are equal.
/// `stopped` says why cases that have too few blocks got no more ("the budget was spent").
ComparisonResult judge_comparison(const std::vector<ComparedCase>& cases, const ComparisonRule& rule,
                                  bool identical, const std::string& stopped = "");

}  // namespace assay::reports
