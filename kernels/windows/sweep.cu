// Algorithm 1 with x, y and z of one column each, by sweeps (sweep_point.cuh): of all points of some pairs,
// or of those that another search left open.
#include <math_constants.h>
#include <vector_types.h>

#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/te/digamma.hpp"
#include "kernels/windows/scale.hpp"
#include "kernels/windows/sweep.hpp"
#include "kernels/windows/sweep_point.cuh"

namespace assay::kernels::windows {

namespace {

constexpr int kThreads = 128;
constexpr std::int32_t kPointsOfWarp = 4;
constexpr std::int32_t kPointsOfBlock = kThreads / 32 * kPointsOfWarp;

SweepFaults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("te.ksg.cuda_sweep_no_recheck"), mutant("te.ksg.cuda_sweep_ends_early"),
          mutant("te.ksg.cuda_sweep_chunk_lost")};
#else
  return {};
#endif
}

/// Values in float, centred and scaled by a power of two, in the targets' order; infinite before the first
/// and after the last.
struct Guesses {
  const float* x = nullptr;       ///< (pairs, padded)
  const float2* plane = nullptr;  ///< (targets, padded): z, y
  std::int32_t padded = 0;
};

struct Task {
  Targets targets;
  Pairs pairs;
  Options options;
  Outputs outputs;
  Guesses guesses;
  const double* psi;
  double constant;  ///< psi(k)
  double* partial;  ///< (pairs, blocks)
  std::int64_t first;
  Sweep sweep;
  Found found;  ///< null: all points are open
};

/// A value less that of the middle point of its column, both scaled: exact products, so that their difference
/// does not overflow.
__device__ float guess(const double* column, std::int32_t p, std::int32_t n, double scale) {
  return p >= 0 && p < n ? static_cast<float>(column[p] * scale - column[n / 2] * scale) : CUDART_INF_F;
}

__global__ void guess_columns(const double* x, std::int64_t count, std::int32_t n, std::int32_t padded,
                              const double* scale, float* to) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < count * padded;
       i += std::int64_t{gridDim.x} * blockDim.x)
    to[i] = guess(x + i / padded * n, static_cast<std::int32_t>(i % padded) - kMargin, n, *scale);
}

/// columns (targets, 2, n): y, then z.
__global__ void guess_planes(const double* columns, std::int64_t count, std::int32_t n, std::int32_t padded,
                             const double* scale, float2* to) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < count * padded;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    const double* y = columns + i / padded * 2 * n;
    const auto p = static_cast<std::int32_t>(i % padded) - kMargin;
    to[i] = make_float2(guess(y + n, p, n, *scale), guess(y, p, n, *scale));
  }
}

__device__ View view_of(const Task& task, std::int64_t pair) {
  const std::int64_t target = pair / task.pairs.sources, n = task.targets.n, padded = task.guesses.padded;
  const double* columns = task.targets.columns + target * 2 * n;
  return {task.guesses.x + pair * padded + kMargin,
          task.guesses.plane + target * padded + kMargin,
          task.pairs.x + pair * n,
          columns,
          columns + n,
          task.targets.rows + target * n,
          task.targets.n};
}

/// Sweeps a point and writes what is asked of it; returns what it adds to the value of its pair.
template <int kCapacity, bool kWindow>
__device__ double evaluate_point(const Task& task, const View& view, std::int64_t pair, std::int32_t p) {
  const std::int32_t row = view.rows[p];
  const Excluded excluded = excluded_of(task.options.exclusion, row);
  Counts counts;
  std::int32_t n_z = 0;
  const double eps = sweep_point<kCapacity, kWindow>(task.sweep, view, p, excluded, counts, n_z);
  const double local =
      task.constant + (task.psi[n_z + 1] - task.psi[counts.xz + 1]) - task.psi[counts.yz + 1];
  if (threadIdx.x % 32 != 0) return local;
  const std::int64_t at_row = pair * view.n + row;
  if (task.outputs.local != nullptr) task.outputs.local[at_row] = local;
  if (task.outputs.radii != nullptr)
    for (int c = 0; c < 3; ++c) task.outputs.radii[3 * at_row + c] = eps;
  const std::int64_t slot = task.outputs.slots == nullptr ? pair : task.outputs.slots[pair];
  if (task.outputs.counts != nullptr && slot >= 0) {
    std::int64_t* to = task.outputs.counts + 3 * (slot * view.n + row);
    to[0] = counts.xz;
    to[1] = counts.yz;
    to[2] = n_z;
  }
  return local;
}

/// A block's part of the value of a pair, from the first lanes of its warps.
__device__ void store_part(const Task& task, std::int64_t pair, double value) {
  __shared__ double sums[kThreads / 32];
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int other = 1; other < kThreads / 32; ++other) value += sums[other];
  task.partial[pair * gridDim.x + blockIdx.x] = value;
}

