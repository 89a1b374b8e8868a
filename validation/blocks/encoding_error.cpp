#include "validation/blocks/encoding_error.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/tensors/half.hpp"

// u = 2^-24 is float's unit roundoff, h = 2^-11 binary16's; half(v) is within h |v| + 2^-25 of v. Bounds are
// evaluated in double; what that loses is far below the slack that powers of 2 below leave.

namespace assay::validation {

namespace {

constexpr double h = 0x1p-11, half_tiny = 0x1p-25;

double half_at(const std::uint8_t* at) {
  Half half;
  std::memcpy(&half.bits, at, sizeof half.bits);
  return to_float(half);
}

double magnitude_of(std::span<const double> elements) {
  double largest = 0;
  for (const double x : elements) largest = std::max(largest, std::fabs(x));
  return largest;
}

double rounded_to_half(double value) {
  return h * std::fabs(value) + half_tiny;
}

/// Q4_0, Q5_0 (codes -L .. L - 1) and Q8_0 (-L .. L), d = peak / L. The quotient that is rounded is within 4
/// u of x / d, at most L (1 + 4 u), and the sum with L + 1/2 within 2^-19: the code is within 1/2 + 2^-14 of
/// x / d; but for what the largest code cuts off where x has the sign against the peak's, up to 1. Decoding
/// is exact, by half(d) in place of d.
std::vector<double> by_peak(std::span<const double> elements, int levels, bool cut) {
  const double d = magnitude_of(elements) / levels;
  std::vector<double> allowed;
  for (const double x : elements) {
    const double beyond = cut && d > 0 ? std::fabs(x) / d - (levels - 1) : 0;
    allowed.push_back(d * (std::max(0.5, beyond) + 0x1p-14) + levels * (d * 0x1p-23 + rounded_to_half(d)));
  }
  return allowed;
}

/// Q4_1, Q5_1 (codes 0 .. T), d = (most - least) / T, within 3 u. The quotient is within 6 u of (x - least) /
/// d: the code within 1/2 + 2^-14. Then half(d), half(least), and the rounding of the decoded sum.
std::vector<double> by_range(std::span<const double> elements, int top) {
  const auto [least, most] = std::ranges::minmax(elements);
  const double d = (most - least) / top;
  const double allowed = d * (0.5 + 0x1p-14) + top * (d * 0x1p-22 + rounded_to_half(d)) +
                         rounded_to_half(least) + 0x1p-23 * (std::fabs(least) + top * d);
  return std::vector<double>(elements.size(), allowed);
}

/// MXFP4: levels s {0, 1/2, 1, 3/2, 2, 3, 4, 6}, s a quarter of the largest power of 2 not above the peak,
/// or, where the peak is within 2^-17 of it below the next, a quarter of that one. The nearest is no further
/// than half a gap, or than 6 s beyond them.
std::vector<double> by_levels(std::span<const double> elements) {
  const double peak = magnitude_of(elements);
  std::vector<double> allowed;
  const double below = peak == 0 ? 0 : std::ldexp(0.25, std::ilogb(peak));
  const double s = peak >= 8 * below * (1 - 0x1p-17) ? 2 * below : below;
  for (const double x : elements) {
    const double a = std::fabs(x);
    const double beyond = std::max({a - 6 * s, a - 6 * below, 0.0});
    const double gap = a <= 2 * s ? 0.25 : a <= 4 * s ? 0.5 : 1;
    allowed.push_back(std::max(gap * s, beyond));
  }
  return allowed;
}

/// Q4_K, a part of 32 elements. The line through the ends has codes that are off by s0 / 2 at most, s0 =
/// (most
/// - least) / 15 with least <= 0 <= most or the part beside it: its weighted squared error is at most E = sum
/// w (s0 / 2 + r)^2, r for the roundings of differences, 2^-18 of what is subtracted. Whatever line is chosen
/// has no larger one, so that its element i is off by sqrt(E / w_i) at most, and r. Six bits: the scale
/// changes by half of S / 63, S the block's largest, and half(S / 63) by its rounding 63 times; the minimum
/// likewise. Final codes are the nearest to x, so no worse than those of the search.
void of_q4_k_part(std::span<const double> x, const std::uint8_t* block, double* allowed) {
  const auto [low, high] = std::ranges::minmax(x);
  const double least = std::min(0.0, low);
  const double largest_scale = (63 * half_at(block) + 63 * half_tiny) * (1 + 0x1p-10);
  const double largest_minimum = (63 * half_at(block + 2) + 63 * half_tiny) * (1 + 0x1p-10);
  const double reach = magnitude_of(x) + largest_minimum;
  const double r = 0x1p-18 * reach;
  const double step = (high - least) / 15;
  double squares = 0;
  for (const double element : x) squares += element * element;
  const double rms = std::sqrt(squares / 32);
  double weights = 0;
  for (const double element : x) weights += rms + std::fabs(element);
  const auto six_bits = [](double largest) {
    return largest / 63 * (0.5 + 0x1p-10) + 63 * rounded_to_half(largest / 63);
  };
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double weight = rms + std::fabs(x[i]);
    const double fit = weight == 0 ? 0 : (1 + 0x1p-9) * (step / 2 + r) * std::sqrt(weights / weight) + r;
    allowed[i] = fit + 15 * six_bits(largest_scale) + six_bits(largest_minimum) + r;
  }
}

/// Q6_K, a part of 16 elements. Codes of 32 steps to the peak are off by s0 = peak / 32 at most; of the fit
/// through them, and of a better one, the squared error by weights x^2 is at most sum x^2 s0^2 and 2^-17 sum
/// x^4 for the roundings in what is compared: so element i is off by the root of that over |x_i|. Final codes
/// are the nearest: half of the part's scale, or, where they are cut off, no worse than those of the search.
/// That scale is at most 1.5 / 23 of the peak (no code is off by more than half of itself, steps are 23.1 to
/// 32.9 to the peak), and eight bits of it, and half(d) 128 times, change it by less than S / 64.
void of_q6_k_part(std::span<const double> x, const std::uint8_t* block, double* allowed) {
  const double peak = magnitude_of(x);
  const double largest_scale = 128 * (std::fabs(half_at(block + 208)) + half_tiny) * (1 + 0x1p-10);
  const double narrowed = largest_scale / 128 * (1 + 0x1p-10) + 128 * rounded_to_half(largest_scale / 128);
  double squares = 0, fourths = 0;
  for (const double element : x) {
    squares += element * element;
    fourths += element * element * element * element;
  }
  const double error = std::sqrt(squares * (peak / 32) * (peak / 32) + 0x1p-17 * fourths);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double half_step = (1.5 / 23 * peak + narrowed) / 2 * (1 + 0x1p-10);
    const double cut = x[i] == 0 ? 0 : error / std::fabs(x[i]) + 32 * narrowed;
    allowed[i] = std::max(half_step, cut);
  }
}

}  // namespace

