#include "kernels/runtime_probe/philox.hpp"

#include "kernels/runtime_probe/draws.hpp"

namespace assay::kernels::runtime_probe {

namespace {

__global__ void draw_kernel(std::uint64_t seed, Draws* draws, int count) {
  const int index = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (index < count) draws[index] = draw_all(seed, static_cast<std::uint64_t>(index));
}

__global__ void report_kernel(volatile std::uint32_t* word, std::uint32_t status) {
  *word = status;
}

__global__ void fault_kernel(volatile std::uint32_t* address) {
  *address = 1;
}

}  // namespace

int draw(CUstream_st* stream, std::uint64_t seed, Draws* draws, int count) {
  draw_kernel<<<(count + 127) / 128, 128, 0, stream>>>(seed, draws, count);
  return static_cast<int>(cudaGetLastError());
}

int report_status(CUstream_st* stream, std::uint32_t* word, std::uint32_t status) {
  report_kernel<<<1, 1, 0, stream>>>(word, status);
  return static_cast<int>(cudaGetLastError());
}

int fault(CUstream_st* stream) {
  fault_kernel<<<1, 1, 0, stream>>>(reinterpret_cast<std::uint32_t*>(std::uintptr_t{16}));
  return static_cast<int>(cudaGetLastError());
}

}  // namespace assay::kernels::runtime_probe