template <int kCapacity, bool kWindow>
__global__ void __launch_bounds__(kThreads) sweep_pairs(Task task) {
  const std::int64_t pair = task.first + blockIdx.y;
  const View view = view_of(task, pair);
  const auto warp = static_cast<std::int32_t>(threadIdx.x / 32);
  double value = 0;
  for (std::int32_t of = 0; of < kPointsOfWarp; ++of) {
    const std::int32_t p =
        (static_cast<std::int32_t>(blockIdx.x) * (kThreads / 32) + warp) * kPointsOfWarp + of;
    if (p >= view.n) break;
    value += evaluate_point<kCapacity, kWindow>(task, view, pair, p);
  }
  store_part(task, pair, value);
}

/// The same where most points are known: a warp has 32 of them.
template <int kCapacity, bool kWindow>
__global__ void __launch_bounds__(kThreads) sweep_open(Task task) {
  const std::int64_t pair = task.first + blockIdx.y;
  const View view = view_of(task, pair);
  const auto lane = static_cast<std::int32_t>(threadIdx.x % 32);
  const std::int32_t base =
      static_cast<std::int32_t>(blockIdx.x) * kThreads + static_cast<std::int32_t>(threadIdx.x) - lane;
  const std::int64_t at = pair * view.n + base + lane;
  const bool there = base + lane < view.n, known = there && task.found.words[at] != kOpenPoint;
  double value = known ? task.found.local[at] : 0.0;
  for (unsigned open = __ballot_sync(kWholeWarp, there && !known); open != 0; open &= open - 1) {
    const std::int32_t of = __ffs(static_cast<int>(open)) - 1;
    const double local = evaluate_point<kCapacity, kWindow>(task, view, pair, base + of);
    if (lane == of) value = local;
  }
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(kWholeWarp, value, step);
  store_part(task, pair, value);
}

template <int kCapacity>
void launch(CUstream_st* stream, const Task& task, dim3 grid) {
  const bool window = task.options.exclusion.window > 0;
  const auto kernel = task.found.words == nullptr
                          ? (window ? sweep_pairs<kCapacity, true> : sweep_pairs<kCapacity, false>)
                          : (window ? sweep_open<kCapacity, true> : sweep_open<kCapacity, false>);
  kernel<<<grid, kThreads, 0, stream>>>(task);
}

}  // namespace

bool sweep_takes(const Targets& targets, const Pairs& pairs, const Options& options) {
  return options.sweep && pairs.dx == 1 && targets.dy == 1 && targets.dz == 1 && options.algorithm == 1 &&
         options.k <= 8 && options.exclusion.window == options.count_exclusion.window;
}

void sweep(CUstream_st* stream, Workspace& workspace, const Targets& targets, const Pairs& pairs,
           const Options& options, const double* psi, const Outputs& outputs, const Found& found) {
  if (pairs.count == 0 || targets.n == 0) return;
  const Workspace::Frame frame(workspace);
  const std::int32_t n = targets.n;
  const std::int32_t each = found.words == nullptr ? kPointsOfBlock : kThreads;  // of a block
  const std::int32_t blocks = (n + each - 1) / each;
  const std::int32_t padded = n + 2 * kMargin;
  const std::int64_t count = (pairs.count + pairs.sources - 1) / pairs.sources;  // of targets
  float* x = workspace.take<float>(static_cast<std::size_t>(pairs.count * padded)).data();
  float2* plane = workspace.take<float2>(static_cast<std::size_t>(count * padded)).data();
  double* scale = workspace.take<double>(1).data();
  const Values all[] = {{pairs.x, pairs.count * n}, {targets.columns, count * 2 * n}};
  find_scale(stream, workspace, all, scale);
  guess_columns<<<2048, 256, 0, stream>>>(pairs.x, pairs.count, n, padded, scale, x);
  guess_planes<<<1024, 256, 0, stream>>>(targets.columns, count, n, padded, scale, plane);
  Task task{targets,
            pairs,
            options,
            outputs,
            {x, plane, padded},
            psi,
            te::digamma(static_cast<double>(options.k)),
            nullptr,
            0,
            {options.k, selected_faults()},
            found};
  task.partial = workspace.take<double>(static_cast<std::size_t>(pairs.count * blocks)).data();
  constexpr std::int64_t kMostRows = 65'535;  // of a grid
  for (task.first = 0; task.first < pairs.count; task.first += kMostRows) {
    const dim3 grid(static_cast<unsigned>(blocks),
                    static_cast<unsigned>(std::min(kMostRows, pairs.count - task.first)));
    if (options.k > 4)
      launch<8>(stream, task, grid);
    else
      launch<4>(stream, task, grid);
  }
  add_partial(stream, task.partial, blocks, targets, pairs, outputs);
  detail::check(cudaGetLastError(), "windows: sweep: launch");
}

}  // namespace assay::kernels::windows
