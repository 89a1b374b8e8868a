#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ci/program/invocation.hpp"
#include "reports/record.hpp"

namespace assay::program {

/// What is to be measured.
struct MeasuringPlan {
  std::string pattern;    ///< of operations; empty: all
  std::string case_name;  ///< empty: all
  bool quick = false;
  bool peers = false;
  double seconds = 0.5;  ///< least time on each case
};

/// Checks and measures the cases on every backend that --backend asks for and that is there. Throws Failure
/// (exit 6) where nothing matches.
std::vector<reports::Benchmark> run_benchmarks(const Invocation& invocation, const MeasuringPlan& plan);

/// The share of the CPUs that other programs used during a measurement, as it was recorded.
double load_of_others(const reports::Benchmark& benchmark);

/// 3 where an answer was wrong, 7 where one of our own measurements cannot be used, else 0.
int exit_code_of(const std::vector<reports::Benchmark>& benchmarks);

/// A table for people.
std::string table_of(const std::vector<reports::Benchmark>& benchmarks);

}  // namespace assay::program
