// The counts of every point of a pair within its radius, and the pair's value. A block has a target in shared
// memory and goes through sources, a group of its threads a source, a thread a point in the order of the
// source. Counts along one coordinate are differences of ranks (guide.cuh), that over (source, z) is one
// rectangle of ranks (prefix_bits.cuh), and so is that over (y, z) where the search did not bring it along:
// those points are mostly the tails of the source, whole warps of them.
#include <cuda_pipeline.h>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/lists/fill.hpp"
#include "kernels/lists/guide.cuh"
#include "kernels/lists/lists.hpp"
#include "kernels/lists/prefix_bits.cuh"
#include "kernels/te/digamma.hpp"

namespace assay::kernels::lists {

namespace {

constexpr unsigned kWholeWarp = 0xFFFFFFFFu;

struct Faults {
#ifdef ASSAY_MUTANTS
  bool edge_not_strict, leftover_lost, excluded_counted, guide_trusted;
#else
  static constexpr bool edge_not_strict = false, leftover_lost = false, excluded_counted = false,
                        guide_trusted = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.network.cuda_edge_not_strict"), mutant("te.network.cuda_leftover_lost"),
          mutant("te.network.cuda_excluded_counted"), mutant("te.network.cuda_guide_trusted")};
#else
  return {};
#endif
}

struct Task {
  Columns columns;
  Range range;
  Targets targets;
  spatial::ExclusionView exclusion;
  const double* psi;
  double constant;  ///< psi(k)
  const std::uint32_t* found;
  Results results;
  std::int64_t parts;  ///< of the sources of a target, a block each
  Faults faults;
};

/// Takes pieces of shared memory one after the other, each begun at 16 bytes. Without memory it only
/// measures.
class Pieces {
 public:
  ASSAY_HOST_DEVICE explicit Pieces(unsigned char* memory) : memory_(memory) {}
  template <typename T>
  ASSAY_HOST_DEVICE T* take(std::int32_t count) {
    auto* piece = reinterpret_cast<T*>(memory_ + bytes_);
    bytes_ += (static_cast<std::size_t>(count) * sizeof(T) + 15) / 16 * 16;
    return piece;
  }
  ASSAY_HOST_DEVICE std::size_t bytes() const { return bytes_; }

 private:
  unsigned char* memory_;
  std::size_t bytes_ = 0;
};

/// A target's part of shared memory; the plane's may stay where it is.
struct TargetPieces {
  double *psi, *y_sorted, *z_sorted;
  std::uint16_t *y_starts, *z_starts, *y_ranks, *z_ranks;
  std::uint32_t* plane_bits;
  std::uint16_t *plane_counts, *plane_positions;

  ASSAY_HOST_DEVICE void lay(Pieces& pieces, std::int32_t n, bool plane) {
    psi = pieces.take<double>(n + 2);
    y_sorted = pieces.take<double>(n);
    z_sorted = pieces.take<double>(n);
    y_starts = pieces.take<std::uint16_t>(guide_starts(n));
    z_starts = pieces.take<std::uint16_t>(guide_starts(n));
    y_ranks = pieces.take<std::uint16_t>(n);
    z_ranks = pieces.take<std::uint16_t>(n);
    const std::int32_t cells = plane ? prefix_rows(n) * prefix_words(n) : 0;
    plane_bits = pieces.take<std::uint32_t>(cells);
    plane_counts = pieces.take<std::uint16_t>(cells);
    plane_positions = pieces.take<std::uint16_t>(plane ? octets(n) : 0);
  }
};

/// A source's part, one for every group.
struct SourcePieces {
  double *sorted, *sums;
  std::uint32_t *found, *bits;
  std::uint16_t *counts, *starts, *rows, *ranks, *positions;

