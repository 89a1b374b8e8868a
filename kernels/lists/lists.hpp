#pragma once

#include <cstdint>

#include "engine/runtime/host_device.hpp"
#include "kernels/spatial/exclusion_view.hpp"

struct CUstream_st;
struct float2;  // CUDA's own

namespace assay {
class Workspace;
}

namespace assay::kernels::lists {

/// Points of one search: at least two, at most kMostPoints.
inline constexpr std::int32_t kMostPoints = 2048;
/// Largest k that has a list of distances in registers.
inline constexpr std::int32_t kMostNeighbours = 8;
/// Whether lists are what a network's search comes to.
constexpr bool suit(std::int64_t dx, std::int64_t dy, std::int64_t dz, int algorithm, std::int64_t k,
                    std::int64_t n) {
  return dx == 1 && dy == 1 && dz == 1 && algorithm == 1 && k <= kMostNeighbours && n <= kMostPoints;
}
/// Neighbours that a list has room for, and how many it holds of few points.
inline constexpr std::int32_t kListLength = 128;
inline constexpr std::int32_t kShortList = 64;
/// From so many points on lists are full, and the points at either end of a source's order are
/// searched along the source itself: their neighbours in the target's plane are many, those along the source
/// few.
inline constexpr std::int32_t kManyPoints = 512;
inline constexpr std::int32_t kTail = 32;
ASSAY_HOST_DEVICE constexpr std::int32_t list_length(std::int32_t n) {
  return n >= kManyPoints ? kListLength : kShortList;
}
ASSAY_HOST_DEVICE constexpr std::int32_t tail_of(std::int32_t n) {
  return n >= kManyPoints ? kTail : 0;
}

/// Where values lie in their order: [low, low + buckets / per) is cut into equal buckets, and starts[b] is
/// the rank of the first value in bucket b or a later one. Outer values belong to the outer buckets.
struct Guide {
  double low = 0, per = 0;
};
ASSAY_HOST_DEVICE constexpr std::int32_t guide_buckets(std::int32_t n) {
  std::int32_t buckets = 64;
  while (buckets < 2 * n) buckets *= 2;
  return buckets;
}
/// starts of one column: the two after the buckets' are n, the rest makes whole 16 bytes, which are copied at
/// a time.
ASSAY_HOST_DEVICE constexpr std::int32_t guide_starts(std::int32_t n) {
  return guide_buckets(n) + 8;
}

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
  /// (n, padded) cube root of the length along the column that holds one of n points there; negative in the
  /// tails
  float* spread_by_row = nullptr;
  float* guess_sorted = nullptr;    ///< (count, n)
  std::uint16_t* rows = nullptr;    ///< (count, n) the row at each rank
  std::uint16_t* ranks = nullptr;   ///< (count, n) the rank of each row
  Guide* guides = nullptr;          ///< (count)
  std::uint16_t* starts = nullptr;  ///< (count, guide_starts(n))
  std::uint8_t* tied = nullptr;     ///< (padded) 1: many equal values
  double* scale = nullptr;          ///< (1) a power of two
};

/// One coordinate of a batch of targets, in order.
struct Axis {
  const double* sorted = nullptr;   ///< (count, n)
  std::uint16_t* ranks = nullptr;   ///< (count, n) the rank of each row
  Guide* guides = nullptr;          ///< (count)
  std::uint16_t* starts = nullptr;  ///< (count, guide_starts(n))
};

