#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>

#include "engine/operation.hpp"

namespace assay::te {

/// Which structure finds neighbours on the CPU; on CUDA, which has one, how many lanes of a warp share a
/// point: `sorted` 1 (4 in 5 to 64 dimensions), `tree` 8. It never changes a result; `automatic` chooses by
/// size and dimensions.
enum class Search : std::uint8_t { automatic, sorted, tree };

/// "auto", "sorted" or "tree" as the operations' parameter `search` has them.
Search search_of(std::string_view name);
ParameterInfo search_parameter();
/// What `search` comes to on that backend where it is `auto`, as Operation::choices has it; empty where it is
/// not, or on another backend than the CPU.
std::map<std::string, std::string> choice_of_search(Backend backend, const Arguments& arguments, bool tree);

/// The k nearest neighbours of every point in the maximum norm, all points against all, in double.
///
/// The point itself and every row of its own trial within `theiler_window` rows of it are no neighbours
/// (Theiler 1986; window 0 leaves out the point alone). Neighbours are ordered by (distance, row index):
/// among equal distances the smaller index comes first, on every backend, so that indices are exact even with
/// ties.
///
/// input   points: (n, d) f64, 1 <= d, finite; trial_lengths: (num_trials) i64, optional, on the host,
///         summing to n
/// params  k >= 1; theiler_window >= 0
/// output  distances: (n, k) f64, rising; indices: (n, k) i64
/// Refused (ContractError): a point with fewer than k admissible neighbours, k < 1, and on the CPU points
/// that are not finite. On CUDA those lie in device memory: they are refused by a DeviceError at the next
/// synchronisation of the context, and the outputs are then undefined.
///
/// Exact: |a - b| in double has one rounding, and maxima and comparisons have none.
void knn(Context& context, const ConstTensorView& points, std::span<const std::int64_t> trial_lengths,
         std::int64_t k, std::int64_t theiler_window, const TensorView& distances, const TensorView& indices,
         Search search = Search::automatic);

Operation describe_knn();

}  // namespace assay::te