  ASSAY_HOST_DEVICE void lay(Pieces& pieces, std::int32_t n) {
    sorted = pieces.take<double>(n);
    sums = pieces.take<double>(32);
    found = pieces.take<std::uint32_t>(n);
    bits = pieces.take<std::uint32_t>(prefix_rows(n) * prefix_words(n));
    counts = pieces.take<std::uint16_t>(prefix_rows(n) * prefix_words(n));
    starts = pieces.take<std::uint16_t>(guide_starts(n));
    rows = pieces.take<std::uint16_t>(n);
    ranks = pieces.take<std::uint16_t>(n);
    positions = pieces.take<std::uint16_t>(octets(n));
  }
};

template <int kGroup>
__device__ void wait_for_group(std::int32_t group) {
  if constexpr (kGroup == 32)
    __syncwarp();
  else
    asm volatile("bar.sync %0, %1;" ::"r"(group + 1), "n"(kGroup) : "memory");
}

/// Copies to shared memory, by the threads of a block or a group. Done when they have committed and waited.
template <int kThreads, typename T>
__device__ void copy(T* to, const T* from, std::int32_t count, std::int32_t thread) {
  constexpr std::int32_t kEach = 16 / sizeof(T);
  if (count % kEach == 0 && reinterpret_cast<std::uintptr_t>(from) % 16 == 0) {
#pragma unroll 1
    for (std::int32_t i = kEach * thread; i < count; i += kEach * kThreads)
      __pipeline_memcpy_async(to + i, from + i, 16);
  } else {
#pragma unroll 4
    for (std::int32_t i = thread; i < count; i += kThreads) to[i] = __ldg(from + i);
  }
}

template <int kGroup, int kGroups>
__global__ void __launch_bounds__(kGroup* kGroups, kGroup* kGroups <= 512 ? 2 : 1)
    count_pairs(Task task, bool plane_here) {
  extern __shared__ __align__(16) unsigned char shared[];
  const std::int32_t n = task.columns.n, rows = prefix_rows(n), words = prefix_words(n),
                     starts = guide_starts(n), buckets = guide_buckets(n);
  const auto thread = static_cast<std::int32_t>(threadIdx.x) % kGroup,
             group = static_cast<std::int32_t>(threadIdx.x) / kGroup;
  Pieces pieces(shared);
  TargetPieces at;
  at.lay(pieces, n, plane_here);
  SourcePieces of;
  for (std::int32_t g = 0; g <= group; ++g) of.lay(pieces, n);

  const std::int64_t target = blockIdx.x / task.parts, part = blockIdx.x % task.parts;
  const Targets& targets = task.targets;
  {
    const auto all = static_cast<std::int32_t>(threadIdx.x);
    constexpr std::int32_t kAll = kGroup * kGroups;
    copy<kAll>(at.psi, task.psi, n + 2, all);
    copy<kAll>(at.y_sorted, targets.in_y.sorted + target * n, n, all);
    copy<kAll>(at.z_sorted, targets.in_z.sorted + target * n, n, all);
    copy<kAll>(at.y_starts, targets.in_y.starts + target * starts, starts, all);
    copy<kAll>(at.z_starts, targets.in_z.starts + target * starts, starts, all);
    copy<kAll>(at.y_ranks, targets.in_y.ranks + target * n, n, all);
    copy<kAll>(at.z_ranks, targets.in_z.ranks + target * n, n, all);
    if (plane_here) {
      copy<kAll>(at.plane_bits, targets.plane_bits + target * rows * words, rows * words, all);
      copy<kAll>(at.plane_counts, targets.plane_counts + target * rows * words, rows * words, all);
      copy<kAll>(at.plane_positions, targets.plane_positions + target * octets(n), octets(n), all);
    }
  }
  __pipeline_commit();
  __pipeline_wait_prior(0);
  __syncthreads();
  const PrefixBits of_plane = plane_here
                                  ? PrefixBits{at.plane_bits, at.plane_counts, at.plane_positions, words}
                                  : PrefixBits{targets.plane_bits + target * rows * words,
                                               targets.plane_counts + target * rows * words,
                                               targets.plane_positions + target * octets(n), words};
  const SortedColumn<std::uint16_t> y{at.y_sorted, at.y_starts, targets.in_y.guides[target], n, buckets};
  const SortedColumn<std::uint16_t> z{at.z_sorted, at.z_starts, targets.in_z.guides[target], n, buckets};
  const bool leftover = !task.faults.leftover_lost, closed = task.faults.edge_not_strict,
             trusting = task.faults.guide_trusted;
  const auto wait = [&] {
    __pipeline_wait_prior(0);
    wait_for_group<kGroup>(group);
  };

  for (std::int32_t r = n + thread; r < octets(n); r += kGroup) of.positions[r] = kNoPosition;
  for (std::int64_t within = part * kGroups + group; within < task.range.some;
       within += task.parts * kGroups) {
    const std::int64_t column = task.range.first + within;
    const std::int64_t slot =
        task.results.slots == nullptr
            ? -1
            : task.results.slots[target * task.results.slot_columns + task.results.first_column + within];
    copy<kGroup>(of.sorted, task.columns.sorted + column * n, n, thread);
    copy<kGroup>(of.found, task.found + (target * task.range.some + within) * n, n, thread);
    copy<kGroup>(of.starts, task.columns.starts + column * starts, starts, thread);
    copy<kGroup>(of.ranks, task.columns.ranks + column * n, n, thread);
    copy<kGroup>(of.rows, task.columns.rows + column * n, n, thread);
    __pipeline_commit();
    const auto place = [&](std::int32_t rank) { return of.positions[rank] = at.z_ranks[of.rows[rank]]; };
    build_prefix_bits<kGroup>(of.bits, of.counts, n, rows, words, thread, wait, place);
    const PrefixBits of_pair{of.bits, of.counts, of.positions, words};
    const SortedColumn<std::uint16_t> x{of.sorted, of.starts, task.columns.guides[column], n, buckets};

    const auto radius_of = [&](std::int32_t rank, std::int32_t i, std::uint32_t word) {
      const std::uint32_t neighbour = row_of(word), along = along_of(word);
      const auto in_x = [&] { return fabs(of.sorted[rank] - of.sorted[of.ranks[neighbour]]); };
      const auto in_y = [&] { return fabs(at.y_sorted[at.y_ranks[i]] - at.y_sorted[at.y_ranks[neighbour]]); };
      const auto in_z = [&] { return fabs(at.z_sorted[at.z_ranks[i]] - at.z_sorted[at.z_ranks[neighbour]]); };
      if (along == kAlongAny) return fmax(in_x(), fmax(in_y(), in_z()));
      const double* values = along == 0 ? of.sorted : along == 1 ? at.y_sorted : at.z_sorted;
      const std::uint16_t* ranks = along == 0 ? of.ranks : along == 1 ? at.y_ranks : at.z_ranks;
      return fabs(values[ranks[i]] - values[ranks[neighbour]]);
    };
    double sum = 0;
    for (std::int32_t rank = thread; rank < n; rank += kGroup) {
      const std::int32_t i = of.rows[rank], position = of.positions[rank];
      const std::uint32_t word = of.found[i];
      const double eps = radius_of(rank, i, word);
      const RankRange in_x = ranks_within(x, rank, of.sorted[rank], eps, closed, trusting);
      const RankRange in_z = ranks_within(z, position, at.z_sorted[position], eps, closed, trusting);
      std::int32_t n_z = in_z.end - in_z.begin;
      std::int32_t n_xz = count_rectangle(of_pair, in_z.begin, in_z.end, in_x.begin, in_x.end, leftover);
      std::int32_t excluded_begin = 0, excluded_end = 0;
      task.exclusion.of(i, excluded_begin, excluded_end);
      if (task.faults.excluded_counted) excluded_begin = i, excluded_end = i + 1;
      for (std::int32_t j = excluded_begin; j < excluded_end; ++j)
        if (in_z.has(at.z_ranks[j])) {
          --n_z;
          n_xz -= in_x.has(of.ranks[j]);
        }
      auto n_yz = static_cast<std::int32_t>(plane_count_of(word));
      if (plane_count_of(word) == kUnknownCount) {
        const std::int32_t along_y = at.y_ranks[i];
        const RankRange in_y = ranks_within(y, along_y, at.y_sorted[along_y], eps, closed, trusting);
        n_yz = count_rectangle(of_plane, in_z.begin, in_z.end, in_y.begin, in_y.end, leftover);
        for (std::int32_t j = excluded_begin; j < excluded_end; ++j)
          n_yz -= in_z.has(at.z_ranks[j]) && in_y.has(at.y_ranks[j]);
      }
      sum += at.psi[n_z + 1] - at.psi[n_xz + 1] - at.psi[n_yz + 1];
      if (slot >= 0 && task.results.counts != nullptr) {
        std::int64_t* to = task.results.counts + 3 * (slot * n + i);
        to[0] = n_xz;
        to[1] = n_yz;
        to[2] = n_z;
      }
    }
    for (int half = 16; half > 0; half /= 2) sum += __shfl_xor_sync(kWholeWarp, sum, half);
    if constexpr (kGroup > 32) {
      if (thread % 32 == 0) of.sums[thread / 32] = sum;
      wait();
      if (thread == 0)
        for (int warp = 1; warp < kGroup / 32; ++warp) sum += of.sums[warp];
    }
    if (thread == 0 && task.results.values != nullptr) {
      const std::int64_t source = task.results.first_column + within;
      task.results.values[source / task.results.group * task.results.group_stride +
                          source % task.results.group + target * task.results.target_stride] =
          task.constant + sum / n;
    }
    if constexpr (kGroup == 32) wait();  // a larger group has come together for the sum
  }
}

std::size_t bytes_of(std::int32_t n, int groups, bool plane_here) {
  Pieces pieces(nullptr);
  TargetPieces target;
  target.lay(pieces, n, plane_here);
  SourcePieces source;
  for (int group = 0; group < groups; ++group) source.lay(pieces, n);
  return pieces.bytes();
}

template <int kGroup, int kGroups>
bool launch(CUstream_st* stream, Task task, bool plane_here) {
  const std::size_t bytes = bytes_of(task.columns.n, kGroups, plane_here);
  if (bytes > most_shared()) return false;
  const auto kernel = count_pairs<kGroup, kGroups>;
  allow_shared(kernel);
  task.parts =
      fill_device(kernel, kGroup * kGroups, bytes, task.targets.count, task.range.some, kGroups, 0.5);
  kernel<<<static_cast<unsigned>(task.targets.count * task.parts), kGroup * kGroups, bytes, stream>>>(
      task, plane_here);
  detail::check(cudaGetLastError(), "lists: counts: launch");
  return true;
}

}  // namespace

