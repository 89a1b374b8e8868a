#pragma once

#include <cstdint>

struct CUstream_st;

/// Kernels that only the tests of the runtime launch: they show that what host and device share does the same
/// on both.
namespace assay::kernels::runtime_probe {

/// What one generator draws, in this order, so that host and device can be held against each other.
struct Draws {
  std::uint32_t word;
  std::uint64_t long_word;
  double uniform;
  float uniform_float;
  double normal;
  std::uint64_t below;  ///< of 1000003
  std::int64_t permutation[8];
  std::uint16_t half;      ///< the uniform float minus a half, as binary16
  std::uint16_t bfloat16;  ///< the same as bfloat16
};

#ifdef ASSAY_HAVE_CUDA
/// draws[i] from Philox(seed, i); all pointers in device memory. Throws nothing; the launch's error is
/// returned as the runtime's code (0 is success).
int draw(CUstream_st* stream, std::uint64_t seed, Draws* draws, int count);

/// Writes `status` into a status word from the device.
int report_status(CUstream_st* stream, std::uint32_t* word, std::uint32_t status);

/// Reads through an invalid address: a sticky error for whoever synchronises next.
int fault(CUstream_st* stream);
#endif

}  // namespace assay::kernels::runtime_probe
