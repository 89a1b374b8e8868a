#pragma once

#include <cstdint>

#include "engine/runtime/host_device.hpp"
#include "kernels/spatial/exclusion_view.hpp"

struct CUstream_st;
struct uint2;  // CUDA's own

namespace assay {
class Workspace;
}

namespace assay::kernels::lists {

/// Points of one search: at least two, at most kMostPoints.
inline constexpr std::int32_t kMostPoints = 2048;
/// Largest k that has a list of distances in registers.
inline constexpr std::int32_t kMostNeighbours = 8;
/// Neighbours that a list holds.
inline constexpr std::int32_t kListLength = 64;
/// Points at either end of a source's order that are searched along the source itself: their neighbours in
/// the target's plane are many, those along the source few.
inline constexpr std::int32_t kTail = 64;

/// Sources and surrogates, one column each, as the searches read them. Device memory. What is float is
/// centred on the column's median and scaled by a power of two; it only says where to look, doubles decide.
struct Columns {
  std::int64_t count = 0;   ///< columns
  std::int64_t padded = 0;  ///< a multiple of 32
  std::int32_t n = 0;
  const double* x = nullptr;       ///< (count, n)
  const double* sorted = nullptr;  ///< (count, n) rising
  double* by_row = nullptr;        ///< (n, padded)
  float* guess_by_row = nullptr;   ///< (n, padded)
  float* guess_sorted = nullptr;   ///< (count, n)
  std::uint16_t* rows = nullptr;   ///< (count, n) the row at each rank
  std::uint16_t* ranks = nullptr;  ///< (count, n) the rank of each row
  std::uint8_t* tied = nullptr;    ///< (padded) 1: many equal values
  double* scale = nullptr;         ///< (1) a power of two
};

/// A batch of targets with one column of y and one of z each. Device memory.
struct Targets {
  std::int64_t count = 0;
  std::int32_t n = 0;
  const double* y = nullptr;  ///< (count, n)
  const double* z = nullptr;  ///< (count, n)
  const double* y_sorted = nullptr;
  const double* z_sorted = nullptr;
  float* y_guess = nullptr;  ///< (count, n) sorted, centred, scaled
  float* z_guess = nullptr;
  std::uint16_t* y_rows = nullptr;   ///< (count, n) the row at each rank
  std::uint16_t* y_ranks = nullptr;  ///< (count, n)
  std::uint16_t* z_ranks = nullptr;
  std::uint8_t* tied = nullptr;  ///< (count)
  uint2* lists = nullptr;        ///< (count, n, kListLength): row, float bits of the distance in (y, z)
  std::uint32_t* plane_bits = nullptr;    ///< (count, prefix_rows(n), prefix_words(n)): y ranks over z ranks
  std::uint16_t* plane_counts = nullptr;  ///< the same shape
};

/// What the searches found of a point: the row of its k-th neighbour, and n_yz or kUnknownCount, in one word.
inline constexpr std::uint32_t kUnresolved = 0xFFFFFFFFu;
inline constexpr std::uint32_t kUnknownCount = 0xFFFFu;

ASSAY_HOST_DEVICE constexpr std::int32_t prefix_rows(std::int32_t n) {
  return n / 8 + 1;
}
/// One word more than the bits need where their number is even: rows then begin in different banks of shared
/// memory.
ASSAY_HOST_DEVICE constexpr std::int32_t prefix_words(std::int32_t n) {
  return (n + 31) / 32 | 1;
}

void prepare_columns(CUstream_st* stream, Workspace& workspace, const Columns& columns,
                     const std::int32_t* order);
/// `y_order`, `z_order`: (count, n) rows by rising value.
void prepare_targets(CUstream_st* stream, const Targets& targets, const std::int32_t* y_order,
                     const std::int32_t* z_order, const spatial::ExclusionView& exclusion,
                     const double* scale);

/// Columns [first, first + some) of a search, first a multiple of 32.
struct Range {
  std::int64_t first = 0, some = 0;
};

/// found (targets, some, n).
void find_neighbours(CUstream_st* stream, const Columns& columns, Range range, const Targets& targets,
                     std::int32_t k, const spatial::ExclusionView& exclusion, std::uint32_t* found);

/// Where the values of the pairs go (kernels/windows/evaluate.hpp), and the counts of those with a slot.
struct Results {
  double* values = nullptr;
  std::int64_t group = 1, group_stride = 1, target_stride = 0;
  std::int64_t first_column = 0;  ///< of values: column range.first is value first_column
  std::int64_t* counts = nullptr;
  const std::int32_t* slots = nullptr;  ///< (targets, slot_columns); null: none
  std::int64_t slot_columns = 0;
};

void count_and_add(CUstream_st* stream, const Columns& columns, Range range, const Targets& targets,
                   std::int32_t k, const spatial::ExclusionView& exclusion, const double* psi,
                   const std::uint32_t* found, const Results& results);

}  // namespace assay::kernels::lists