std::vector<double> encoding_error(BlockFormat format, std::span<const double> elements,
                                   const std::uint8_t* block) {
  std::vector<double> allowed(elements.size());
  switch (format) {
    case BlockFormat::q4_0:
      return by_peak(elements, 8, true);
    case BlockFormat::q5_0:
      return by_peak(elements, 16, true);
    case BlockFormat::q8_0:
      return by_peak(elements, 127, false);
    case BlockFormat::q4_1:
      return by_range(elements, 15);
    case BlockFormat::q5_1:
      return by_range(elements, 31);
    case BlockFormat::q4_k:
      for (std::size_t at = 0; at < 256; at += 32)
        of_q4_k_part(elements.subspan(at, 32), block, allowed.data() + at);
      return allowed;
    case BlockFormat::q6_k:
      for (std::size_t at = 0; at < 256; at += 16)
        of_q6_k_part(elements.subspan(at, 16), block, allowed.data() + at);
      return allowed;
    default:
      return by_levels(elements);
  }
}

// Q4_0, Q5_0: the peak has code 0 and decodes to -L D, D = half(d), and no other to that magnitude: it is the
// peak again, and D again the scale, exactly; quotients are the integers within 2 u. Q8_0: the peak decodes
// to 127 D, exactly. MXFP4: the peak, from 4 s to 8 s, decodes to 4 s or 6 s, whose exponent is the same, and
// levels are the nearest to themselves; up to 2^127, beyond which 4 s may be infinite. Q4_1, Q5_1: least
// decodes to M = half(least), most to T D + M rounded to float: within 2^-24 (|M| + T D). With |M| up to 2^9
// T D that is 2^-15 of T D, so that the new d is within 2^-14 of D, rounds to D as a half, and quotients are
// within 31 2^-14 and 31 2^-15 of integers.
bool encodes_again_the_same(BlockFormat format, std::span<const double> elements, const std::uint8_t* block) {
  if (!std::ranges::all_of(elements, [](double x) { return std::isfinite(x); })) return false;
  if (format == BlockFormat::mxfp4)
    return magnitude_of(elements) >= 0x1p-125 && magnitude_of(elements) <= 0x1p127;
  if (layout_of(format).length == 256) return false;
  const double d = half_at(block);
  if (!(std::fabs(d) > 0 && std::isfinite(d))) return false;
  if (layout_of(format).minimum_at < 0) return true;
  const auto [least, most] = std::ranges::minmax(elements);
  return std::isfinite(half_at(block + 2)) && std::fabs(least) <= 256 * (most - least);
}

}  // namespace assay::validation
