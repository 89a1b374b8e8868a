#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reports/comparison/comparison.hpp"

/// What a comparison measures next: a function of what it has measured so far and nothing else, so that one
/// that was killed goes on as it would have.
namespace assay::reports {

/// One block that is to be measured.
struct NextBlock {
  bool fresh = false;              // of the run that confirms a change
  std::size_t index = 0;           // of that run
  std::vector<std::size_t> cases;  // places in the list of cases
  bool operator==(const NextBlock&) const = default;
};

struct Plan {
  std::optional<NextBlock> next;  // nothing: it is complete, or stopped
  std::string stopped;            // why cases that could use more blocks get none
};

/// What a budget is spent on.
struct Budget {
  std::optional<double> seconds;  // in all; nothing: as long as it takes
  double spent = 0.0;             // so far
  double process_seconds = 0.0;   // of a process beside its cases: start and end
};

/// First half of the blocks for all cases, then the rest for those that are not `same`, then the fresh run of
/// those that changed. With a budget, cases are taken up only as far as their blocks fit: in the first half
/// the quickest first, so that as many as can be are measured; in the second those first for which a
/// conclusion is most likely a second of measuring, a probable slowdown counting ten times as much as any
/// other, and a probable change bringing its fresh run's cost along. The choice looks at the first half alone
/// and the test at all blocks, so a case that is given up can only lose its red.
Plan plan_comparison(const std::vector<ComparedCase>& cases, const ComparisonRule& rule, bool identical,
                     const Budget& budget);

/// Seconds that a whole comparison may take at most: every case all its blocks, none confirmed.
double longest_seconds(const std::vector<ComparedCase>& cases, const ComparisonRule& rule,
                       const Budget& budget);

}  // namespace assay::reports
