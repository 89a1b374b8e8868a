#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "reference/quant/dequantize.hpp"

/// Blocks of GGUF files from floats, as engine/quant/quantize.hpp defines them (ggml, ggml-quants.c,
/// quantize_row_*_ref, commit d99724f2). Numbers are double, and each rounding to single precision that is
/// part of the definition stands where it happens: single(a + b) is the sum of two floats rounded once,
/// because double has more than twice float's bits and two more (Figueroa 1995, "When is double rounding
/// innocuous?"), and so for products, quotients and square roots. No two formats share more than is said
/// here.
namespace assay::reference::quant {

inline double single(double exact) {
  return static_cast<float>(exact);
}

/// Binary16, to nearest, ties to even; one NaN.
inline int half_of(double value) {
  if (std::isnan(value)) return 0x7E00;
  const int sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  if (magnitude >= 65520) return sign + 0x7C00;
  const int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
  const double units = std::nearbyint(std::ldexp(magnitude, 10 - exponent));  // 1024 and more where normal
  return sign + (exponent + 14) * 1024 + static_cast<int>(units);
}
inline void put_half(double value, std::uint8_t* at) {
  at[0] = static_cast<std::uint8_t>(half_of(value) % 256);
  at[1] = static_cast<std::uint8_t>(half_of(value) / 256);
}

/// Adds bits that are still 0.
inline void put_bits(int bits, int low, std::uint8_t& byte) {
  byte = static_cast<std::uint8_t>(byte + bits * (1 << low));
}
/// Element i of 2 n codes of four bits: where half_byte finds it.
inline void put_half_byte(int code, int i, int n, std::uint8_t* codes) {
  put_bits(code, i < n ? 0 : 4, codes[i % n]);
}
/// Where two_bits finds them.
inline void put_two_bits(int code, int i, std::uint8_t* codes) {
  put_bits(code, 2 * (i % 128 / 32), codes[i / 128 * 32 + i % 32]);
}

using Elements = std::vector<double>;

/// The first element of largest magnitude; 0 where there is none above 0. A NaN is never larger.
inline double peak(const Elements& x) {
  double found = 0;
  for (const double element : x)
    if (std::fabs(element) > std::fabs(found)) found = element;
  return found;
}
inline double least(const Elements& x, double begin) {
  for (const double element : x)
    if (element < begin) begin = element;
  return begin;
}
inline double most(const Elements& x, double begin) {
  for (const double element : x)
    if (element > begin) begin = element;
  return begin;
}

inline double reciprocal(double d) {
  return d == 0 ? 0 : single(1 / d);
}

/// Without the fraction; 0 of what is no number.
inline int whole(double value) {
  return std::isfinite(value) ? static_cast<int>(value) : 0;
}

/// Q4_0 and Q5_0: 2 `zero` levels, of which code `zero` stands for 0.
inline std::vector<int> codes_by_peak(const Elements& x, int zero, std::uint8_t* d_at) {
  const double d = single(peak(x) / -zero);
  const double inverse = reciprocal(d);
  put_half(d, d_at);
  std::vector<int> codes;
  for (const double element : x)
    codes.push_back(std::min(2 * zero - 1, whole(single(single(element * inverse) + (zero + 0.5)))));
  return codes;
}

/// Q4_1 and Q5_1: codes from 0 to `top`.
inline std::vector<int> codes_by_range(const Elements& x, int top, std::uint8_t* d_and_m_at) {
  constexpr double largest = std::numeric_limits<float>::max();
  const double minimum = least(x, largest);
  const double d = single(single(most(x, -largest) - minimum) / top);
  const double inverse = reciprocal(d);
  put_half(d, d_and_m_at);
  put_half(minimum, d_and_m_at + 2);
  std::vector<int> codes;
  for (const double element : x)
    codes.push_back(std::min(top, whole(single(single(single(element - minimum) * inverse) + 0.5))));
  return codes;
}

inline void put_five_bits(const std::vector<int>& codes, std::uint8_t* fifths, std::uint8_t* halves) {
  for (int i = 0; i < 32; ++i) {
    const int code = codes[static_cast<std::size_t>(i)];
    put_half_byte(code % 16, i, 16, halves);
    put_bits(code / 16, i % 8, fifths[i / 8]);
  }
}

inline void to_q4_0(const Elements& x, std::uint8_t* block) {
  const std::vector<int> codes = codes_by_peak(x, 8, block);
  for (int i = 0; i < 32; ++i) put_half_byte(codes[static_cast<std::size_t>(i)], i, 16, block + 2);
}
inline void to_q4_1(const Elements& x, std::uint8_t* block) {
  const std::vector<int> codes = codes_by_range(x, 15, block);
  for (int i = 0; i < 32; ++i) put_half_byte(codes[static_cast<std::size_t>(i)], i, 16, block + 4);
}
inline void to_q5_0(const Elements& x, std::uint8_t* block) {
  put_five_bits(codes_by_peak(x, 16, block), block + 2, block + 6);
}
inline void to_q5_1(const Elements& x, std::uint8_t* block) {
  put_five_bits(codes_by_range(x, 31, block), block + 4, block + 8);
}

inline void to_q8_0(const Elements& x, std::uint8_t* block) {
  const double d = single(std::fabs(peak(x)) / 127);
  const double inverse = reciprocal(d);
  put_half(d, block);
  for (int i = 0; i < 32; ++i) {
    const double quotient = single(x[static_cast<std::size_t>(i)] * inverse);
    const int code = whole(std::round(quotient));  // ties away from 0
    block[2 + i] = static_cast<std::uint8_t>(code < 0 ? code + 256 : code);
  }
}

/// The level that is nearest, by differences in single precision; the first of those.
inline int nearest_level(double x, double scale) {
  const auto distance = [&](int code) { return std::fabs(single(single(e2m1(code) * scale) - x)); };
  int nearest = 0;
  for (int code = 1; code < 16; ++code)
    if (distance(code) < distance(nearest)) nearest = code;
  return nearest;
}

inline void to_mxfp4(const Elements& x, std::uint8_t* block) {
  const double magnitude = std::fabs(peak(x));
  if (std::isinf(magnitude)) return;
  const int exponent =
      magnitude == 0 ? 0 : static_cast<int>(std::floor(single(std::log2(magnitude)))) - 2 + 127;
  block[0] = static_cast<std::uint8_t>((exponent + 256) % 256);
  for (int i = 0; i < 32; ++i)
    put_half_byte(nearest_level(x[static_cast<std::size_t>(i)], std::ldexp(1, block[0] - 127)), i, 16,
                  block + 1);
}

/// ggml's nearest_int: the low 23 bits of the float that 1.5 2^23 was added to.
inline int nearest(double value) {
  const double sum = single(value + 0x1.8p23);
  if (std::isnan(sum)) return 0;
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(sum));
  return static_cast<int>(bits % (1u << 23)) - (1 << 22);
}

