// The counts of every point of a pair within its radius, and the pair's value. One block a pair, a thread a
// point, points in the order of the source. Counts along one coordinate are differences of ranks: a guess in
// float, put right in double. The count over (source, z) is one rectangle of ranks (prefix_bits.cuh), and so
// is that over (y, z) where the search did not bring it along.
#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/lists/lists.hpp"
#include "kernels/lists/prefix_bits.cuh"
#include "kernels/te/digamma.hpp"

namespace assay::kernels::lists {

namespace {

struct Faults {
#ifdef ASSAY_MUTANTS
  bool edge_not_strict, leftover_lost, excluded_counted, guess_trusted;
#else
  static constexpr bool edge_not_strict = false, leftover_lost = false, excluded_counted = false,
                        guess_trusted = false;
#endif
};

Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.network.cuda_edge_not_strict"), mutant("te.network.cuda_leftover_lost"),
          mutant("te.network.cuda_excluded_counted"), mutant("te.network.cuda_guess_trusted")};
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
  Faults faults;
};

struct RankRange {
  std::int32_t begin, end;
  __device__ bool has(std::int32_t rank) const {
    return static_cast<std::uint32_t>(rank - begin) < static_cast<std::uint32_t>(end - begin);
  }
};

/// Ranks of the values nearer than eps to the one at `rank`. `guess` holds the sorted values in float.
__device__ RankRange ranks_within(const float* guess, const double* sorted, std::int32_t n, std::int32_t rank,
                                  double eps, float eps_guess, const Faults& faults) {
  const float own_guess = guess[rank];
  const double own = sorted[rank];
  const auto near = [&](double gap) { return faults.edge_not_strict ? gap <= eps : gap < eps; };
  std::int32_t low = 0, high = rank;  // the first that the guess lets in
  while (low < high) {
    const std::int32_t middle = (low + high) / 2;
    if (own_guess - guess[middle] < eps_guess)
      high = middle;
    else
      low = middle + 1;
  }
  std::int32_t begin = low;
  low = rank;
  high = n;
  while (low < high) {
    const std::int32_t middle = (low + high) / 2;
    if (guess[middle] - own_guess < eps_guess)
      low = middle + 1;
    else
      high = middle;
  }
  std::int32_t end = low;
  if (faults.guess_trusted) return {begin, end};
  while (begin < rank && !near(own - sorted[begin])) ++begin;
  while (begin > 0 && near(own - sorted[begin - 1])) --begin;
  while (end > rank && !near(sorted[end - 1] - own)) --end;
  while (end < n && near(sorted[end] - own)) ++end;
  if (begin > end) begin = end;
  return {begin, end};
}

__device__ double larger(double a, double b) {
  return a > b ? a : b;
}

template <int kThreads>
__device__ double block_sum(double value) {
  __shared__ double sums[kThreads];
  sums[threadIdx.x] = value;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (static_cast<int>(threadIdx.x) < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
  }
  return sums[0];
}

