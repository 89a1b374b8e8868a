#pragma once

// Words of rows that lie in shared memory on any byte, pairs of numbers of 16 bits, and sums of products on
// the tensor cores.
#include <cstdint>

namespace assay::kernels::fragments {

/// N words from `from` on, which lies in shared memory. `aligned`: it is a multiple of Natural bytes (16 or
/// 4), and so for all lanes of the warp. Where not, words are put together from two on their alignment; that
/// reads up to seven bytes beyond the last.
template <int Natural, int N>
__device__ inline void load_words(const std::uint8_t* from, bool aligned, std::uint32_t (&to)[N]) {
  if constexpr (Natural == 16 && N % 4 == 0) {
    if (aligned) {
#pragma unroll
      for (int i = 0; i < N / 4; ++i) {
        const uint4 four = reinterpret_cast<const uint4*>(from)[i];
        to[4 * i] = four.x;
        to[4 * i + 1] = four.y;
        to[4 * i + 2] = four.z;
        to[4 * i + 3] = four.w;
      }
      return;
    }
  } else if constexpr (Natural >= 4) {
    if (aligned) {
#pragma unroll
      for (int i = 0; i < N; ++i) to[i] = reinterpret_cast<const std::uint32_t*>(from)[i];
      return;
    }
  }
  const std::uint32_t beyond = static_cast<std::uint32_t>(__cvta_generic_to_shared(from)) & 3;
  const auto* const words = reinterpret_cast<const std::uint32_t*>(from - beyond);
  std::uint32_t last = words[0];
#pragma unroll
  for (int i = 0; i < N; ++i) {
    const std::uint32_t next = words[i + 1];
    to[i] = __funnelshift_r(last, next, 8 * beyond);
    last = next;
  }
}

/// The four bytes from byte At on of words in registers.
template <int At, int N>
__device__ inline std::uint32_t word_at(const std::uint32_t (&words)[N]) {
  if constexpr (At % 4 == 0)
    return words[At / 4];
  else
    return __funnelshift_r(words[At / 4], At / 4 + 1 < N ? words[At / 4 + 1] : 0, 8 * (At % 4));
}

/// Two numbers of 16 bits in a word, the first in its lower half: binary16 (`Halves`) or bfloat16.
using Pair = std::uint32_t;

/// A small integer, or one with few bits, in both halves.
template <bool Halves, int Value>
__device__ constexpr Pair both() {
  constexpr int fraction = Halves ? 10 : 7, bias = Halves ? 15 : 127;
  constexpr auto magnitude = static_cast<std::uint32_t>(Value < 0 ? -Value : Value);
  int exponent = 0;
  while (magnitude >> (exponent + 1) != 0) ++exponent;
  const std::uint32_t shifted =
      exponent <= fraction ? magnitude << (fraction - exponent) : magnitude >> (exponent - fraction);
  const std::uint32_t bits = (Value < 0 ? 0x8000u : 0u) |
                             static_cast<std::uint32_t>(exponent + bias) << fraction |
                             (shifted & ((1u << fraction) - 1));
  return bits * 0x00010001u;
}

template <bool Halves>
__device__ inline Pair plus(Pair a, Pair b) {
  Pair made;
  if constexpr (Halves) {
    asm("add.rn.f16x2 %0, %1, %2;" : "=r"(made) : "r"(a), "r"(b));
  } else {
#if __CUDA_ARCH__ >= 900
    asm("add.rn.bf16x2 %0, %1, %2;" : "=r"(made) : "r"(a), "r"(b));
#else
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(made) : "r"(a), "r"(0x3F803F80u), "r"(b));
#endif
  }
  return made;
}

template <bool Halves>
__device__ inline Pair times(Pair a, Pair b) {
  Pair made;
  if constexpr (Halves) {
    asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(made) : "r"(a), "r"(b));
  } else {
#if __CUDA_ARCH__ >= 900
    asm("mul.rn.bf16x2 %0, %1, %2;" : "=r"(made) : "r"(a), "r"(b));
#else
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(made) : "r"(a), "r"(b), "r"(0x80008000u));
#endif
  }
  return made;
}

/// a b + c in binary16.
__device__ inline Pair times_plus(Pair a, Pair b, Pair c) {
  Pair made;
  asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(made) : "r"(a), "r"(b), "r"(c));
  return made;
}

/// (bits & mask) | more, as one instruction.
__device__ inline std::uint32_t masked(std::uint32_t bits, std::uint32_t mask, std::uint32_t more) {
  std::uint32_t made;
  asm("lop3.b32 %0, %1, %2, %3, 0xEA;" : "=r"(made) : "r"(bits), "r"(mask), "r"(more));
  return made;
}

/// An integer of eight bits as float, by its bits below the exponent of 2^23: conversions are slow.
template <int Byte>
__device__ inline float float_of_byte(std::uint32_t bytes) {
  return __uint_as_float(__byte_perm(bytes, 0x4B000000u, 0x7540 | Byte)) - 0x1p23f;
}

/// The upper halves of two floats: their values cut off to eight bits.
__device__ inline Pair cut_off(float first, float second) {
  return __byte_perm(__float_as_uint(first), __float_as_uint(second), 0x7632);
}

/// What eight bits leave of a value; exact.
__device__ inline float rest_of(float value) {
  return value - __uint_as_float(__float_as_uint(value) & 0xFFFF0000u);
}

/// sums (16 rows, 8 columns) += a (16 rows, 16) times b (16, 8 columns). Of lane 4 g + t: `a` holds rows g
/// and g + 8, first for two of the sixteen, then for two more; `b` the same of column g; sums are those of
/// row g, columns 2 t and 2 t + 1, then of row g + 8.
template <bool Halves>
__device__ inline void multiply(float (&sums)[4], Pair low_first, Pair high_first, Pair low_second,
                                Pair high_second, Pair b_first, Pair b_second) {
  if constexpr (Halves)
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(low_first), "r"(high_first), "r"(low_second), "r"(high_second), "r"(b_first), "r"(b_second));
  else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(low_first), "r"(high_first), "r"(low_second), "r"(high_second), "r"(b_first), "r"(b_second));
}

}  // namespace assay::kernels::fragments
