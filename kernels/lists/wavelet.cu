// Wavelet matrices, a block each (wavelet.cuh).
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/lists/wavelet.cuh"
#include "kernels/lists/wavelet.hpp"

namespace assay::kernels::lists {

namespace {

constexpr unsigned kWholeWarp = 0xFFFFFFFFu;
constexpr int kThreads = 1024;
constexpr int kWarps = kThreads / 32;
constexpr std::int32_t kOfWarp = 4;  ///< words that a warp makes at a time
constexpr std::int32_t kChunk = kThreads * kOfWarp;

/// One level: the words of a bit, and the values parted by it.
__device__ void part(const std::uint32_t* from, std::uint32_t* to, std::int32_t n, int bit, uint2* words,
                     std::int32_t (&ones)[2][kWarps]) {
  const auto warp = static_cast<std::int32_t>(threadIdx.x / 32),
             lane = static_cast<std::int32_t>(threadIdx.x % 32);
  const std::int32_t zeros = wavelet_zeros(n, bit);
  std::int32_t before = 0;  // ones before the chunk
  int turn = 0;
  for (std::int32_t chunk = 0; chunk <= n; chunk += kChunk, turn ^= 1) {
    const std::int32_t first = chunk + warp * 32 * kOfWarp;
    std::uint32_t values[kOfWarp];
    unsigned bits[kOfWarp];
    std::int32_t own = 0;
#pragma unroll
    for (int u = 0; u < kOfWarp; ++u) {
      const std::int32_t place = first + 32 * u + lane;
      values[u] = place < n ? from[place] : 0u;
    }
#pragma unroll
    for (int u = 0; u < kOfWarp; ++u) {
      bits[u] = __ballot_sync(kWholeWarp, (values[u] >> bit & 1u) != 0);
      own += __popc(bits[u]);
    }
    if (lane == 0) ones[turn][warp] = own;
    // one barrier a chunk: the other row of `ones` may still be read
    __syncthreads();
    std::int32_t until = ones[turn][lane];
    for (int step = 1; step < 32; step *= 2) {
      const std::int32_t other = __shfl_up_sync(kWholeWarp, until, step);
      if (lane >= step) until += other;
    }
    const std::int32_t all = __shfl_sync(kWholeWarp, until, 31);
    std::int32_t held = before + __shfl_sync(kWholeWarp, until, warp) - own;
#pragma unroll
    for (int u = 0; u < kOfWarp; ++u) {
      const std::int32_t place = first + 32 * u + lane;
      if (lane == 0 && first + 32 * u <= n)
        words[(first + 32 * u) / 32] = make_uint2(bits[u], static_cast<unsigned>(held));
      if (place < n && to != nullptr) {
        const std::int32_t rank = held + __popc(bits[u] & ((1u << lane) - 1u));
        to[(bits[u] >> lane & 1u) != 0 ? zeros + rank : place - rank] = values[u];
      }
      held += __popc(bits[u]);
    }
    before += all;
  }
}

__global__ void __launch_bounds__(kThreads)
    build(const std::uint32_t* values, std::int32_t n, std::uint32_t* spare, uint2* words) {
  __shared__ std::int32_t ones[2][kWarps];
  const std::int64_t of = blockIdx.x;
  const int levels = wavelet_levels(n);
  const std::uint32_t* from = values + of * n;
  std::uint32_t* other[2] = {spare + of * 2 * n, spare + (of * 2 + 1) * n};
  for (int level = 0; level < levels; ++level) {
    std::uint32_t* to = level + 1 < levels ? other[level % 2] : nullptr;
    part(from, to, n, levels - 1 - level,
         words + of * wavelet_words(n) + level * std::int64_t{wavelet_row(n)}, ones);
    __syncthreads();
    from = to;
  }
}

}  // namespace

void build_wavelets(CUstream_st* stream, const std::uint32_t* values, std::int64_t count, std::int32_t n,
                    std::uint32_t* spare, uint2* words) {
  build<<<static_cast<unsigned>(count), kThreads, 0, stream>>>(values, n, spare, words);
  detail::check(cudaGetLastError(), "lists: wavelets: launch");
}

}  // namespace assay::kernels::lists
