#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/operation.hpp"

namespace assay {

/// How one output compares with the reference, element by element.
struct OutputComparison {
  std::string output;
  bool equal_required = false;  ///< integers and outputs without a bound
  bool pass = true;
  std::int64_t elements = 0;
  std::int64_t mismatches = 0;
  std::int64_t worst_index = -1;  ///< flat index of the largest observed / allowed, or of the first mismatch
  double observed = 0;            ///< |y - r| there
  double allowed = 0;             ///< the bound there
  double got = 0;
  double expected = 0;
  Shape shape;
  std::vector<std::int64_t> wrong;  ///< flat indices of the mismatches, rising
  std::string reason;               ///< empty where it passes; else one line
  double utilisation() const;       ///< observed / allowed; 0 where exactly equal
};

struct Comparison {
  std::vector<OutputComparison> outputs;
  bool pass() const;
  std::string reason() const;  ///< of the first output that fails
  /// The first output that fails; null where none does.
  const OutputComparison* failing() const;
  /// The output with the largest share of its bound used.
  const OutputComparison* worst() const;
};

/// Compares host outputs with the reference's (harness.md, Correctness 2, 3 and 5): NaN, +Inf, -Inf and
/// finite must fall where the reference has them; each finite element is held to the operation's own bound;
/// integers are equal.
Comparison compare_outputs(const Operation& operation, const Arguments& host_arguments,
                           const std::map<std::string, Tensor>& outputs,
                           const std::map<std::string, Tensor>& reference);

/// The elements of a floating-point or integer tensor as doubles (f16 and bf16 decoded).
std::vector<double> to_doubles(const ConstTensorView& view);

}  // namespace assay
