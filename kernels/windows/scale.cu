#include "kernels/windows/scale.hpp"

#include "engine/runtime/with_cuda_check.hpp"
#include "engine/runtime/workspace.hpp"

namespace assay::kernels::windows {

namespace {

__global__ void start(int* exponent) {
  *exponent = INT_MIN;
}

__global__ void raise(const double* values, std::int64_t count, int* exponent) {
  int largest = INT_MIN;
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < count;
       i += std::int64_t{gridDim.x} * blockDim.x)
    if (values[i] != 0.0) largest = max(largest, ilogb(values[i]));
  largest = __reduce_max_sync(0xFFFFFFFFu, largest);
  if (threadIdx.x % 32 == 0 && largest != INT_MIN) atomicMax(exponent, largest);
}

__global__ void store(const int* exponent, double* scale) {
  const int e = *exponent == INT_MIN ? 0 : *exponent;
  *scale = scalbn(1.0, -max(e, -1022));
}

}  // namespace

void find_scale(CUstream_st* stream, Workspace& workspace, std::span<const Values> values, double* scale) {
  const Workspace::Frame frame(workspace);
  int* exponent = workspace.take<int>(1).data();
  start<<<1, 1, 0, stream>>>(exponent);
  for (const Values& part : values) raise<<<1024, 256, 0, stream>>>(part.first, part.count, exponent);
  store<<<1, 1, 0, stream>>>(exponent, scale);
  detail::check(cudaGetLastError(), "windows: scale: launch");
}

}  // namespace assay::kernels::windows
