#include "kernels/clock/read_clock.hpp"

#include "engine/runtime/with_cuda_check.hpp"

namespace assay::kernels::clock {

namespace {

// Cycle counters of two multiprocessors do not compare: one block for each, and only that of the first one
// writes. Blocks are not promised to be spread out; where none comes to the first one, `to` keeps what it
// held.
__global__ void read(ClockReading* to) {
  std::uint32_t multiprocessor;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(multiprocessor));
  if (multiprocessor != 0) return;
  std::uint64_t nanoseconds;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(nanoseconds));
  *to = {clock64(), nanoseconds, multiprocessor};
}

}  // namespace

void read_clock(CUstream_st* stream, ClockReading* to) {
  int device = 0, multiprocessors = 0;
  detail::check(cudaGetDevice(&device), "clock: device");
  detail::check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
                "clock: multiprocessors");
  read<<<static_cast<unsigned>(multiprocessors), 1, 0, stream>>>(to);
  detail::check(cudaGetLastError(), "clock: launch");
}

}  // namespace assay::kernels::clock
