#pragma once

#include <set>

#include "reports/record.hpp"

namespace assay::reports {

/// How far one operation has been looked at on one backend, worst first.
enum class OperationStanding {
  wrong,         // a check failed, crashed, hung, or passed against expectation
  vacuous,       // a check compared nothing
  no_data,       // nothing was recorded
  not_executed,  // checks exist and none could run here
  checked,       // at least one check ran, and all that ran are as expected
};
std::string_view to_string(OperationStanding);

struct OperationState {
  std::string operation;
  std::string backend;
  OperationInfo info;  // of the operation; only the name where a result names an operation not listed
  OperationStanding standing = OperationStanding::no_data;
  std::map<Verdict, int> verdicts;
  std::set<std::string> against;
  int golden_passed = 0;
  int golden_run = 0;
  std::int64_t cases = 0;
  std::optional<double> worst_utilisation;
  std::optional<Benchmark> quickest;  // of ours and valid, by median
  std::optional<double> best_roofline_share;
  int benchmarks = 0;

  int count(Verdict verdict) const;
  int executed() const;
};

/// Every backend of every listed operation, in the order listed, then what only results name. An operation
/// without any record is there too: as having none.
std::vector<OperationState> operation_states(const RunRecord& record);

}  // namespace assay::reports
