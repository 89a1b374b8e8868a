#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ci/program/compare_process.hpp"
#include "ci/program/invocation.hpp"
#include "reports/comparison/comparison.hpp"
#include "reports/comparison/plan.hpp"

namespace assay::program {

/// What is compared, and how.
struct ComparisonPlan {
  ComparedProgram base, candidate;
  std::string pattern;          // of operations; empty: all
  std::string backend = "cpu";  // cpu or cuda
  unsigned threads = 1;
  int device = 0;
  std::uint64_t seed = 1;             // of the inputs and of the order in the blocks
  std::vector<std::string> measures;  // of "wall", "cpu", "instructions", those that the machine gives
  bool counted = false;               // instructions of one call by Valgrind, instead of the measures
  double longest_call = 0.02;
  reports::ComparisonRule rule;
  std::optional<double> budget;  // seconds
  std::string checkpoint;        // a file, or empty
};

struct Comparison {
  reports::ComparisonResult result;
  std::vector<reports::ComparedCase> cases;
  std::string identity;                        // whether both run the same code, in a line
  std::map<std::string, std::string> missing;  // measures that the machine does not give, and why
  double seconds = 0;                          // of measuring, over all processes that worked on it
  double others = 0;                           // the median share of the CPUs that other programs used
  std::size_t blocks = 0;                      // measured, by this process and those before
};

/// With `counted` as `count_both` does (counting.hpp). Else measures as `reports::plan_comparison` says until
/// there is nothing left to decide, and judges. Answers are held to the reference once for each program and
/// to that answer in every process. Throws Failure: 2 where no rejection is possible with so few blocks, 6
/// where the programs have no case, 7 where a process fails.
Comparison run_comparison(const ComparisonPlan& plan, const Console& console,
                          const std::string& title = "compare");

/// The options that `compare` and `aa` share, and what they say.
std::vector<Option> comparison_options();
ComparisonPlan comparison_plan(const Invocation& invocation);

/// A program that may be compared. Throws Failure (2) where the file is not there or cannot be run.
ComparedProgram compared_program(const std::string& path, const std::string& role);

nlohmann::ordered_json comparison_json(const Comparison& comparison, bool strict);

}  // namespace assay::program
