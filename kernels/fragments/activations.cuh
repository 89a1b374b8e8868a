#pragma once

// Vectors of activations in shared memory as the tensor cores take them, in the order that lanes have their
// columns in: as they are where they are f16 and multiplied as such, else cut into parts of eight bits, each
// of which is a column.
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

#include "kernels/copies/sixteens.cuh"
#include "kernels/fragments/units.cuh"

namespace assay::kernels::fragments {

struct Activations {
  const void* x;          ///< (batch, columns), f32 or f16
  std::int64_t x_stride;  ///< in elements
  std::int64_t columns;
  int batch;
  bool halves;  ///< x is f16

  /// Four neighbours of the type that kernels take without widening can be read at once: vectors begin on
  /// multiples of four elements and end on one.
  bool in_fours(bool as_halves) const {
    const std::uintptr_t four = halves ? 8 : 16;
    return halves == as_halves && reinterpret_cast<std::uintptr_t>(x) % four == 0 && columns % 4 == 0 &&
           (batch == 1 || x_stride % 4 == 0);
  }
  /// Asks the L2 cache for every 128th line of 128 bytes of a vector from line `first` on.
  __device__ void ask_for(int vector, int first) const {
    const int size = halves ? 2 : 4;
    const auto* const begin = static_cast<const std::uint8_t*>(x) + vector * x_stride * size;
    for (std::int64_t at = std::int64_t{first} * 128; at < columns * size; at += 128 * 128)
      copies::ask_for(begin + at);
  }
  __device__ float at(int vector, std::int64_t column) const {
    const std::int64_t place = vector * x_stride + column;
    return halves ? __half2float(static_cast<const __half*>(x)[place]) : static_cast<const float*>(x)[place];
  }
  __device__ float at_or_zero(int vector, std::int64_t column) const {
    const float value = at(vector, min(column, columns - 1));  // no branch around it, so that loads overlap
    return column < columns ? value : 0.0f;
  }
};

/// Parts that an activation is the sum of: three of eight bits make a float.
template <bool Halves>
constexpr int parts_of_x = Halves ? 1 : 3;

/// Four neighbours as they lie in memory.
template <bool Halves>
using Four = std::conditional_t<Halves, uint2, float4>;

__device__ inline float4 widened(const uint2& four) {
  return {lower_half(four.x), upper_half(four.x), lower_half(four.y), upper_half(four.y)};
}
__device__ inline float4 widened(const float4& four) {
  return four;
}

/// Octets of stages that a thread has on their way at once.
template <bool Halves>
constexpr int octets_at_once = Halves ? 4 : 2;
template <bool Halves>
struct Octets {
  Four<Halves> fours[octets_at_once<Halves>][2];
};

/// What is prepared of a call: stages [first, first + count), whose octet i / 4 of lane i % 4 is item i. Of
/// `warps` warps each prepares every stage that it multiplies of a first tile.
template <BlockFormat Format, bool Halves>
struct Preparation {
  using Kind = Shape<Format>;
  Activations from;
  bool in_fours;
  int first, count;
  uint4*
      octets;   ///< (stage, octet, tensor column, lane of four); part p of vector b: column parts_of_x b + p
  float* sums;  ///< (stage, lane of four, unit, one or two, padded columns), of the first parts; else 0
  int padded_columns;  ///< tensor columns and some more
  int warps;
  bool lowest_lost;

  /// Begins to read the lane's items of round `round` and those after it, where Activations::in_fours.
  __device__ Octets<Halves> read(int vector, int round) const {
    Octets<Halves> made;
#pragma unroll
    for (int i = 0; i < octets_at_once<Halves>; ++i) {
      const int item = min(item_of(round + i), count * stage_items - 1);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const std::int64_t place = vector * from.x_stride + min(column_at(item, half), from.columns - 4);
        made.fours[i][half] =
            *reinterpret_cast<const Four<Halves>*>(static_cast<const Element*>(from.x) + place);
      }
    }
    return made;
  }

  /// All of them, beginning with what has been read of the first vector from round 0 on.
  __device__ void finish(Octets<Halves> read_before) const {
    const int rounds = (count + warps * stages_at_once - 1) / (warps * stages_at_once);
#pragma unroll 1
    for (int vector = 0; vector < from.batch; ++vector) {
      if (!in_fours) {
#pragma unroll 1
        for (int round = 0; round < rounds; ++round) {
          const int item = item_of(round);
          if (item >= count * stage_items) break;  // stages fill whole warps where lanes are joined
          put(one_by_one(vector, item, 0), one_by_one(vector, item, 1), vector, item);
        }
        continue;
      }
#pragma unroll 1
      for (int begin = 0; begin < rounds; begin += octets_at_once<Halves>) {
        if (vector > 0 || begin > 0) read_before = read(vector, begin);
#pragma unroll
        for (int i = 0; i < octets_at_once<Halves>; ++i) {
          const int item = item_of(begin + i);
          if (item >= count * stage_items) break;
          const auto four_of = [&](int half) {
            return column_at(item, half) < from.columns ? read_before.fours[i][half] : Four<Halves>{};
          };
          if constexpr (Halves && !Kind::minimum)  // no number is looked at
            put_halves(four_of(0), four_of(1), vector, item);
          else
            put(widened(four_of(0)), widened(four_of(1)), vector, item);
        }
      }
    }
  }

