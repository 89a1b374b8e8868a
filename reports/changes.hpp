#pragma once

#include "reports/record.hpp"

namespace assay::reports {

/// One difference between two runs. What exists on one side only has no value on the other.
struct Change {
  enum class Kind {
    operation_added,
    operation_gone,
    check_added,
    verdict,
    check_gone,
    benchmark_added,
    slower,
    faster,
    benchmark_gone
  };
  Kind kind = Kind::verdict;
  std::string key;      // operation's name, check_key or benchmark_key
  std::string summary;  // of an operation
  std::optional<Verdict> verdict_before, verdict_now;
  std::optional<double> ns_before, ns_now;  // medians
  double ratio = 1.0;                       // of the medians, where slower or faster
};
std::string_view to_string(Change::Kind);

/// What changed from one run to another: operations, then checks, then benchmarks (slowest first among
/// those that moved). A time has changed when the intervals of the two medians do not overlap, and only
/// runs of one environment fingerprint are compared in time.
std::vector<Change> changes_between(const RunRecord& before, const RunRecord& now);

}  // namespace assay::reports
