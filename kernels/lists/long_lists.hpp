#pragma once

// Networks of more than kMostPoints points. As in lists.hpp all sources of a target share its neighbour
// lists, which are longer, and everything about a target is in the order of its z: a point is its place
// there. What lists or float do not decide is swept (kernels/windows/sweep.hpp).
#include <cstdint>

#include "kernels/lists/lists.hpp"
#include "kernels/windows/evaluate.hpp"

struct uint2;  // CUDA's own

namespace assay::kernels::lists {

inline constexpr std::int32_t kLongListLength = 512;
/// A place must fit a word of found.
inline constexpr std::int64_t kMostLongPoints = std::int64_t{1} << 20;
/// Sources from which lists that all of them share are sooner made than every pair swept.
inline constexpr std::int64_t kLongSources = 8;
/// Whether long lists are what a network's search comes to; `columns` counts the sources with their
/// surrogates.
constexpr bool suit_long(std::int64_t dx, std::int64_t dy, std::int64_t dz, int algorithm, std::int64_t k,
                         std::int64_t n, std::int64_t columns) {
  return dx == 1 && dy == 1 && dz == 1 && algorithm == 1 && k <= kMostNeighbours && n > kMostPoints &&
         n <= kMostLongPoints && columns >= kLongSources;
}

/// Buckets of a long column's table of starts: two values a bucket, or up to four.
ASSAY_HOST_DEVICE constexpr std::int32_t long_buckets(std::int32_t n) {
  std::int32_t buckets = 1024;
  while (buckets < n / 4) buckets *= 2;
  return buckets;
}
ASSAY_HOST_DEVICE constexpr std::int32_t long_starts(std::int32_t n) {
  return long_buckets(n) + 2;
}

/// Sources and surrogates, one column each. Device memory.
struct LongSources {
  std::int64_t count = 0;
  std::int32_t n = 0;
  const double* x = nullptr;           ///< (count, n)
  const double* sorted = nullptr;      ///< (count, n) rising
  const std::int32_t* rows = nullptr;  ///< (count, n) the row at each rank
  std::int32_t* ranks = nullptr;       ///< (count, n) and back
  float* spreads = nullptr;         ///< (count, n) as Columns::spread_by_row; negative where a value repeats
  Guide* guides = nullptr;          ///< (count)
  std::uint32_t* starts = nullptr;  ///< (count, long_starts(n))
  double* scale = nullptr;          ///< (1) a power of two
};

/// One target. Device memory.
struct LongTarget {
  std::int32_t n = 0;
  const double* columns = nullptr;       ///< (2, n): y, then z, by rising z
  const double* y_sorted = nullptr;      ///< (n) by itself
  const std::int32_t* y_rows = nullptr;  ///< (n) the row at each rank of y
  const std::int32_t* rows = nullptr;    ///< (n) the row at each place
  std::int32_t* places = nullptr;        ///< (n) and back
  std::uint32_t* y_ranks = nullptr;      ///< (n) the rank of y at each place
  float2* plane = nullptr;               ///< (n) y and z of each row, centred and scaled
  uint2* wavelet = nullptr;              ///< (wavelet_words(n)) of y_ranks
  std::uint32_t* spare = nullptr;        ///< (2, n) for making it
  Guide* guides = nullptr;               ///< (2) of y and of z
  std::uint32_t* starts = nullptr;       ///< (2, long_starts(n))
  std::uint32_t* lists = nullptr;        ///< (most points at a time, 2 kLongListLength)
  float* reach = nullptr;                ///< (n) as Targets::reach; negative where a value of z repeats
};

/// Some sources as a target's search reads them: by its places. Device memory.
struct LongPairs {
  std::int64_t first = 0, count = 0;  ///< of the sources; count columns
  std::int64_t padded = 0;            ///< a multiple of 32
  double* x = nullptr;                ///< (count, n)
  double* by_place = nullptr;         ///< (n, padded)
  float* guess_by_place = nullptr;    ///< (n, padded)
  float* spread_by_place = nullptr;   ///< (n, padded)
  std::uint32_t* ranks = nullptr;     ///< (count, n) of each source along itself
  uint2* wavelets = nullptr;          ///< (count, wavelet_words(n)), see wavelet.cuh
  std::uint32_t* spare = nullptr;     ///< (count, 2, n) for making those
  std::uint32_t* found = nullptr;     ///< (count, n)
  double* local = nullptr;            ///< (count, n) what each point adds
};

/// Bytes that `count` sources of a target take on their way, the target's own included.
std::int64_t long_bytes(std::int32_t n, std::int64_t count);

/// x (count, n) stays where it is; what is made of it is taken from `memory`.
LongSources rank_long_sources(CUstream_st* stream, Workspace& memory, const double* x, std::int64_t count,
                              std::int32_t n);
/// y and z (n), and the sources' scale; room for the lists is taken along.
LongTarget order_long_target(CUstream_st* stream, Workspace& scratch, const double* y, const double* z,
                             std::int32_t n, const double* scale);

struct LongOptions {
  std::int32_t k = 4;
  spatial::ExclusionView exclusion;
  const double* psi = nullptr;  ///< psi(1) .. psi(n + 1)
};
/// Sources [first, first + count) with the target: their values and the counts of those with a slot.
void evaluate_long(CUstream_st* stream, Workspace& scratch, const LongSources& sources,
                   const LongTarget& target, std::int64_t first, std::int64_t count,
                   const LongOptions& options, windows::Outputs outputs);

// The steps of these:

void prepare_long_sources(CUstream_st* stream, Workspace& workspace, const LongSources& sources);
/// All but the lists.
void prepare_long_target(CUstream_st* stream, const LongTarget& target, const double* scale);
/// The lists and the reach of places [first, first + count).
void build_long_lists(CUstream_st* stream, const LongTarget& target, std::int32_t first, std::int32_t count,
                      const spatial::ExclusionView& exclusion, const double* scale, std::int32_t k);
/// Fills `pairs` but for found and local.
void prepare_long_pairs(CUstream_st* stream, const LongSources& sources, const LongTarget& target,
                        const LongPairs& pairs);
/// found of places [first, first + count), whose lists there are; kUnresolved where they do not tell.
void walk_long_lists(CUstream_st* stream, const LongTarget& target, const LongPairs& pairs,
                     const double* scale, std::int32_t first, std::int32_t count, std::int32_t k);
/// found of what is open still, along the sources.
void search_long_rest(CUstream_st* stream, const LongSources& sources, const LongTarget& target,
                      const LongPairs& pairs, const spatial::ExclusionView& exclusion, std::int32_t k);
/// local, and the counts of pairs that have a slot, of all that was found.
void count_long(CUstream_st* stream, const LongSources& sources, const LongTarget& target,
                const LongPairs& pairs, const spatial::ExclusionView& exclusion, std::int32_t k,
                const double* psi, const windows::Outputs& outputs);

}  // namespace assay::kernels::lists