template <int kThreads>
__global__ void __launch_bounds__(kThreads) count_pairs(Task task) {
  extern __shared__ double shared[];
  auto* memory = reinterpret_cast<std::uint32_t*>(shared);
  const std::int32_t n = task.columns.n, rows = prefix_rows(n), words = prefix_words(n);
  std::uint32_t* bits = memory;
  auto* x_guess = reinterpret_cast<float*>(bits + max(rows * words, 2 * n));
  float* z_guess = x_guess + n;
  auto* counts = reinterpret_cast<std::uint16_t*>(z_guess + n);
  std::uint16_t* positions = counts + rows * words;  // along z, of the point at each rank of the source

  std::uint16_t* open = positions + n;  // ranks whose count in the plane is not known
  auto* open_psi =
      reinterpret_cast<double*>(bits);  // what they add, in place of the bits, which are done with by then
  __shared__ std::int32_t open_count;
  if (threadIdx.x == 0) open_count = 0;

  const std::int64_t target = blockIdx.x / task.range.some, within = blockIdx.x % task.range.some;
  const std::int64_t column = task.range.first + within;
  const double* x = task.columns.x + column * n;
  const double* x_sorted = task.columns.sorted + column * n;
  const std::uint16_t* x_rows = task.columns.rows + column * n;
  const std::uint16_t* x_ranks = task.columns.ranks + column * n;
  const double* y = task.targets.y + target * n;
  const double* z = task.targets.z + target * n;
  const double* y_sorted = task.targets.y_sorted + target * n;
  const double* z_sorted = task.targets.z_sorted + target * n;
  const float* y_guess = task.targets.y_guess + target * n;
  const std::uint16_t* y_rows = task.targets.y_rows + target * n;
  const std::uint16_t* y_ranks = task.targets.y_ranks + target * n;
  const std::uint16_t* z_ranks = task.targets.z_ranks + target * n;
  const auto plane = static_cast<std::size_t>(target) * rows * words;
  const PrefixBits of_plane{task.targets.plane_bits + plane, task.targets.plane_counts + plane, words};
  const std::uint32_t* found = task.found + (target * task.range.some + within) * n;
  const std::int64_t slot =
      task.results.slots == nullptr
          ? -1
          : task.results.slots[target * task.results.slot_columns + task.results.first_column + within];

  for (std::int32_t r = static_cast<std::int32_t>(threadIdx.x); r < n; r += kThreads) {
    x_guess[r] = task.columns.guess_sorted[column * n + r];
    z_guess[r] = task.targets.z_guess[target * n + r];
    positions[r] = z_ranks[x_rows[r]];
  }
  __syncthreads();
  build_prefix_bits<kThreads>(bits, counts, n, rows, words,
                              [&](std::int32_t rank) { return positions[rank]; });
  const PrefixBits of_pair{bits, counts, words};

  const double scale = *task.columns.scale;
  const auto radius_of = [&](std::int32_t rank, std::int32_t i, std::uint32_t neighbour) {
    return larger(fabs(x_sorted[rank] - x[neighbour]),
                  larger(fabs(y[i] - y[neighbour]), fabs(z[i] - z[neighbour])));
  };
  double sum = 0;
  for (std::int32_t rank = static_cast<std::int32_t>(threadIdx.x); rank < n; rank += kThreads) {
    const std::int32_t i = x_rows[rank];
    const std::uint32_t word = found[i];
    const double eps = radius_of(rank, i, word & 0xFFFFu);
    const auto eps_guess = static_cast<float>(eps * scale);
    const RankRange in_x = ranks_within(x_guess, x_sorted, n, rank, eps, eps_guess, task.faults);
    const RankRange in_z = ranks_within(z_guess, z_sorted, n, positions[rank], eps, eps_guess, task.faults);
    std::int32_t n_z = in_z.end - in_z.begin;
    std::int32_t n_xz = count_rectangle(
        of_pair, in_z.begin, in_z.end, in_x.begin, task.faults.leftover_lost ? in_x.end & ~7 : in_x.end,
        [&](std::int32_t r) { return static_cast<std::int32_t>(positions[r]); });
    std::int32_t excluded_begin = 0, excluded_end = 0;
    task.exclusion.of(i, excluded_begin, excluded_end);
    if (task.faults.excluded_counted) excluded_begin = i, excluded_end = i + 1;
    for (std::int32_t j = excluded_begin; j < excluded_end; ++j)
      if (in_z.has(z_ranks[j])) {
        --n_z;
        n_xz -= in_x.has(x_ranks[j]);
      }
    const std::uint32_t n_yz = word >> 16;
    sum += task.psi[n_z + 1] - task.psi[n_xz + 1];
    if (n_yz == kUnknownCount)
      open[atomicAdd(&open_count, 1)] = static_cast<std::uint16_t>(rank);
    else
      sum -= task.psi[n_yz + 1];
    if (slot >= 0 && task.results.counts != nullptr) {
      std::int64_t* to = task.results.counts + 3 * (slot * n + i);
      to[0] = n_xz;
      to[1] = n_yz;
      to[2] = n_z;
    }
  }
  __syncthreads();
  // Points without a count in the plane, close together now. Their order is any; each rank's part goes where
  // the rank says.
  const std::int32_t many = open_count;
  for (std::int32_t item = static_cast<std::int32_t>(threadIdx.x); item < many; item += kThreads) {
    const std::int32_t rank = open[item];
    const std::int32_t i = x_rows[rank];
    const double eps = radius_of(rank, i, found[i] & 0xFFFFu);
    const auto eps_guess = static_cast<float>(eps * scale);
    const RankRange in_z = ranks_within(z_guess, z_sorted, n, positions[rank], eps, eps_guess, task.faults);
    const RankRange in_y = ranks_within(y_guess, y_sorted, n, y_ranks[i], eps, eps_guess, task.faults);
    std::int32_t n_yz =
        count_rectangle(of_plane, in_z.begin, in_z.end, in_y.begin, in_y.end,
                        [&](std::int32_t r) { return static_cast<std::int32_t>(z_ranks[y_rows[r]]); });
    std::int32_t excluded_begin = 0, excluded_end = 0;
    task.exclusion.of(i, excluded_begin, excluded_end);
    for (std::int32_t j = excluded_begin; j < excluded_end; ++j)
      n_yz -= in_z.has(z_ranks[j]) && in_y.has(y_ranks[j]);
    open_psi[rank] = task.psi[n_yz + 1];
    if (slot >= 0 && task.results.counts != nullptr) task.results.counts[3 * (slot * n + i) + 1] = n_yz;
  }
  __syncthreads();
  for (std::int32_t rank = static_cast<std::int32_t>(threadIdx.x); rank < n; rank += kThreads)
    if (found[x_rows[rank]] >> 16 == kUnknownCount) sum -= open_psi[rank];
  sum = block_sum<kThreads>(sum);
  if (threadIdx.x != 0 || task.results.values == nullptr) return;
  const std::int64_t source = task.results.first_column + within;
  task.results.values[source / task.results.group * task.results.group_stride + source % task.results.group +
                      target * task.results.target_stride] = task.constant + sum / n;
}

