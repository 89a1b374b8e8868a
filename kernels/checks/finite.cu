// One pass over the values, neighbours side by side, four of a thread on their way at once. The blocks are
// few enough to be resident together, so that small arrays cost one short launch and large ones the read
// alone.
#include <algorithm>

#include "engine/runtime/status_word.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/checks/finite.hpp"

namespace assay::kernels::checks {

namespace {

constexpr int threads = 256;
constexpr int at_once = 4;

__global__ void __launch_bounds__(threads)
    find_not_finite(const double* __restrict__ values, std::int64_t count, volatile std::uint32_t* status) {
  bool found = false;
  const std::int64_t step = std::int64_t{gridDim.x} * threads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < count; i += at_once * step) {
    double held[at_once];
#pragma unroll
    for (int k = 0; k < at_once; ++k) held[k] = i + k * step < count ? values[i + k * step] : 0.0;
#pragma unroll
    for (int k = 0; k < at_once; ++k) found = found || !isfinite(held[k]);
  }
  if (found) *status = static_cast<std::uint32_t>(DeviceStatus::value_out_of_range);
}

}  // namespace

void check_finite_cuda(CUstream_st* stream, const double* values, std::int64_t count, std::uint32_t* status) {
  if (count <= 0) return;
  const std::int64_t blocks = (count + threads * at_once - 1) / (threads * at_once);
  find_not_finite<<<static_cast<unsigned>(std::min<std::int64_t>(blocks, 1024)), threads, 0, stream>>>(
      values, count, status);
  detail::check(cudaGetLastError(), "check_finite_cuda: launch");
}

}  // namespace assay::kernels::checks
