#pragma once

#include <cstdint>
#include <span>

#include "engine/operation.hpp"
#include "engine/te/knn.hpp"

namespace assay::te {

/// For every point, how many other points lie within its own radius in the maximum norm. The point itself and
/// rows of its own trial within `theiler_window` rows of it are not counted.
///
/// input   points: (n, d) f64, finite; radii: (n) f64, >= 0 (infinity is legal); trial_lengths: (num_trials)
///         i64, optional, on the host, summing to n
/// params  strict: count distances < radius (true) or <= radius (false); theiler_window >= 0
/// output  counts: (n) i64
/// Refused (ContractError): shapes, trials and windows that do not fit, and on the CPU values out of range.
/// On CUDA the values of points and radii lie in device memory: they are refused by a DeviceError at the next
/// synchronisation of the context, and the counts are then undefined.
///
/// Exact, integer for integer.
void range_count(Context& context, const ConstTensorView& points, const ConstTensorView& radii,
                 std::span<const std::int64_t> trial_lengths, bool strict, std::int64_t theiler_window,
                 const TensorView& counts, Search search = Search::automatic);

Operation describe_range_count();

}  // namespace assay::te
