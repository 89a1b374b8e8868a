#pragma once

#include <cstdint>

struct CUstream_st;

namespace assay::kernels::clock {

/// A multiprocessor's cycle counter and the device's clock at about the same moment.
struct ClockReading {
  std::int64_t cycles = 0;
  std::uint64_t nanoseconds = 0;
  std::uint32_t multiprocessor = 0;
};

/// Puts the reading of multiprocessor 0 into `to`, in device memory or pinned memory, when the stream comes
/// to it.
void read_clock(CUstream_st* stream, ClockReading* to);

}  // namespace assay::kernels::clock
