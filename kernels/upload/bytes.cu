#include <algorithm>
#include <cstdint>
#include <cstring>

#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/upload/bytes.hpp"

namespace assay::kernels::upload {

namespace {

constexpr std::size_t words_at_once = 960;  // every device takes 4 KB of arguments

struct Words {
  std::uint32_t held[words_at_once];
};

__global__ void __launch_bounds__(words_at_once)
    store_words(std::uint32_t* to, const __grid_constant__ Words words, int count) {
  const int i = static_cast<int>(threadIdx.x);
  if (i < count) to[i] = words.held[i];
}

}  // namespace

void upload_cuda(CUstream_st* stream, void* to, const void* from, std::size_t bytes) {
  const std::size_t count = bytes / sizeof(std::uint32_t);
  for (std::size_t first = 0; first < count; first += words_at_once) {
    const std::size_t here = std::min(words_at_once, count - first);
    Words words;
    std::memcpy(words.held, static_cast<const std::byte*>(from) + first * sizeof(std::uint32_t),
                here * sizeof(std::uint32_t));
    store_words<<<1, static_cast<unsigned>((here + 31) / 32 * 32), 0, stream>>>(
        static_cast<std::uint32_t*>(to) + first, words, static_cast<int>(here));
  }
  detail::check(cudaGetLastError(), "upload_cuda: launch");
}

}  // namespace assay::kernels::upload
