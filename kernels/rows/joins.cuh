#pragma once

// Maxima and sums over the elements of a thread, some lanes, a block.
#include "kernels/rows/elements.cuh"

namespace assay::kernels::rows {

template <int Elements>
__device__ float maximum_of(const float (&values)[Elements]) {
  float largest = values[0];
#pragma unroll
  for (int i = 1; i < Elements; ++i) largest = fmaxf(largest, values[i]);
  return largest;  // NaN are passed over here and met again in the sum
}

struct Larger {
  static __device__ float identity() { return minus_infinity(); }
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};
struct Plus {
  static __device__ float identity() { return 0; }
  __device__ float operator()(float a, float b) const { return a + b; }
};

/// Joins a value of each of `Lanes` neighbouring lanes; all of them get the result, the same bits in each.
template <int Lanes, typename Join>
__device__ float join_lanes(float value, Join join) {
#pragma unroll
  for (int distance = Lanes / 2; distance > 0; distance /= 2)
    value = join(value, __shfl_xor_sync(0xFFFFFFFFu, value, distance));
  return value;
}

/// Joins a value of each thread of the block; all get the result. `slots`: 32 floats of shared memory for
/// this call alone. `no_barrier` is a planted fault.
template <typename Join>
__device__ float join_block(float value, float* slots, Join join, bool no_barrier = false) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int warps = static_cast<int>(blockDim.x / 32);
  value = join_lanes<32>(value, join);
  if (lane == 0) slots[threadIdx.x / 32] = value;
  if (!no_barrier) __syncthreads();
  return join_lanes<32>(lane < warps ? slots[lane] : Join::identity(), join);
}

}  // namespace assay::kernels::rows