std::size_t shared_bytes(std::int32_t n) {
  const auto cells = static_cast<std::size_t>(prefix_rows(n)) * static_cast<std::size_t>(prefix_words(n));
  return std::max(cells * 4, static_cast<std::size_t>(n) * 8) + cells * 2 + static_cast<std::size_t>(n) * 12 +
         32;
}

template <int kThreads>
void launch(CUstream_st* stream, const Task& task) {
  detail::check(cudaFuncSetAttribute(count_pairs<kThreads>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     static_cast<int>(shared_bytes(kMostPoints))),
                "lists: shared memory");
  count_pairs<kThreads><<<static_cast<unsigned>(task.targets.count * task.range.some), kThreads,
                          shared_bytes(task.columns.n), stream>>>(task);
  detail::check(cudaGetLastError(), "lists: counts: launch");
}

}  // namespace

void count_and_add(CUstream_st* stream, const Columns& columns, Range range, const Targets& targets,
                   std::int32_t k, const spatial::ExclusionView& exclusion, const double* psi,
                   const std::uint32_t* found, const Results& results) {
  const Task task{columns, range,   targets,          exclusion, psi, te::digamma(static_cast<double>(k)),
                  found,   results, selected_faults()};
  // Few points keep few threads busy; more blocks then share a multiprocessor.
  if (columns.n <= 256)
    launch<64>(stream, task);
  else if (columns.n <= 512)
    launch<128>(stream, task);
  else
    launch<256>(stream, task);
}

}  // namespace assay::kernels::lists
