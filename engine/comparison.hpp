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
  bool equal_required = false;  ///< integers and exact outputs
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
/// integers and exact outputs are equal. An output whose error model is `plain` is held to allowed_by_plain,
/// of the plain implementation's results on the same arguments.
Comparison compare_outputs(const Operation& operation, const Arguments& host_arguments,
                           const std::map<std::string, Tensor>& outputs,
                           const std::map<std::string, Tensor>& reference);

/// What is allowed of each element where no bound is known (harness.md, Correctness 4):
///
///   max(2 E max(|r|, R), one spacing of the output's type at r)
///
/// R is the root mean square of r over the element's row (the last axis), and E the largest error of the
/// plain implementation over all elements, each as a share of max(|r|, R) of its own place. Shares, because
/// elements of different rows may differ in scale; of the row's scale where an element is small beside it,
/// because terms of that size cancelled there; the largest, because of two implementations that are as good
/// as each other neither is the better one in every element. An element that is much smaller than its row is
/// therefore held only to the rounding of the row. One spacing (1 unit in the last place) is more than the
/// bound of one rounding, u |r| or half the smallest spacing, everywhere. Elements that are not finite in
/// `plain` or in the reference measure nothing.
std::vector<double> allowed_by_plain(std::span<const double> reference, std::span<const double> plain,
                                     const Shape& shape, DType type);

/// The elements of a floating-point or integer tensor as doubles (f16 and bf16 decoded).
std::vector<double> to_doubles(const ConstTensorView& view);

}  // namespace assay
