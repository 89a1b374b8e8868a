#pragma once

// Blocks of 32 elements from floats: the scale of a block, and the code of an element by it. Host and device
// run the same lines; what uses them is compiled without fused multiply-add (CMakeLists.txt), because the
// formats are defined by single operations in single precision (engine/quant/quantize.hpp).

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/runtime/host_device.hpp"
#include "engine/tensors/block_format.hpp"
#include "engine/tensors/half.hpp"
#include "kernels/blocks/encode_faults.hpp"
#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

namespace assay::kernels::blocks {

/// Facts of a format, as constants: device code cannot call what is only constexpr.
template <BlockFormat Format>
struct Encoding {
  /// Whether the scale is made of the element of largest magnitude (else of the least and the most).
  static constexpr bool by_peak = layout_of(Format).minimum_at < 0;
  /// The largest code of four or five bits.
  static constexpr int top = Format == BlockFormat::q5_0 || Format == BlockFormat::q5_1 ? 31 : 15;
  /// The code of 0, where codes do not count from a minimum.
  static constexpr float zero = Format == BlockFormat::q4_0 ? 8 : Format == BlockFormat::q5_0 ? 16 : 0;
  /// Where the fifth bits stand in a block; -1: there are none.
  static constexpr int fifths_at = Format == BlockFormat::q5_0 ? 2 : Format == BlockFormat::q5_1 ? 4 : -1;
  /// Where the codes begin.
  static constexpr int codes_at =
      Format == BlockFormat::mxfp4 ? 1 : (by_peak ? 2 : 4) + (fifths_at < 0 ? 0 : 4);
};

/// The first element of the largest magnitude. A NaN is none: it fails the comparison.
struct Peak {
  float magnitude = 0, value = 0;
};
ASSAY_HOST_DEVICE inline Peak joined(Peak first, Peak second, const EncodeFaults& faults) {
  const bool later = faults.last_of_equals ? second.magnitude >= first.magnitude && second.magnitude > 0
                                           : second.magnitude > first.magnitude;
  return later ? second : first;
}
ASSAY_HOST_DEVICE inline Peak peak_of(float x) {
  const float magnitude = fabsf(x);
  return magnitude > 0 ? Peak{magnitude, x} : Peak{};
}

/// The first of the least elements and the first of the largest, NaN left out.
struct Range {
  float least = FLT_MAX, most = -FLT_MAX;
};
ASSAY_HOST_DEVICE inline Range joined(Range first, Range second, const EncodeFaults&) {
  return {second.least < first.least ? second.least : first.least,
          second.most > first.most ? second.most : first.most};
}
ASSAY_HOST_DEVICE inline Range range_of(float x) {
  return {x < FLT_MAX ? x : FLT_MAX, x > -FLT_MAX ? x : -FLT_MAX};
}

/// What a block's codes are made by, and its scales as they are stored.
struct Scale {
  float reciprocal = 0;   ///< MXFP4: the half step, 2^(e - 128)
  float minimum = 0;      ///< what codes count from, where the format has one
  std::uint16_t d = 0;    ///< binary16; MXFP4: the exponent e
  std::uint16_t m = 0;    ///< binary16
  bool all_zero = false;  ///< MXFP4 of an infinity
};

/// Rounded to binary16; a NaN has one pattern on every backend.
ASSAY_HOST_DEVICE inline std::uint16_t half_bits(float value) {
  if (value != value) return 0x7E00;
#ifdef __CUDA_ARCH__
  return __half_as_ushort(__float2half_rn(value));  // one instruction
#else
  return to_half(value).bits;
#endif
}

ASSAY_HOST_DEVICE inline float reciprocal_of(float d) {
  return d != 0 ? 1.0f / d : 0.0f;  // also of a NaN
}

/// The largest integer not above the logarithm to base 2, that rounded to float before, as log2f of a
/// correctly rounding library is: just below 2^k it gives k. A positive finite number.
ASSAY_HOST_DEVICE inline int floor_of_log2(float x, const EncodeFaults& faults) {
  std::uint32_t bits = detail::bits_of(x);
  int shifted = 0;
  while (bits < 0x00800000u) {  // a subnormal, as if it had an exponent of its own
    bits <<= 1;
    ++shifted;
  }
  const int exponent = static_cast<int>(bits >> 23) - 127 - shifted;
  const int next = exponent + 1;
  // x = 2^next (1 - below 2^-24); its logarithm is next - below 2^-24 / ln 2 and a little less. It rounds to
  // next where that is within half the spacing of floats below next: 2^(p - 24) where 2^p is the largest
  // power below next (or not above -next). `below` is therefore held to 2^p ln 2.
  const std::uint32_t below = 0x01000000u - ((bits & 0x007FFFFFu) | 0x00800000u);
  if (below > 88 || faults.mxfp4_log_not_rounded) return exponent;  // 2^7 ln 2: no exponent is beyond 149
  const int reach = next > 0 ? next - 1 : -next;
  int power = 1;
  while (2 * power <= reach) power *= 2;
  const bool rounds_up = reach > 0 && static_cast<float>(below) <= 0.6931f * static_cast<float>(power);
  return rounds_up ? next : exponent;
}

template <BlockFormat Format>
ASSAY_HOST_DEVICE inline Scale scale_of(Peak peak, const EncodeFaults& faults) {
  Scale scale;
  if (faults.sign_of_peak_lost) peak.value = peak.magnitude;
  if constexpr (Format == BlockFormat::mxfp4) {
    scale.all_zero = peak.magnitude > FLT_MAX;
    if (peak.magnitude == 0 || scale.all_zero) {
      scale.reciprocal = detail::float_of(0x00200000u);
      return scale;
    }
    int exponent = floor_of_log2(peak.magnitude, faults) - 2 + 127;
    if (faults.mxfp4_scale_of_six &&
        peak.magnitude > 1.5f * detail::float_of(static_cast<std::uint32_t>(exponent + 2) << 23))
      ++exponent;
    exponent &= 255;  // of less than 2^-125 it wraps to above 231, beside which every element is 0
    scale.d = static_cast<std::uint16_t>(exponent);
    scale.reciprocal = detail::float_of(exponent < 2 ? 0x00200000u << exponent
                                                     : static_cast<std::uint32_t>(exponent - 1) << 23);
  } else {
    const float levels = Format == BlockFormat::q8_0 ? 127.0f : Format == BlockFormat::q5_0 ? -16.0f : -8.0f;
    const float d = (Format == BlockFormat::q8_0 ? peak.magnitude : peak.value) /
                    (faults.scale_of_one_level_more ? levels + 1 : levels);
    scale.reciprocal = reciprocal_of(d);
    scale.d = half_bits(d);
  }
  return scale;
}

template <BlockFormat Format>
ASSAY_HOST_DEVICE inline Scale scale_of(Range range, const EncodeFaults& faults) {
  const auto levels = static_cast<float>(Encoding<Format>::top + (faults.scale_of_one_level_more ? 1 : 0));
  const float d = (range.most - range.least) / levels;
  return {reciprocal_of(d), range.least, half_bits(d),
          faults.minimum_not_stored ? std::uint16_t{0} : half_bits(range.least)};
}

/// The largest code that a level of MXFP4 has: where the half step is 2^125, those of 8 and 12 are infinite.
ASSAY_HOST_DEVICE inline int top_level(float half_step) {
  return half_step > 0x1p124f ? 5 : 7;
}

/// The level of MXFP4 that is nearest, the lower one of two that are as near. Beyond 2^-24 of the step
/// between them no rounding of |level - x| can hide which that is, and within it both are the nearest.
ASSAY_HOST_DEVICE inline int mxfp4_code(float x, float half_step, const EncodeFaults& faults) {
  constexpr float middles[7] = {0.5f, 1.5f, 2.5f, 3.5f, 5.0f, 7.0f, 10.0f};
  const float magnitude = fabsf(x);
  int code = 0;
  for (const float middle : middles) {
    const float tie = middle * half_step;
    code += (faults.mxfp4_ties_away ? magnitude >= tie : magnitude > tie) ? 1 : 0;
  }
  if (code > top_level(half_step) && !faults.top_code_not_cut) code = top_level(half_step);
  return code != 0 && x < 0 ? code + 8 : code;
}

/// The code of an element, of four or five bits, or of Q8_0 a number with sign. 0 where the quotient is NaN
/// or infinite.
template <BlockFormat Format>
ASSAY_HOST_DEVICE inline int code_of(float x, const Scale& scale, const EncodeFaults& faults) {
  if constexpr (Format == BlockFormat::mxfp4) {
    return scale.all_zero ? 0 : mxfp4_code(x, scale.reciprocal, faults);
  } else if constexpr (Format == BlockFormat::q8_0) {
    const float quotient = x * scale.reciprocal;
    if (!(fabsf(quotient) < 128.0f)) return 0;
    if (faults.q8_0_ties_to_even) return static_cast<int>(rintf(quotient));
    return static_cast<int>(roundf(quotient));
  } else {
    const float half = faults.rounded_down ? 0.0f : 0.5f;
    const float shifted = Encoding<Format>::by_peak ? x * scale.reciprocal + (Encoding<Format>::zero + half)
                                                    : (x - scale.minimum) * scale.reciprocal + half;
    if (!(shifted >= 0 && shifted < 64)) return 0;
    const int code = static_cast<int>(shifted);
    const int top = Encoding<Format>::top;
    return code > top ? (faults.top_code_not_cut ? code & top : top) : code;
  }
}

/// Peak or Range of 32 elements.
template <BlockFormat Format>
ASSAY_HOST_DEVICE inline auto extent_of(float x) {
  if constexpr (Encoding<Format>::by_peak)
    return peak_of(x);
  else
    return range_of(x);
}

ASSAY_HOST_DEVICE inline void put_two_bytes(std::uint16_t value, std::uint8_t* to) {
  to[0] = static_cast<std::uint8_t>(value);
  to[1] = static_cast<std::uint8_t>(value >> 8);
}

/// Everything of a block but its codes.
template <BlockFormat Format>
ASSAY_HOST_DEVICE inline void put_scale(const Scale& scale, std::uint8_t* to) {
  if constexpr (Format == BlockFormat::mxfp4) {
    to[0] = static_cast<std::uint8_t>(scale.d);
  } else {
    put_two_bytes(scale.d, to);
    if constexpr (!Encoding<Format>::by_peak) put_two_bytes(scale.m, to + 2);
  }
}

/// One block, element by element.
template <BlockFormat Format>
inline void encode_short(const float* from, std::uint8_t* to, const EncodeFaults& faults) {
  auto extent = extent_of<Format>(from[0]);
  for (int i = 1; i < 32; ++i) extent = joined(extent, extent_of<Format>(from[i]), faults);
  const Scale scale = scale_of<Format>(extent, faults);
  put_scale<Format>(scale, to);
  std::uint8_t* const codes = to + Encoding<Format>::codes_at;
  if constexpr (Format == BlockFormat::q8_0) {
    for (int i = 0; i < 32; ++i)
      codes[i] = static_cast<std::uint8_t>(code_of<Format>(from[i], scale, faults));
    return;
  }
  std::uint32_t fifths = 0;
  for (int i = 0; i < 16; ++i) {
    const int first = code_of<Format>(from[i], scale, faults);
    const int second = code_of<Format>(from[16 + i], scale, faults);
    codes[i] = static_cast<std::uint8_t>((first & 15) | (second & 15) << 4);
    fifths |= static_cast<std::uint32_t>(first >> 4) << i | static_cast<std::uint32_t>(second >> 4)
                                                                << (16 + i);
  }
  if constexpr (Encoding<Format>::fifths_at >= 0)
    std::memcpy(to + Encoding<Format>::fifths_at, &fifths, sizeof fifths);
}

}  // namespace assay::kernels::blocks
