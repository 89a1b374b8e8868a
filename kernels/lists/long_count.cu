// The counts of the points that the walks found, a thread each: ranks along the source and along z, and one
// rectangle of them by the pair's wavelet matrix. n_yz comes from the list, or from the target's matrix.
#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/lists/guide.cuh"
#include "kernels/lists/long_lists.hpp"
#include "kernels/lists/wavelet.cuh"
#include "kernels/te/digamma.hpp"

namespace assay::kernels::lists {

namespace {

constexpr int kThreads = 256;

struct Faults {
#ifdef ASSAY_MUTANTS
  bool edge_not_strict, level_lost;
#else
  static constexpr bool edge_not_strict = false, level_lost = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.network.cuda_long_edge_not_strict"), mutant("te.network.cuda_wavelet_level_lost")};
#else
  return {};
#endif
}

struct Task {
  LongSources sources;
  LongTarget target;
  LongPairs pairs;
  spatial::ExclusionView exclusion;
  double constant;  ///< psi(k)
  const double* psi;
  windows::Outputs outputs;
  Faults faults;
};

__global__ void __launch_bounds__(kThreads) count_points(Task task) {
  const std::int32_t n = task.target.n;
  const std::int64_t column = blockIdx.y;
  const auto p = static_cast<std::int32_t>(blockIdx.x * kThreads + threadIdx.x);
  if (p >= n) return;
  const std::int64_t at = column * n + p;
  const std::uint32_t word = task.pairs.found[at];
  if (word == kUnresolved) return;
  const auto neighbour = static_cast<std::int32_t>(row_of(word));
  const std::uint32_t along = along_of(word);
  const double* x = task.pairs.x + column * n;
  const double *y = task.target.columns, *z = task.target.columns + n;
  const auto distance = [&](const double* values) { return fabs(values[p] - values[neighbour]); };
  const double eps = along == 0   ? distance(x)
                     : along == 1 ? distance(y)
                     : along == 2 ? distance(z)
                                  : fmax(distance(x), fmax(distance(y), distance(z)));
  const std::int64_t source = task.pairs.first + column;
  const std::int32_t buckets = long_buckets(n);
  const bool closed = task.faults.edge_not_strict;
  const SortedColumn<std::uint32_t> along_x{task.sources.sorted + source * n,
                                            task.sources.starts + source * long_starts(n),
                                            task.sources.guides[source], n, buckets};
  const SortedColumn<std::uint32_t> along_z{z, task.target.starts + long_starts(n), task.target.guides[1], n,
                                            buckets};
  const std::uint32_t* ranks = task.pairs.ranks + column * n;
  const RankRange in_x = ranks_within(along_x, static_cast<std::int32_t>(ranks[p]), x[p], eps, closed, false);
  const RankRange in_z = ranks_within(along_z, p, z[p], eps, closed, false);
  const Wavelet wavelet{task.pairs.wavelets + column * wavelet_words(n), n, wavelet_levels(n)};
  std::int32_t n_z = in_z.end - in_z.begin;
  std::int32_t n_xz =
      wavelet.count(in_z.begin, in_z.end, in_x.begin, in_x.end, task.faults.level_lost ? 4 : 0);
  std::int32_t excluded_begin = 0, excluded_end = 0;
  const std::int32_t row = task.target.rows[p];
  task.exclusion.of(row, excluded_begin, excluded_end);
  for (std::int32_t j = excluded_begin; j < excluded_end; ++j) {
    const std::int32_t place = task.target.places[j];
    if (!in_z.has(place)) continue;
    --n_z;
    n_xz -= in_x.has(static_cast<std::int32_t>(ranks[place]));
  }
  auto n_yz = static_cast<std::int32_t>(plane_count_of(word));
  if (plane_count_of(word) == kUnknownCount) {
    const std::uint32_t* y_ranks = task.target.y_ranks;
    const SortedColumn<std::uint32_t> along_y{task.target.y_sorted, task.target.starts, task.target.guides[0],
                                              n, buckets};
    const RankRange in_y =
        ranks_within(along_y, static_cast<std::int32_t>(y_ranks[p]), y[p], eps, closed, false);
    n_yz =
        Wavelet{task.target.wavelet, n, wavelet_levels(n)}.count(in_z.begin, in_z.end, in_y.begin, in_y.end);
    for (std::int32_t j = excluded_begin; j < excluded_end; ++j) {
      const std::int32_t place = task.target.places[j];
      n_yz -= in_z.has(place) && in_y.has(static_cast<std::int32_t>(y_ranks[place]));
    }
  }
  task.pairs.local[at] = task.constant + (task.psi[n_z + 1] - task.psi[n_xz + 1]) - task.psi[n_yz + 1];
  const std::int64_t slot = task.outputs.slots == nullptr ? -1 : task.outputs.slots[column];
  if (task.outputs.counts == nullptr || slot < 0) return;
  std::int64_t* to = task.outputs.counts + 3 * (slot * n + row);
  to[0] = n_xz;
  to[1] = n_yz;
  to[2] = n_z;
}

}  // namespace

void count_long(CUstream_st* stream, const LongSources& sources, const LongTarget& target,
                const LongPairs& pairs, const spatial::ExclusionView& exclusion, std::int32_t k,
                const double* psi, const windows::Outputs& outputs) {
  const Task task{sources, target,           pairs, exclusion, te::digamma(static_cast<double>(k)), psi,
                  outputs, selected_faults()};
  count_points<<<dim3(static_cast<unsigned>((target.n + kThreads - 1) / kThreads),
                      static_cast<unsigned>(pairs.count)),
                 kThreads, 0, stream>>>(task);
  detail::check(cudaGetLastError(), "lists: long counts: launch");
}

}  // namespace assay::kernels::lists