bool counts_fit(std::int32_t n) {
  return bytes_of(n, 1, false) <= most_shared();
}

void count_and_add(CUstream_st* stream, const Columns& columns, Range range, const Targets& targets,
                   std::int32_t k, const spatial::ExclusionView& exclusion, const double* psi,
                   const std::uint32_t* found, const Results& results) {
  const Task task{columns, range,   targets, exclusion,        psi, te::digamma(static_cast<double>(k)),
                  found,   results, 1,       selected_faults()};
  // Several sources share a block, with few threads each: a source's threads wait for the slowest of them
  // when its points are counted, and more points a thread even that out. The plane stays in global memory
  // where there is no room for it beside them.
  const std::int32_t n = columns.n;
  if (n <= 256 && launch<32, 16>(stream, task, true)) return;
  if (n > 256 && n <= 512 && 2 * bytes_of(n, 8, true) <= most_shared() && launch<64, 8>(stream, task, true))
    return;
  if (n > 256 && n <= 512 && launch<128, 4>(stream, task, true)) return;
  if (n > 512 && (launch<128, 5>(stream, task, true) || launch<256, 4>(stream, task, true) ||
                  launch<256, 3>(stream, task, true) || launch<256, 3>(stream, task, false)))
    return;
  if (!launch<512, 1>(stream, task, false))
    throw DeviceError("lists: a block has too little shared memory on this device", false);
}

}  // namespace assay::kernels::lists