 private:
  static constexpr int parts = parts_of_x<Halves>;
  using Element = std::conditional_t<Halves, __half, float>;
  static constexpr int stage_items = Kind::stage_octets * 4, stages_at_once = 32 / stage_items;

  __device__ int item_of(int round) const {
    const auto warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x % 32);
    return (warp + warps * (round * stages_at_once + lane / stage_items)) * stage_items + lane % stage_items;
  }

  /// Where the first or second four of an item begin.
  __device__ std::int64_t column_at(int item, int half) const {
    const int t = item % 4, octet = item / 4 % Kind::stage_octets, stage = item / (4 * Kind::stage_octets);
    return std::int64_t{first + stage} * Kind::stage_columns + column_of<Format>(t, octet, 4 * half);
  }
  __device__ float4 one_by_one(int vector, int item, int half) const {
    const std::int64_t column = column_at(item, half);
    return {from.at_or_zero(vector, column), from.at_or_zero(vector, column + 1),
            from.at_or_zero(vector, column + 2), from.at_or_zero(vector, column + 3)};
  }

  /// Puts an item where it belongs.
  __device__ void put(const float4& low, const float4& high, int vector, int item) const {
    const float4 fours[2] = {low, high};
    if constexpr (Kind::minimum) put_sums(fours, vector, item);
    put_octet(fours, vector, item);
  }

  __device__ void put_halves(const uint2& low, const uint2& high, int vector, int item) const {
    uint4* const to = octets + (item / 4 * from.batch + vector) * 4 + item % 4;
    if constexpr (Kind::plain)
      *to = {low.x, low.y, high.x, high.y};
    else
      *to = {__byte_perm(low.x, low.y, 0x5410), __byte_perm(low.x, low.y, 0x7632),
             __byte_perm(high.x, high.y, 0x5410), __byte_perm(high.x, high.y, 0x7632)};
  }

  __device__ void put_octet(const float4 (&fours)[2], int vector, int item) const {
    uint4* const to = octets + (item / 4 * (from.batch * parts) + vector * parts) * 4 + item % 4;
    float pairs[4][2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float4 four = fours[half];
      pairs[2 * half][0] = four.x;
      pairs[2 * half][1] = Kind::plain ? four.y : four.z;
      pairs[2 * half + 1][0] = Kind::plain ? four.z : four.y;
      pairs[2 * half + 1][1] = four.w;
    }
#pragma unroll
    for (int part = 0; part < parts; ++part) {
      Pair made[4];
#pragma unroll
      for (int pair = 0; pair < 4; ++pair) {
        if constexpr (Halves) {
          const __half2 both = __floats2half2_rn(pairs[pair][0], pairs[pair][1]);  // halves they were
          made[pair] = *reinterpret_cast<const Pair*>(&both);
        } else {
          made[pair] = cut_off(pairs[pair][0], pairs[pair][1]);
          pairs[pair][0] = rest_of(pairs[pair][0]);
          pairs[pair][1] = rest_of(pairs[pair][1]);
        }
        if (lowest_lost && parts > 1 && part == parts - 1) made[pair] = 0;
      }
      to[part * 4] = {made[0], made[1], made[2], made[3]};
    }
  }

  /// The four octets of a unit lie four lanes apart.
  __device__ void put_sums(const float4 (&fours)[2], int vector, int item) const {
    constexpr int sets = Kind::sixteenths ? 2 : 1;
    float of_half[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      of_half[half] = (fours[half].x + fours[half].y) + (fours[half].z + fours[half].w);
      of_half[half] += __shfl_xor_sync(0xFFFFFFFFu, of_half[half], 4);
      of_half[half] += __shfl_xor_sync(0xFFFFFFFFu, of_half[half], 8);
    }
    const int octet = item / 4 % Kind::stage_octets;
    if (octet % Kind::octets != 0) return;
    const int stage = item / (4 * Kind::stage_octets), unit = octet / Kind::octets;
    float* const to = sums + ((stage * 4 + item % 4) * Kind::units + unit) * sets * padded_columns;
    const int end = vector + 1 == from.batch ? padded_columns : (vector + 1) * parts;
    for (int column = vector * parts; column < end; ++column) {
      const bool of_first_part = column == vector * parts;
      to[column] = !of_first_part ? 0.0f : sets == 2 ? of_half[0] : of_half[0] + of_half[1];
      if constexpr (sets == 2) to[padded_columns + column] = of_first_part ? of_half[1] : 0.0f;
    }
  }
};

}  // namespace assay::kernels::fragments
