#pragma once

// Vectors of activations in shared memory as the tensor cores take them: cut into parts of eight bits, each
// of which is a column, in the order that codes have in a unit.
#include <cuda_fp16.h>

#include <cstdint>

#include "kernels/fragments/units.cuh"

namespace assay::kernels::fragments {

struct Activations {
  const void* x;          ///< (batch, columns), f32 or f16
  std::int64_t x_stride;  ///< in elements
  std::int64_t columns;
  int batch;
  bool halves;  ///< x is f16

  /// Parts that an activation is the sum of: three of eight bits make a float, two a binary16.
  __host__ __device__ int parts() const { return halves ? 2 : 3; }
  /// Columns that the tensor cores multiply with: part p of vector b is column parts() b + p.
  __host__ __device__ int tensor_columns() const { return batch * parts(); }

  __device__ float at(int vector, std::int64_t column) const {
    if (column >= columns) return 0;
    const std::int64_t place = vector * x_stride + column;
    return halves ? __half2float(static_cast<const __half*>(x)[place]) : static_cast<const float*>(x)[place];
  }
};

/// Puts the units [first, first + count) into `pairs` (unit, tensor column, four lanes) and the sums of the
/// two sixteens of a unit, or of all of it, into `sums` (unit, one or two, tensor columns rounded up to
/// eight): the sum in the column of the first part, 0 in the others. By all threads of a block.
template <BlockFormat Format>
__device__ void prepare(const Activations& from, std::int64_t first, int count, uint4* pairs, float* sums,
                        int padded_columns, bool lowest_lost) {
  const int parts = from.parts(), columns = from.tensor_columns();
  const int items = count * from.batch * 4;
  // Whole warps, so that the four lanes of a unit can add up what they have.
  for (int item = static_cast<int>(threadIdx.x); item < (items + 31) / 32 * 32;
       item += static_cast<int>(blockDim.x)) {
    const int t = item % 4, unit = item / 4 % count, vector = min(item / 4 / count, from.batch - 1);
    float values[8];
#pragma unroll
    for (int slot = 0; slot < 8; ++slot)
      values[slot] = from.at(vector, (first + unit) * unit_columns + column_of<Format>(t, slot));
    if constexpr (Shape<Format>::minimum) {
      float sum[2] = {(values[0] + values[1]) + (values[2] + values[3]),
                      (values[4] + values[5]) + (values[6] + values[7])};
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        sum[half] += __shfl_xor_sync(0xFFFFFFFFu, sum[half], 1);
        sum[half] += __shfl_xor_sync(0xFFFFFFFFu, sum[half], 2);
      }
      if (item < items && t < parts) {
        float* const to =
            sums + unit * (Shape<Format>::sixteenths ? 2 : 1) * padded_columns + vector * parts + t;
        if constexpr (Shape<Format>::sixteenths) {
          to[0] = t == 0 ? sum[0] : 0.0f;
          to[padded_columns] = t == 0 ? sum[1] : 0.0f;
        } else {
          to[0] = t == 0 ? sum[0] + sum[1] : 0.0f;
        }
      }
    }
    if (item >= items) continue;
    for (int part = 0; part < parts; ++part) {
      uint4 made = {cut_off(values[0], values[1]), cut_off(values[2], values[3]),
                    cut_off(values[4], values[5]), cut_off(values[6], values[7])};
      if (lowest_lost && part == parts - 1) made = {0, 0, 0, 0};
      pairs[(unit * columns + vector * parts + part) * 4 + t] = made;
#pragma unroll
      for (int slot = 0; slot < 8; ++slot) values[slot] = rest_of(values[slot]);
    }
  }
}

}  // namespace assay::kernels::fragments
