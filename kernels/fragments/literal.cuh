#pragma once

// A row's products one after the other, from device memory, for rows and vectors with infinities and NaN:
// there the order of operations decides what a result is, and IEEE 754 speaks of single products.
#include <cstdint>

#include "kernels/blocks/decode.hpp"
#include "kernels/fragments/activations.cuh"

namespace assay::kernels::fragments {

template <BlockFormat Format>
__device__ float weight_at(const std::uint8_t* row, std::int64_t column) {
  using Kind = Shape<Format>;
  if constexpr (Kind::plain) {
    const std::uint8_t* const bytes = row + column * Kind::block_bytes;
    if constexpr (Format == BlockFormat::f32) return __uint_as_float(blocks::word<1>(bytes));
    const std::uint16_t bits = blocks::two_bytes<1>(bytes);
    return Format == BlockFormat::f16 ? blocks::binary16(bits) : __uint_as_float(std::uint32_t{bits} << 16);
  } else {
    const int at = static_cast<int>(column % Kind::length);
    const blocks::Four four =
        blocks::four_of<Format, 1>(row + column / Kind::length * Kind::block_bytes, at / 4 * 4);
    return at % 2 == 0 ? (at % 4 == 0 ? four.values[0] : four.values[2])
                       : (at % 4 == 1 ? four.values[1] : four.values[3]);
  }
}

/// The sum of a row's products with a vector; all lanes of the warp take part and get it.
template <BlockFormat Format>
__device__ float literal_product(const std::uint8_t* row, const Activations& x, int vector) {
  float total = 0;
  // 256 columns and then those sums, so that long rows keep their accuracy.
  for (std::int64_t first = 0; first < x.columns; first += 256) {
    float sum = 0;
    for (std::int64_t column = first + threadIdx.x % 32; column < min(first + 256, x.columns); column += 32)
      sum += weight_at<Format>(row, column) * x.at(vector, column);
    total += sum;
  }
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) total += __shfl_xor_sync(0xFFFFFFFFu, total, distance);
  return total;
}

}  // namespace assay::kernels::fragments
