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
  std::set<std::string> against;     // of what was executed
  std::string not_executed_because;  // the first reason given
  int golden_passed = 0;
  int golden_run = 0;
  std::int64_t cases = 0;
  std::optional<double> worst_utilisation;
  std::optional<Benchmark> largest;  // of ours and valid: by size, then bytes, of equals the quickest
  int benchmarks = 0;

  int count(Verdict verdict) const;
  int executed() const;

  /// The backend that the others are checked against. It needs no check to stand.
  bool is_reference() const { return backend == "reference"; }
};

/// The standing in a word; a reference without checks of its own is "the truth", not "no data".
std::string_view standing_word(const OperationState& state);

/// What the executed checks compared with, in words: other implementations first, "itself" last; "" if none.
std::string checked_against(const OperationState& state);

/// How fast a case was, in what it works on and in bytes: "1.28 M items/s, 123 GB/s". Bytes are given where
/// the case is held against a roofline: elsewhere they say nothing about it. "" where neither is known.
std::string throughput(const Benchmark& benchmark);

/// Faster than the measured ceilings of memory allow, and measured warm: the data came out of a cache, and
/// the share of the roofline says no more than that.
bool ran_in_cache(const Benchmark& benchmark);

/// Every backend of every listed operation, in the order listed, then what only results name. An operation
/// without any record is there too: as having none.
std::vector<OperationState> operation_states(const RunRecord& record);

}  // namespace assay::reports
