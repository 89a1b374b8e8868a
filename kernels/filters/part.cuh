#pragma once

// What one block holds of a row: logits in shared memory, by rising id, each warp a segment of neighbours. A
// token that has been dropped is a NaN, which is above and below nothing.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>

#include "kernels/distribution/transforms.hpp"
#include "kernels/distribution/weight.hpp"
#include "kernels/filters/faults.cuh"
#include "kernels/filters/peers.cuh"
#include "kernels/rows/elements.cuh"

namespace assay::kernels::filters {

__device__ inline float dropped() {
  return __int_as_float(static_cast<int>(0xFFFFFFFFu));
}
__device__ inline bool is_left(float logit) {
  return logit == logit;
}

/// Greater logits have greater keys, what is dropped has 0. No -0 comes here.
__device__ inline std::uint32_t key_of(float logit) {
  const auto bits = static_cast<std::uint32_t>(__float_as_int(logit));
  return bits ^ ((bits & 0x80000000u) != 0 ? 0xFFFFFFFFu : 0x80000000u);
}
__device__ inline float logit_of(std::uint32_t key) {
  return __int_as_float(static_cast<int>(key ^ ((key & 0x80000000u) != 0 ? 0x80000000u : 0xFFFFFFFFu)));
}

constexpr int tile = 128;  ///< tokens that a warp looks at at once, four neighbours a lane

/// Tokens a block holds: segments of a multiple of 4, so that lanes take 16 bytes.
constexpr std::int64_t segment_of(std::int64_t tokens, int blocks) {
  const std::int64_t each = (tokens + blocks * block_warps - 1) / (blocks * block_warps);
  // A block begins on a whole word of a mask: 16 segments of a multiple of 4 are a multiple of 64.
  return (each + 3) / 4 * 4;
}

struct Part {
  float* values;  ///< block_warps segments
  int segment;
  int first;  ///< id of this block's first token

  __device__ int start() const { return static_cast<int>(threadIdx.x / 32) * segment; }

  /// body(position in `values`, four logits) for each four of the warp's segment; lanes beyond its end are
  /// handed what is dropped. All lanes take part in every call, which comes in the order of ids.
  template <typename Body>
  __device__ void walk(Body body) const {
    const int lane = static_cast<int>(threadIdx.x % 32);
    const float* const mine = values + start();
    for (int begin = 0; begin < segment; begin += tile) {
      const int at = begin + 4 * lane;
      float four[4] = {dropped(), dropped(), dropped(), dropped()};
      if (at < segment) {
        const float4 held = *reinterpret_cast<const float4*>(mine + at);
        four[0] = held.x;
        four[1] = held.y;
        four[2] = held.z;
        four[3] = held.w;
      }
      body(start() + at, four);
    }
  }

