#pragma once

#include <vector>

#include "reports/comparison/comparison.hpp"

/// Two builds by the instructions that a call executes, which are counted and not sampled: no scatter, no
/// test.
namespace assay::reports {

struct CountedRule {
  /// A change is one beyond it. Below are what a loop more for another alignment or address makes.
  double margin = 0.001;
  bool identity = true;  ///< equal machine code turns a change into `environment`
};

/// The measure's name.
inline constexpr const char* counted_measure = "counted";

/// The verdicts on cases whose measure `counted` has each program's counts of one call, one a process, two at
/// least. Between the least and the greatest of a program lies what it executes; the ratio of the two
/// programs therefore between least(B) / greatest(A) and greatest(B) / least(A). The whole of that beyond
/// 1 + margin is `regressed`, below 1 - margin `improved`, within them `same`, and what lies across a border
/// `inconclusive`.
ComparisonResult judge_counted(const std::vector<ComparedCase>& cases, const CountedRule& rule,
                               bool identical);

}  // namespace assay::reports
