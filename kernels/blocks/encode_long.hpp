#pragma once

// Blocks of 256 elements from floats (Q4_K and Q6_K). The scale of each part of a block is searched for:
// codes for some twenty step widths are tried, the best straight line through them is fitted, and the one of
// least weighted error is kept. Sums run from the first element to the last, and every operation is rounded
// alone, as ggml has it: what uses this is compiled without fused multiply-add (CMakeLists.txt). Host and
// device run the same lines.

#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/runtime/host_device.hpp"
#include "kernels/blocks/decode.hpp"
#include "kernels/blocks/encode_faults.hpp"
#include "kernels/blocks/encode_short.hpp"

namespace assay::kernels::blocks {

inline constexpr float nothing = 1e-15f;  ///< GROUP_MAX_EPS: parts below have scale 0

/// 1.5 2^23: a number of magnitude below 2^22 that is added to it leaves its nearest integer, ties to even,
/// in the low bits.
inline constexpr float rounder = 12582912.0f;

/// ggml's nearest_int: beyond 2^22 whatever is in those bits, so that both infinities give -2^22; of a NaN 0.
ASSAY_HOST_DEVICE inline int nearest_integer(float value) {
  const float sum = value + rounder;
  if (sum != sum) return 0;
  return static_cast<int>(detail::bits_of(sum) & 0x007FFFFFu) - 0x00400000;
}

ASSAY_HOST_DEVICE inline int clamped(int code, int low, int high) {
  return code < low ? low : code > high ? high : code;
}

/// The same integers of (x - base) * step as floats, between bounds. Where `plain`, the caller has shown that
/// these are no NaN and below 2^22 in magnitude: then they need no conversion.
template <int Length>
ASSAY_HOST_DEVICE inline void levels_of(const float (&x)[Length], float base, float step, int low, int high,
                                        bool plain, float (&levels)[Length]) {
  if (plain) {
    for (int i = 0; i < Length; ++i) {
      const float nearest = ((x[i] - base) * step + rounder) - rounder;
      levels[i] = fminf(fmaxf(nearest, static_cast<float>(low)), static_cast<float>(high));
    }
  } else {
    for (int i = 0; i < Length; ++i)
      levels[i] = static_cast<float>(clamped(nearest_integer((x[i] - base) * step), low, high));
  }
}

/// One part of a Q4_K block: x is near scale * code + minimum. Its codes are those of (x - base) * step:
/// they are stored only where the scale that is stored is 0.
struct Line {
  float scale = 0, minimum = 0;
  float step = 0, base = 0;
};

/// A part of 32, as make_qkx2_quants(32, 15, ..., -1, 0.1, 20, false) of ggml, and the weights it is called
/// with.
ASSAY_HOST_DEVICE inline Line line_through(const float (&x)[32], const EncodeFaults& faults) {
  constexpr int top = 15;
  float squares = 0;
  bool any_nan = false;
  for (int i = 0; i < 32; ++i) {
    squares += x[i] * x[i];
    any_nan |= x[i] != x[i];
  }
  const float mean = sqrtf(squares / 32.0f);
  float weights[32];
  for (int i = 0; i < 32; ++i) weights[i] = faults.weights_missing ? 1.0f : mean + fabsf(x[i]);

  float least = x[0], most = x[0];
  float sum_w = weights[0], sum_x = sum_w * x[0];
  for (int i = 1; i < 32; ++i) {
    least = x[i] < least ? x[i] : least;
    most = x[i] > most ? x[i] : most;
    sum_w += weights[i];
    sum_x += weights[i] * x[i];
  }
  Line best;
  best.minimum = least > 0 ? 0.0f : least;
  if (most == best.minimum) return best;  // its codes are 0
  // Every product of a step and a difference lies below 2^22 where those of the two ends do.
  const auto is_plain = [&](float step, float base) {
    return !any_nan && fabsf(step * (most - base)) < 4e6f && fabsf(step * (least - base)) < 4e6f;
  };

  best.step = top / (most - best.minimum);
  best.base = best.minimum;
  best.scale = 1.0f / best.step;
  float codes[32];
  levels_of(x, best.base, best.step, 0, top, is_plain(best.step, best.base), codes);
  const auto error_of = [&](float scale, float minimum) {
    float error = 0;
    for (int i = 0; i < 32; ++i) {
      const float difference = scale * codes[i] + minimum - x[i];
      error += weights[i] * (difference * difference);
    }
    return error;
  };
  float least_error = error_of(best.scale, best.minimum);
  const float start = best.minimum;
  const int steps = faults.search_ends_early ? 19 : 20;
  for (int trial = 0; trial <= steps; ++trial) {
    // What was found becomes what the next steps begin at: so does ggml.
    const float base = faults.search_starts_over ? start : best.minimum;
    const float step = (-1.0f + 0.1f * static_cast<float>(trial) + top) / (most - base);
    levels_of(x, base, step, 0, top, is_plain(step, base), codes);
    float sum_l = 0, sum_ll = 0, sum_xl = 0;
    for (int i = 0; i < 32; ++i) {
      const float weighted = weights[i] * codes[i];
      sum_l += weighted;
      sum_ll += weighted * codes[i];
      sum_xl += weighted * x[i];
    }
    const float determinant = sum_w * sum_ll - sum_l * sum_l;
    if (!(determinant > 0)) continue;
    float scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
    float minimum = (sum_ll * sum_x - sum_l * sum_xl) / determinant;
    if (minimum > 0 && !faults.positive_minimum_kept) {
      minimum = 0;
      scale = sum_xl / sum_ll;
    }
    const float error = error_of(scale, minimum);
    if (error < least_error) {
      least_error = error;
      best = {scale, minimum, step, base};
    }
  }
  return best;
}

/// What all parts of a Q4_K block share: the two scales, and what brings a part's numbers to six bits.
struct Q4KScales {
  std::uint16_t d = 0, m = 0;
  float to_scale = 0, to_minimum = 0;
};
/// From the largest scale and the largest of the minima's magnitudes, 0 where none is above it.
ASSAY_HOST_DEVICE inline Q4KScales q4_k_scales(float largest_scale, float largest_minimum) {
  return {half_bits(largest_scale / 63.0f), half_bits(largest_minimum / 63.0f),
          largest_scale > 0 ? 63.0f / largest_scale : 0.0f,
          largest_minimum > 0 ? 63.0f / largest_minimum : 0.0f};
}

/// Six bits of a part's scale or minimum: ggml keeps the low byte of the integer before it cuts at 63.
ASSAY_HOST_DEVICE inline int six_bits_of(float value, float factor) {
  const int low_byte = nearest_integer(factor * value) & 255;
  return low_byte > 63 ? 63 : low_byte;
}

/// What a part's stored numbers stand for.
struct StoredLine {
  float scale = 0, minimum = 0;
};
ASSAY_HOST_DEVICE inline StoredLine stored_line(const Q4KScales& scales, int scale, int minimum) {
  return {binary16(scales.d) * static_cast<float>(scale), binary16(scales.m) * static_cast<float>(minimum)};
}

ASSAY_HOST_DEVICE inline int q4_k_code(float x, const Line& line, const StoredLine& stored,
                                       const EncodeFaults& faults) {
  const float quotient = stored.scale == 0 || faults.codes_of_the_search
                             ? (x - line.base) * line.step
                             : (x + stored.minimum) / stored.scale;
  return clamped(nearest_integer(quotient), 0, 15);
}

/// Scales and minima of eight parts, six bits each, in twelve bytes.
ASSAY_HOST_DEVICE inline void put_six_bits(const int (&scales)[8], const int (&minima)[8], std::uint8_t* to,
                                           const EncodeFaults& faults) {
  for (int j = 0; j < 4; ++j) {
    const int high_scale = faults.q4_k_high_bits_lost ? 0 : scales[4 + j] >> 4;
    const int high_minimum = faults.q4_k_high_bits_lost ? 0 : minima[4 + j] >> 4;
    to[j] = static_cast<std::uint8_t>(scales[j] | high_scale << 6);
    to[4 + j] = static_cast<std::uint8_t>(minima[j] | high_minimum << 6);
    to[8 + j] = static_cast<std::uint8_t>((scales[4 + j] & 15) | (minima[4 + j] & 15) << 4);
  }
}

/// One part of a Q6_K block: x is near scale * code, code from -32 to 31. Its codes are those of x * step,
/// stored only where the scale that is stored is 0 (`empty`: then they are the lowest).
struct Slope {
  float scale = 0, step = 0;
  bool empty = true;
};

/// A part of 16, as make_qx_quants(16, 32, ..., 1, nullptr) of ggml. The weights are x^2.
ASSAY_HOST_DEVICE inline Slope slope_through(const float (&x)[16], const EncodeFaults& faults) {
  constexpr int low = -32, high = 31;
  Peak peak;
  bool any_nan = false;
  for (int i = 0; i < 16; ++i) {
    peak = joined(peak, peak_of(x[i]), faults);
    any_nan |= x[i] != x[i];
  }
  Slope best;
  if (peak.magnitude < nothing && !faults.q6_k_small_parts_kept) return best;
  best.empty = false;
  // |x step| is below 33: beyond that only what is NaN.
  const bool plain = !any_nan && peak.magnitude <= FLT_MAX;
  float best_product = 0;
  for (int trial = -10; trial <= (faults.search_ends_early ? 8 : 9); ++trial) {
    if (trial == 0) continue;
    const bool first = trial == -10;  // 32 levels as they are; the others are tried against it
    const float step = -(first ? 32.0f : 32.0f + 0.1f * static_cast<float>(trial)) / peak.value;
    float codes[16];
    levels_of(x, 0.0f, step, low, high, plain, codes);
    float sum_xl = 0, sum_ll = 0;
    for (int i = 0; i < 16; ++i) {
      const float weight = faults.weights_missing ? 1.0f : x[i] * x[i];
      sum_xl += weight * x[i] * codes[i];
      sum_ll += weight * codes[i] * codes[i];
    }
    if (first) {
      best.scale = sum_ll != 0 ? sum_xl / sum_ll : 0.0f;
      best.step = step;
      best_product = best.scale * sum_xl;
    } else if (sum_ll > 0 && sum_xl * sum_xl > best_product * sum_ll) {
      best.scale = sum_xl / sum_ll;
      best.step = step;
      best_product = best.scale * sum_xl;
    }
  }
  return best;
}

/// What all parts of a Q6_K block share.
struct Q6KScales {
  std::uint16_t d = 0;
  float to_scale = 0;
  bool empty = true;  ///< no part has a scale: all bytes are 0
};
/// From the scale of the largest magnitude, the first of those.
ASSAY_HOST_DEVICE inline Q6KScales q6_k_scales(Peak peak, const EncodeFaults& faults) {
  if (peak.magnitude < nothing) return {};
  const float to_scale = (faults.q6_k_scale_of_127 ? -127.0f : -128.0f) / peak.value;
  return {half_bits(1.0f / to_scale), to_scale, false};
}

ASSAY_HOST_DEVICE inline int q6_k_scale(float scale, const Q6KScales& scales) {
  const int nearest = nearest_integer(scales.to_scale * scale);
  return static_cast<std::int8_t>(nearest > 127 ? 127 : nearest);
}

ASSAY_HOST_DEVICE inline float q6_k_stored_scale(const Slope& slope, const Q6KScales& scales, int scale,
                                                 const EncodeFaults& faults) {
  if (faults.scale_not_narrowed) return slope.scale;
  return binary16(scales.d) * static_cast<float>(scale);
}

/// The code and 32.
ASSAY_HOST_DEVICE inline int q6_k_code(float x, const Slope& slope, float stored,
                                       const EncodeFaults& faults) {
  if (stored == 0 && slope.empty) return 0;
  const float quotient = stored == 0 || faults.codes_of_the_search ? x * slope.step : x / stored;
  return clamped(nearest_integer(quotient), -32, 31) + 32;
}

/// One block: `search(from, lines)` fits its eight parts, `codes_of(x, line, stored, to)` makes the codes of
/// one, a byte each. Parts are fitted and coded one by one or in vectors; the rest is the same.
template <typename Search, typename CodesOf>
inline void encode_q4_k(const float* from, std::uint8_t* to, const Search& search, const CodesOf& codes_of,
                        const EncodeFaults& faults) {
  Line lines[8];
  search(from, lines);
  float largest_scale = 0, largest_minimum = 0;
  for (const Line& line : lines) {
    largest_scale = line.scale > largest_scale ? line.scale : largest_scale;
    largest_minimum = -line.minimum > largest_minimum ? -line.minimum : largest_minimum;
  }
  const Q4KScales shared = q4_k_scales(largest_scale, largest_minimum);
  int scales[8], minima[8];
  std::uint8_t codes[256];
  for (int j = 0; j < 8; ++j) {
    scales[j] = six_bits_of(lines[j].scale, shared.to_scale);
    minima[j] = six_bits_of(-lines[j].minimum, shared.to_minimum);
    codes_of(from + 32 * j, lines[j], stored_line(shared, scales[j], minima[j]), codes + 32 * j);
  }
  put_two_bytes(shared.d, to);
  put_two_bytes(shared.m, to + 2);
  put_six_bits(scales, minima, to + 4, faults);
  for (int i = 0; i < 128; ++i) {
    const std::uint8_t* const pair = codes + i / 32 * 64 + i % 32;
    to[16 + i] = static_cast<std::uint8_t>(pair[faults.halves_swapped ? 32 : 0] |
                                           pair[faults.halves_swapped ? 0 : 32] << 4);
  }
}

/// The same of sixteen parts.
template <typename Search, typename CodesOf>
inline void encode_q6_k(const float* from, std::uint8_t* to, const Search& search, const CodesOf& codes_of,
                        const EncodeFaults& faults) {
  Slope slopes[16];
  search(from, slopes);
  Peak peak;
  for (const Slope& slope : slopes) peak = joined(peak, peak_of(slope.scale), faults);
  const Q6KScales shared = q6_k_scales(peak, faults);
  if (shared.empty) {
    std::memset(to, 0, 210);
    return;
  }
  std::uint8_t codes[256];
  for (int j = 0; j < 16; ++j) {
    const int scale = q6_k_scale(slopes[j].scale, shared);
    to[192 + j] = static_cast<std::uint8_t>(scale);
    codes_of(from + 16 * j, slopes[j], q6_k_stored_scale(slopes[j], shared, scale, faults), codes + 16 * j);
  }
  for (int i = 0; i < 64; ++i) {
    const std::uint8_t* const c = codes + i / 32 * 128 + i % 32;
    std::uint8_t* const low = to + i / 32 * 64 + i % 32;
    low[0] = static_cast<std::uint8_t>((c[0] & 15) | (c[64] & 15) << 4);
    low[32] = static_cast<std::uint8_t>((c[32] & 15) | (c[96] & 15) << 4);
    to[128 + i] = static_cast<std::uint8_t>(c[0] >> 4 | c[32] >> 4 << 2 | c[64] >> 4 << 4 | c[96] >> 4 << 6);
  }
  put_two_bytes(shared.d, to + 208);
}

/// Part by part: what a machine without vectors runs, and what vectors leave to it.
inline void fit_one_by_one(const float* from, Line (&lines)[8], const EncodeFaults& faults) {
  for (int j = 0; j < 8; ++j) {
    float x[32];
    std::memcpy(x, from + 32 * j, sizeof x);
    lines[j] = line_through(x, faults);
  }
}
inline void fit_one_by_one(const float* from, Slope (&slopes)[16], const EncodeFaults& faults) {
  for (int j = 0; j < 16; ++j) {
    float x[16];
    std::memcpy(x, from + 16 * j, sizeof x);
    slopes[j] = slope_through(x, faults);
  }
}

/// One block, element by element.
template <BlockFormat Format>
inline void encode_long(const float* from, std::uint8_t* to, const EncodeFaults& faults) {
  const auto search = [&](const float* values, auto& parts) { fit_one_by_one(values, parts, faults); };
  if constexpr (Format == BlockFormat::q4_k)
    encode_q4_k(
        from, to, search,
        [&](const float* x, const Line& line, const StoredLine& stored, std::uint8_t* codes) {
          for (int i = 0; i < 32; ++i)
            codes[i] = static_cast<std::uint8_t>(q4_k_code(x[i], line, stored, faults));
        },
        faults);
  else
    encode_q6_k(
        from, to, search,
        [&](const float* x, const Slope& slope, float stored, std::uint8_t* codes) {
          for (int i = 0; i < 16; ++i)
            codes[i] = static_cast<std::uint8_t>(q6_k_code(x[i], slope, stored, faults));
        },
        faults);
}

}  // namespace assay::kernels::blocks