  /// The same, and what has become of the four is written back.
  template <typename Body>
  __device__ void change(Body body) const {
    float* const mine = values;
    const int end = start() + segment;
    walk([&](int at, float(&four)[4]) {
      body(at, four);
      if (at < end) *reinterpret_cast<float4*>(mine + at) = {four[0], four[1], four[2], four[3]};
    });
  }
};

/// The row that the cluster works on.
struct RowState {
  float maximum;  ///< of what is left; -Inf where nothing can be drawn
  int count;      ///< left
};

/// Joins count and maximum: the count in the upper half of a word, the key in the lower.
struct CountAndMaximum {
  __device__ Word operator()(Word a, Word b) const {
    const Word most = max(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
    return ((a >> 32) + (b >> 32)) << 32 | most;
  }
};

__device__ inline Word count_and_maximum(const float (&four)[4], Word so_far) {
#pragma unroll
  for (int i = 0; i < 4; ++i)
    so_far = CountAndMaximum()(so_far, is_left(four[i]) ? Word{1} << 32 | key_of(four[i]) : 0);
  return so_far;
}

__device__ inline RowState state_of(Word joined) {
  const auto key = static_cast<std::uint32_t>(joined);
  return {key == 0 ? rows::minus_infinity() : logit_of(key), static_cast<int>(joined >> 32)};
}

/// Looks at what is left again.
__device__ inline RowState refresh(const Part& part, Peers& peers) {
  Word held = 0;
  part.walk([&](int, const float(&four)[4]) { held = count_and_maximum(four, held); });
  return state_of(peers.join(held, CountAndMaximum(), 0));
}

/// Four neighbours, all there, of a row that is read by fours.
template <typename T>
__device__ void read_whole(float (&four)[4], const T* from) {
  if constexpr (sizeof(T) == 4) {
    const float4 held = __ldcs(reinterpret_cast<const float4*>(from));
    four[0] = held.x;
    four[1] = held.y;
    four[2] = held.z;
    four[3] = held.w;
  } else {
    struct alignas(8) Pack {
      T elements[4];
    };
    const auto pack = __builtin_bit_cast(Pack, __ldcs(reinterpret_cast<const uint2*>(from)));
#pragma unroll
    for (int i = 0; i < 4; ++i) four[i] = rows::widen(pack.elements[i]);
  }
}

template <typename T>
__device__ void read_four(float (&four)[4], const T* from, int readable, bool aligned) {
  if (aligned && readable >= 4) return read_whole(four, from);
#pragma unroll
  for (int i = 0; i < 4; ++i) four[i] = i < readable ? rows::widen(from[i]) : dropped();
}

/// What is read of a row's logits.
template <typename T>
struct Source {
  const T* row;
  const std::uint32_t* mask;  ///< the row's words, or nullptr
  int tokens;
  bool aligned;       ///< the row begins on a multiple of four elements
  float temperature;  ///< divides each logit at once; 0: not
};

/// Fills the part: NaN becomes -Inf and -0 becomes +0; what the mask forbids, and what lies beyond the row,
/// is dropped. Returns count and maximum of this thread's.
template <typename T>
__device__ Word load(const Part& part, const Peers& peers, const Source<T>& source, Faults faults) {
  constexpr int at_once = 4;  // tiles on their way
  const int lane = peers.lane();
  int count = 0;
  float most = rows::minus_infinity();  // a NaN is passed over
  const int tokens =
      faults(Fault::last_token_dropped) && source.tokens > 1 ? source.tokens - 1 : source.tokens;
  for (int begin = 0; begin < part.segment; begin += at_once * tile) {
    float four[at_once][4];
#pragma unroll
    for (int k = 0; k < at_once; ++k) {
      const int at = begin + k * tile + 4 * lane;
      const int id = part.first + part.start() + at;
      const int readable = at < part.segment ? tokens - id : 0;
      read_four(four[k], source.row + id, readable, source.aligned);
    }
#pragma unroll
    for (int k = 0; k < at_once; ++k) {
      const int at = begin + k * tile + 4 * lane;
      const int id = part.first + part.start() + at;
      std::uint32_t allowed = 0xFu;
      // Four neighbours from a multiple of four are in one word.
      if (source.mask != nullptr && id < tokens && !faults(Fault::mask_ignored))
        allowed = source.mask[id / 32] >> (id % 32);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        float value = four[k][i];
        if (!is_left(value) && faults(Fault::nan_largest)) value = __int_as_float(0x7F800000);
        const bool minus_zero = faults(Fault::minus_zero_less) && value == 0 && signbit(value);
        value = distribution::canonical(value);
        if (minus_zero) value = -1e-30f;
        if (source.temperature > 0) {
          value = distribution::with_temperature(value, source.temperature);
          if (faults(Fault::temperature_twice))
            value = distribution::with_temperature(value, source.temperature);
        }
        four[k][i] = id + i < tokens && (allowed >> i & 1u) != 0 ? value : dropped();
      }
      if (at < part.segment) {
        *reinterpret_cast<float4*>(part.values + part.start() + at) = {four[k][0], four[k][1], four[k][2],
                                                                       four[k][3]};
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          count += is_left(four[k][i]) ? 1 : 0;
          most = fmaxf(most, four[k][i]);
        }
      }
    }
  }
  return count == 0 ? 0 : static_cast<Word>(count) << 32 | key_of(most);
}

/// exp(maximum - logit) as an integer; 0 for what is dropped.
__device__ inline Word weight_under(float maximum, float logit, Faults faults) {
  if (faults(Fault::single_precision_weight) && isfinite(maximum) && is_left(logit))
    return static_cast<Word>(0x1p45f * expf(logit - maximum));
  return distribution::weight_of(maximum, logit);
}

/// The weights of all that is left.
__device__ inline Word total_of(const Part& part, Peers& peers, float maximum, Faults faults) {
  Word sum = 0;
  part.walk([&](int, const float(&four)[4]) {
#pragma unroll
    for (int i = 0; i < 4; ++i) sum += weight_under(maximum, four[i], faults);
  });
  return peers.join(sum, Sum(), 0);
}

}  // namespace assay::kernels::filters