/// A part of Q4_K: scale, minimum (<= 0), codes.
struct FittedLine {
  double scale = 0, minimum = 0;
  std::vector<int> codes;
};

/// make_qkx2_quants(32, 15, x, weights, ..., rmin = -1, rdelta = 0.1, nstep = 20, use_mad = false)
inline FittedLine fitted_line(const Elements& x, const Elements& weights) {
  constexpr int top = 15;
  const std::size_t n = x.size();
  const double maximum = most(x, x[0]);
  double minimum = least(x, x[0]);
  double sum_w = weights[0];
  double sum_x = single(weights[0] * x[0]);
  for (std::size_t i = 1; i < n; ++i) {
    sum_w = single(sum_w + weights[i]);
    sum_x = single(sum_x + single(weights[i] * x[i]));
  }
  if (minimum > 0) minimum = 0;
  if (maximum == minimum) return {0, minimum, std::vector<int>(n, 0)};

  const auto codes_by = [&](double steps) {
    const double factor = single(steps / single(maximum - minimum));
    std::vector<int> codes;
    for (const double element : x)
      codes.push_back(std::clamp(nearest(single(factor * single(element - minimum))), 0, top));
    return codes;
  };
  const auto error_of = [&](double scale, double offset, const std::vector<int>& codes) {
    double error = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double difference = single(single(single(scale * codes[i]) + offset) - x[i]);
      error = single(error + single(weights[i] * single(difference * difference)));
    }
    return error;
  };

  FittedLine best{single(1 / single(top / single(maximum - minimum))), minimum, codes_by(top)};
  double least_error = error_of(best.scale, minimum, best.codes);
  for (int trial = 0; trial <= 20; ++trial) {
    const std::vector<int> codes = codes_by(single(single(-1 + single(single(0.1) * trial)) + top));
    double sum_l = 0, sum_l2 = 0, sum_xl = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double weighted = single(weights[i] * codes[i]);
      sum_l = single(sum_l + weighted);
      sum_l2 = single(sum_l2 + single(weighted * codes[i]));
      sum_xl = single(sum_xl + single(weighted * x[i]));
    }
    const double determinant = single(single(sum_w * sum_l2) - single(sum_l * sum_l));
    if (!(determinant > 0)) continue;
    double scale = single(single(single(sum_w * sum_xl) - single(sum_x * sum_l)) / determinant);
    double offset = single(single(single(sum_l2 * sum_x) - single(sum_l * sum_xl)) / determinant);
    if (offset > 0) {
      offset = 0;
      scale = single(sum_xl / sum_l2);
    }
    const double error = error_of(scale, offset, codes);
    if (error < least_error) {
      least_error = error;
      best = {scale, offset, codes};
      minimum = offset;  // the next trials begin there
    }
  }
  return best;
}