/// A batch of targets with one column of y and one of z each. Device memory.
struct Targets {
  std::int64_t count = 0;
  std::int32_t n = 0;
  const double* y = nullptr;  ///< (count, n)
  const double* z = nullptr;  ///< (count, n)
  Axis in_y, in_z;
  std::uint8_t* tied = nullptr;  ///< (count)
  float2* plane = nullptr;       ///< (count, n) y and z centred and scaled
  /// (count, n, 2 list_length(n)) of each point the nearest in (y, z): rows by place, then the bits of
  /// distances
  std::uint32_t* lists = nullptr;
  /// (count, n) times a source's spread there: a distance that about kSearchedShare k neighbours are within
  float* reach = nullptr;
  std::uint32_t* plane_bits = nullptr;    ///< (count, prefix_rows(n), prefix_words(n)): y ranks over z ranks
  std::uint16_t* plane_counts = nullptr;  ///< the same shape
  std::uint16_t* plane_positions = nullptr;  ///< (count, octets(n)) the z rank at each y rank
};
/// Neighbours that a search takes into its hands at first, as a multiple of k, where y, z and the source are
/// independent.
inline constexpr float kSearchedShare = 4.0f;
/// Set in the row of a list's entry whose distance is the one along y.
inline constexpr std::uint32_t kAlongY = 0x80000000u;

/// What the searches found of a point, in one word: the row of its k-th neighbour, along which coordinate
/// that is farthest, and n_yz or kUnknownCount.
inline constexpr std::uint32_t kUnresolved = 0xFFFFFFFFu;
inline constexpr std::uint32_t kUnknownCount = 0x3FFu;
inline constexpr std::uint32_t kAlongAny = 3;  ///< float does not know; 0: the source, 1: y, 2: z
ASSAY_HOST_DEVICE constexpr std::uint32_t found_word(std::uint32_t row, std::uint32_t along,
                                                     std::uint32_t n_yz) {
  return row | along << 20 | n_yz << 22;
}
ASSAY_HOST_DEVICE constexpr std::uint32_t row_of(std::uint32_t word) {
  return word & 0xFFFFFu;
}
ASSAY_HOST_DEVICE constexpr std::uint32_t along_of(std::uint32_t word) {
  return word >> 20 & 3u;
}
ASSAY_HOST_DEVICE constexpr std::uint32_t plane_count_of(std::uint32_t word) {
  return word >> 22;
}

/// Ranks in whole eights, which are read together, with n itself among them.
ASSAY_HOST_DEVICE constexpr std::int32_t octets(std::int32_t n) {
  return n / 8 * 8 + 8;
}
inline constexpr std::uint16_t kNoPosition = 0xFFFF;

/// Row b of the prefix bits holds the points of ranks below kPrefixRanks b; the last row may hold all.
inline constexpr std::int32_t kPrefixRanks = 16;
ASSAY_HOST_DEVICE constexpr std::int32_t prefix_rows(std::int32_t n) {
  return (n + kPrefixRanks / 2) / kPrefixRanks + 1;
}
/// The place n has a word too. One word more where their number is even: rows then begin in different banks
/// of shared memory.
ASSAY_HOST_DEVICE constexpr std::int32_t prefix_words(std::int32_t n) {
  return (n / 32 + 1) | 1;
}

void prepare_columns(CUstream_st* stream, Workspace& workspace, const Columns& columns,
                     const std::int32_t* order);
/// `y_order`, `z_order`: (count, n) rows by rising value.
void prepare_targets(CUstream_st* stream, const Targets& targets, const std::int32_t* y_order,
                     const std::int32_t* z_order, const spatial::ExclusionView& exclusion,
                     const double* scale, std::int32_t k);

/// Columns [first, first + some) of a search, first a multiple of 32.
struct Range {
  std::int64_t first = 0, some = 0;
};

/// found (targets, some, n): walks along the targets' lists. Points in the tails of a source and those whose
/// list or float does not decide stay kUnresolved.
void walk_lists(CUstream_st* stream, const Columns& columns, Range range, const Targets& targets,
                std::int32_t k, std::uint32_t* found);

/// The rest of found, along the sources.
void walk_sources(CUstream_st* stream, const Columns& columns, Range range, const Targets& targets,
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

/// Whether the counts of n points fit a block's shared memory on the current device.
bool counts_fit(std::int32_t n);

void count_and_add(CUstream_st* stream, const Columns& columns, Range range, const Targets& targets,
                   std::int32_t k, const spatial::ExclusionView& exclusion, const double* psi,
                   const std::uint32_t* found, const Results& results);

}  // namespace assay::kernels::lists
