#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reports/record.hpp"

/// How times grow along the axes of the benchmark cases.
namespace assay::reports {

/// Benchmarks of one operation, backend and peer whose labels differ in the number of one axis alone, by that
/// number. Only measurements that may be used.
struct Growth {
  std::string operation;
  std::string axis;  // "n", "variables"
  std::string backend;
  std::string peer;                      // "" is ours
  std::string fixed;                     // the other parts of the label, by ", "
  bool of_size = false;                  // the axis is what the operation's problem size counts
  bool with_words = false;               // a fixed part is a word, as in "search=tree": one side of a choice
  std::vector<const Benchmark*> points;  // rising along the axis, two at least
  std::vector<double> at;                // their places on it
};

/// All of a run, in the order of operation, axis and first appearance; ours before peers. A benchmark without
/// axes (of an older record) stands on the axis that its problem size names. The points refer into the
/// record.
std::vector<Growth> growths(const RunRecord& record);

/// time ~ x^exponent by least squares on the logarithms.
struct GrowthFit {
  double exponent = 0.0;
  double error = 0.0;  // standard error of the exponent, from the residuals; 0 for two points
  double level = 0.0;  // ln time at ln x = mean_log_x
  double mean_log_x = 0.0;
};
std::optional<GrowthFit> fit(const Growth& growth);  // nothing where all points share one place

/// What the operation predicts along the axis of a growth; nothing for one side of a choice or a peer.
std::optional<Scaling> prediction_for(const RunRecord& record, const Growth& growth);

}  // namespace assay::reports