inline void to_q4_k(const Elements& x, std::uint8_t* block) {
  std::vector<FittedLine> lines;
  double largest_scale = 0, largest_minimum = 0;
  for (std::size_t j = 0; j < 8; ++j) {
    const Elements part(x.begin() + static_cast<std::ptrdiff_t>(32 * j),
                        x.begin() + static_cast<std::ptrdiff_t>(32 * j + 32));
    double squares = 0;
    for (const double element : part) squares = single(squares + single(element * element));
    const double rms = single(std::sqrt(single(squares / 32)));
    Elements weights;
    for (const double element : part) weights.push_back(single(rms + std::fabs(element)));
    lines.push_back(fitted_line(part, weights));
    if (lines[j].scale > largest_scale) largest_scale = lines[j].scale;
    if (-lines[j].minimum > largest_minimum) largest_minimum = -lines[j].minimum;
  }
  put_half(single(largest_scale / 63), block);
  put_half(single(largest_minimum / 63), block + 2);
  // The low byte of the integer, and no more than 63.
  const auto six = [](double value, double largest) {
    const double factor = largest > 0 ? single(63 / largest) : 0;
    return std::min(63, (nearest(single(factor * value)) + (1 << 23)) % 256);
  };
  std::uint8_t* const scales = block + 4;
  for (int j = 0; j < 8; ++j) {
    const FittedLine& line = lines[static_cast<std::size_t>(j)];
    const int s = six(line.scale, largest_scale);
    const int t = six(-line.minimum, largest_minimum);
    if (j < 4) {
      put_bits(s, 0, scales[j]);
      put_bits(t, 0, scales[4 + j]);
    } else {
      put_bits(s % 16, 0, scales[4 + j]);
      put_bits(t % 16, 4, scales[4 + j]);
      put_bits(s / 16, 6, scales[j - 4]);
      put_bits(t / 16, 6, scales[j]);
    }
    const double scale = single(binary16(block) * s);
    const double minimum = single(binary16(block + 2) * t);
    for (int i = 0; i < 32; ++i) {
      const double quotient = single(single(x[static_cast<std::size_t>(32 * j + i)] + minimum) / scale);
      const int code =
          scale == 0 ? line.codes[static_cast<std::size_t>(i)] : std::clamp(nearest(quotient), 0, 15);
      put_half_byte(code, 32 * (j % 2) + i, 32, block + 16 + j / 2 * 32);
    }
  }
}

/// A part of Q6_K: scale, codes with 32 added.
struct FittedSlope {
  double scale = 0;
  std::vector<int> codes;
};

inline constexpr double no_scale_below = 1e-15f;  // GROUP_MAX_EPS

