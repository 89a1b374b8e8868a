// One block a surrogate. A shuffle is a chain of n swaps that one thread must make in order, so everything
// else is taken out of the chain: the draws are made by all threads beforehand, and rows of up to 50,000
// points are swapped in shared memory. A draw that has to be repeated (Lemire's rejection, about once in 2^64
// / n draws) moves all later ones; then one thread does the whole as the host does.
#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/resampling/surrogate_rows.hpp"
#include "kernels/resampling/surrogate_rows_cuda.hpp"
#include "kernels/upload/bytes.hpp"

namespace assay::kernels::resampling {

namespace {

constexpr int kThreads = 128;
constexpr int kDraws = 1024;  ///< made between two rounds of swaps
constexpr std::int32_t kMostInShared = 50'000;

struct Task {
  const std::uint64_t* seeds;
  std::int64_t count;
  std::int32_t n;
  const std::int64_t* trial_lengths;  ///< shifts only
  std::int64_t trials;
  std::int32_t* rows;
#ifdef ASSAY_MUTANTS
  // planted faults
  bool every_the_first = mutant("te.network.cuda_every_surrogate_the_first");
  bool among_the_others = mutant("te.network.cuda_drawn_among_the_others");
  bool from_first_trial = mutant("te.network.cuda_shift_from_first_trial");
#else
  static constexpr bool every_the_first = false, among_the_others = false, from_first_trial = false;
#endif
};

/// Draw number `index` of the stream, for a choice among `among`; false where the draw has to be repeated.
__device__ bool draw(std::uint64_t seed, std::uint64_t stream, std::uint64_t index, std::uint64_t among,
                     std::uint32_t& chosen) {
  // a block of four words holds two draws
  const std::uint64_t block = index / 2;
  const PhiloxBlock words =
      philox({{static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
               static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)}},
             static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
  const int first = static_cast<int>(index % 2) * 2;
  const std::uint64_t bits = words.words[first] | static_cast<std::uint64_t>(words.words[first + 1]) << 32;
  chosen = static_cast<std::uint32_t>(__umul64hi(bits, among));
  return bits * among >= among;  // a low half below `among` may have to be drawn again
}

template <bool kShared>
__global__ void __launch_bounds__(kThreads) permute(Task task) {
  extern __shared__ std::int32_t in_shared[];
  __shared__ std::uint32_t chosen[kDraws];
  __shared__ bool plain;
  std::int32_t* result = task.rows + std::int64_t{blockIdx.x} * task.n;
  std::int32_t* rows = kShared ? in_shared : result;
  const std::uint64_t seed = task.seeds[blockIdx.x / task.count];
  const std::int64_t index = task.every_the_first ? 0 : blockIdx.x % task.count;
  const std::uint64_t stream = surrogate_stream(kPermutationUse, index);
  for (std::int32_t i = static_cast<std::int32_t>(threadIdx.x); i < task.n; i += kThreads) rows[i] = i;
  if (threadIdx.x == 0) plain = true;
  __syncthreads();
  for (std::int32_t done = 0; done < task.n - 1; done += kDraws) {
    const std::int32_t many = min(kDraws, task.n - 1 - done);
    for (std::int32_t i = static_cast<std::int32_t>(threadIdx.x); i < many; i += kThreads)
      if (!draw(seed, stream, static_cast<std::uint64_t>(done + i),
                static_cast<std::uint64_t>(task.n - done - i - (task.among_the_others ? 1 : 0)), chosen[i]))
        plain = false;
    __syncthreads();
    if (threadIdx.x == 0 && plain)
      for (std::int32_t i = 0; i < many; ++i) {
        const std::int32_t last = task.n - 1 - done - i;
        const std::int32_t kept = rows[last];
        rows[last] = rows[chosen[i]];
        rows[chosen[i]] = kept;
      }
    __syncthreads();
  }
  if (threadIdx.x == 0 && !plain) permuted_rows(seed, index, task.n, rows);
  if constexpr (kShared) {
    __syncthreads();
    for (std::int32_t i = static_cast<std::int32_t>(threadIdx.x); i < task.n; i += kThreads)
      result[i] = rows[i];
  }
}

__global__ void __launch_bounds__(kThreads) shift(Task task) {
  if (threadIdx.x != 0) return;
  std::int32_t* rows = task.rows + std::int64_t{blockIdx.x} * task.n;
  std::int64_t begin = 0;
  shift_lags(task.seeds[blockIdx.x / task.count], blockIdx.x % task.count, task.trial_lengths, task.trials,
             [&](std::int64_t trial, std::int64_t lag) {
               const std::int64_t length = task.trial_lengths[trial];
               for (std::int64_t at = 0; at < length; ++at)
                 rows[begin + at] = static_cast<std::int32_t>((task.from_first_trial ? 0 : begin) +
                                                              shifted_row(at, length, lag));
               begin += length;
             });
}

}  // namespace

void surrogate_rows_cuda(CUstream_st* stream, Workspace& workspace, const Draws& draws, std::int32_t n,
                         std::int32_t* rows) {
  const std::int64_t blocks = draws.sources * draws.count;
  if (blocks == 0 || n == 0) return;
  const Workspace::Frame frame(workspace);
  Task task{draws.seeds, draws.count, n, nullptr, 0, rows};
  if (draws.shift) {
    const std::int64_t whole = n;
    const std::span<const std::int64_t> lengths =
        draws.trial_lengths.empty() ? std::span<const std::int64_t>(&whole, 1) : draws.trial_lengths;
    const auto on_device = workspace.take<std::int64_t>(lengths.size());
    upload::upload_cuda<std::int64_t>(stream, on_device, lengths);
    task.trial_lengths = on_device.data();
    task.trials = static_cast<std::int64_t>(lengths.size());
    shift<<<static_cast<unsigned>(blocks), kThreads, 0, stream>>>(task);
  } else if (n <= kMostInShared) {
    const auto bytes = static_cast<int>(sizeof(std::int32_t)) * n;
    detail::check(cudaFuncSetAttribute(permute<true>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                       static_cast<int>(sizeof(std::int32_t)) * kMostInShared),
                  "surrogates: shared memory");
    permute<true><<<static_cast<unsigned>(blocks), kThreads, static_cast<unsigned>(bytes), stream>>>(task);
  } else {
    permute<false><<<static_cast<unsigned>(blocks), kThreads, 0, stream>>>(task);
  }
  detail::check(cudaGetLastError(), "surrogates: launch");
}

}  // namespace assay::kernels::resampling
