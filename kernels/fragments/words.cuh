#pragma once

// Words of rows that lie in shared memory on any byte, and sums of products on the tensor cores.
#include <cstdint>

namespace assay::kernels::fragments {

/// Bytes in shared memory from any address on, read a word at a time: as two words on their alignment. `At`
/// is known when compiling, so that an address and a shift serve all offsets that are equal modulo 4. Reads
/// up to 7 bytes beyond a word.
class Words {
 public:
  __device__ explicit Words(const std::uint8_t* from) : bytes_(from) {
    const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(from));
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t beyond = (address + i) & 3;
      aligned_[i] = reinterpret_cast<const std::uint32_t*>(from + i - beyond);
      shift_[i] = 8 * beyond;
    }
  }
  /// The same `count` bytes further on, a multiple of 4.
  __device__ Words behind(int count) const {
    Words made = *this;
    made.bytes_ += count;
#pragma unroll
    for (int i = 0; i < 4; ++i) made.aligned_[i] += count / 4;
    return made;
  }
  template <int At>
  __device__ std::uint32_t word() const {
    const std::uint32_t* const from = aligned_[At % 4] + At / 4;
    return __funnelshift_r(from[0], from[1], shift_[At % 4]);
  }
  template <int At>
  __device__ std::uint32_t byte() const {
    return bytes_[At];
  }

 private:
  const std::uint8_t* bytes_;
  const std::uint32_t* aligned_[4];
  std::uint32_t shift_[4];
};

/// Two bfloat16 in a word, the first in its lower half.
using Pair = std::uint32_t;

__device__ inline Pair plus(Pair a, Pair b) {
  Pair made;
#if __CUDA_ARCH__ >= 900
  asm("add.rn.bf16x2 %0, %1, %2;" : "=r"(made) : "r"(a), "r"(b));
#else
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(made) : "r"(a), "r"(0x3F803F80u), "r"(b));
#endif
  return made;
}

__device__ inline Pair times(Pair a, Pair b) {
  Pair made;
#if __CUDA_ARCH__ >= 900
  asm("mul.rn.bf16x2 %0, %1, %2;" : "=r"(made) : "r"(a), "r"(b));
#else
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(made) : "r"(a), "r"(b), "r"(0x80008000u));
#endif
  return made;
}

/// (bits & mask) | more, as one instruction.
__device__ inline std::uint32_t masked(std::uint32_t bits, std::uint32_t mask, std::uint32_t more) {
  std::uint32_t made;
  asm("lop3.b32 %0, %1, %2, %3, 0xEA;" : "=r"(made) : "r"(bits), "r"(mask), "r"(more));
  return made;
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
__device__ inline void multiply(float (&sums)[4], Pair low_first, Pair high_first, Pair low_second,
                                Pair high_second, Pair b_first, Pair b_second) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(low_first), "r"(high_first), "r"(low_second), "r"(high_second), "r"(b_first), "r"(b_second));
}

}  // namespace assay::kernels::fragments