/// make_qx_quants(16, 32, x, ..., rmse_type = 1, nullptr)
inline FittedSlope fitted_slope(const Elements& x) {
  const double largest = peak(x);
  if (std::fabs(largest) < no_scale_below) return {0, std::vector<int>(x.size(), 0)};
  FittedSlope best;
  double best_product = 0;
  for (const int trial : {0, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
    const double factor = single(-single(32 + single(single(0.1) * trial)) / largest);
    std::vector<int> codes;
    double sum_lx = 0, sum_l2 = 0;
    for (const double element : x) {
      const int code = std::clamp(nearest(single(factor * element)), -32, 31);
      const double weight = single(element * element);
      codes.push_back(code + 32);
      sum_lx = single(sum_lx + single(single(weight * element) * code));
      sum_l2 = single(sum_l2 + single(single(weight * code) * code));
    }
    const bool better = trial == 0 || (sum_l2 > 0 && single(sum_lx * sum_lx) > single(best_product * sum_l2));
    if (!better) continue;
    best = {sum_l2 == 0 ? 0 : single(sum_lx / sum_l2), codes};
    best_product = single(best.scale * sum_lx);
  }
  return best;
}

inline void to_q6_k(const Elements& x, std::uint8_t* block) {
  std::vector<FittedSlope> slopes;
  Elements scales;
  for (std::ptrdiff_t j = 0; j < 16; ++j) {
    slopes.push_back(fitted_slope(Elements(x.begin() + 16 * j, x.begin() + 16 * j + 16)));
    scales.push_back(slopes.back().scale);
  }
  const double largest = peak(scales);
  if (std::fabs(largest) < no_scale_below) return;
  const double factor = single(-128 / largest);
  put_half(single(1 / factor), block + 208);
  for (int j = 0; j < 16; ++j) {
    const FittedSlope& slope = slopes[static_cast<std::size_t>(j)];
    const int nearest_scale = std::min(127, nearest(single(factor * slope.scale)));
    block[192 + j] = static_cast<std::uint8_t>((nearest_scale + (1 << 23)) % 256);
    const double scale = single(binary16(block + 208) * with_sign(block[192 + j]));
    for (int k = 0; k < 16; ++k) {
      const int i = 16 * j + k;
      const int code =
          scale == 0 ? slope.codes[static_cast<std::size_t>(k)]
                     : 32 + std::clamp(nearest(single(x[static_cast<std::size_t>(i)] / scale)), -32, 31);
      put_half_byte(code % 16, i % 128, 64, block + i / 128 * 64);
      put_two_bits(code / 16, i, block + 128);
    }
  }
}

/// One block, whose bytes are 0.
inline void encode(BlockFormat format, const Elements& x, std::uint8_t* block) {
  switch (format) {
    case BlockFormat::q4_0:
      return to_q4_0(x, block);
    case BlockFormat::q4_1:
      return to_q4_1(x, block);
    case BlockFormat::q5_0:
      return to_q5_0(x, block);
    case BlockFormat::q5_1:
      return to_q5_1(x, block);
    case BlockFormat::q8_0:
      return to_q8_0(x, block);
    case BlockFormat::q4_k:
      return to_q4_k(x, block);
    case BlockFormat::q6_k:
      return to_q6_k(x, block);
    case BlockFormat::mxfp4:
      return to_mxfp4(x, block);
    default:
      return;  // refused by the contract
  }
}

/// values: (rows, columns) f32; blocks: (rows, bytes of a row) u8
inline void run_quantize(const Arguments& arguments, const Outputs& outputs) {
  const ConstTensorView& values = arguments.input("values");
  const BlockFormat format = block_format_named(arguments.text("format")).value();
  const BlockLayout& layout = layout_of(format);
  const std::span<std::uint8_t> bytes = outputs.at("blocks").as<std::uint8_t>();
  std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
  std::uint8_t* block = bytes.data();
  for (std::int64_t row = 0; row < values.extent(0); ++row) {
    const float* from = reinterpret_cast<const float*>(values.data) + row * values.strides[0];
    for (std::int64_t column = 0; column < values.extent(1); column += layout.length, block += layout.bytes)
      encode(format, Elements(from + column, from + column + layout.length), block);
  }
}

}  // namespace assay::reference::quant
