#include "validation/tensors/numbers.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "engine/analysis/splitmix.hpp"
#include "validation/tensors/format.hpp"

namespace assay::validation {

namespace {

using analysis::SplitMix64;

constexpr std::array<std::string_view, number_classes> names = {
    "grid",      "constant", "ties", "normal",     "wide", "ill conditioned",
    "subnormal", "tiny",     "huge", "infinities", "NaN"};

int below(SplitMix64& random, int count) {
  return static_cast<int>(random.uniform() * count);
}

/// Of either sign, its leading bit worth 2^exponent.
double in_binade(SplitMix64& random, DType type, int exponent) {
  // The significand is cut off, not rounded: rounding could reach the binade above.
  const int bits = format_of(type).precision - 1;
  const double significand = 1 + std::floor(std::ldexp(random.uniform(), bits)) * std::ldexp(1.0, -bits);
  const double magnitude = std::ldexp(significand, exponent);
  return random.next() % 2 == 0 ? magnitude : -magnitude;
}

double subnormal(SplitMix64& random, DType type) {
  const Format format = format_of(type);
  const bool negative = random.next() % 2 == 0;
  double magnitude = 0;
  switch (below(random, 8)) {
    case 0:
      break;
    case 1:
      magnitude = format.smallest_normal();
      break;
    case 2:
      magnitude = format.smallest_subnormal();
      break;
    default: {
      const double units = std::ldexp(1.0, format.precision - 1);  // of the smallest normal number
      magnitude = (1 + std::floor(random.uniform() * (units - 1))) * format.smallest_subnormal();
    }
  }
  return negative ? -magnitude : magnitude;
}

double gaussian(SplitMix64& random, DType type) {
  return round_to(type, random.irwin_hall());
}

}  // namespace

std::string_view name_of(Numbers numbers) {
  return names[static_cast<std::size_t>(numbers)];
}

bool is_special(Numbers numbers, std::uint64_t key) {
  return (numbers == Numbers::infinities || numbers == Numbers::nan) && SplitMix64(key).next() % 8 == 0;
}

double draw_number(Numbers numbers, DType type, std::uint64_t key, bool special) {
  SplitMix64 random(key);
  special = is_special(numbers, key) || special;
  random.next();
  const Format format = format_of(type);
  switch (numbers) {
    case Numbers::grid:
      return random.next() % 4 == 0 ? below(random, 17) - 8 : 0;
    case Numbers::constant:
      return 1.5;
    case Numbers::ties:
      return 0.25 * (below(random, 9) - 4);
    case Numbers::normal:
      return gaussian(random, type);
    case Numbers::wide:
      return in_binade(
          random, type,
          format.smallest_exponent + below(random, format.largest_exponent - format.smallest_exponent + 1));
    case Numbers::ill_conditioned:
      break;
    case Numbers::subnormal:
      return subnormal(random, type);
    case Numbers::tiny:
      return in_binade(random, type, format.smallest_exponent + below(random, 4));
    case Numbers::huge:
      return in_binade(random, type, format.largest_exponent - below(random, 3));
    case Numbers::infinities: {
      constexpr double infinity = std::numeric_limits<double>::infinity();
      const bool negative = random.next() % 2 == 0;
      return special ? (negative ? -infinity : infinity) : gaussian(random, type);
    }
    case Numbers::nan:
      return special ? std::numeric_limits<double>::quiet_NaN() : gaussian(random, type);
  }
  throw std::invalid_argument("ill conditioned numbers belong to a row");
}

bool belongs(double value, Numbers numbers, DType type) {
  const Format format = format_of(type);
  const double magnitude = std::fabs(value);
  // On both sides of -0, and for NaN and infinities, as the comparison of doubles has it.
  const auto representable = [&] { return std::isfinite(value) && round_to(type, value) == value; };
  switch (numbers) {
    case Numbers::grid:
      return magnitude <= 8 && value == std::round(value);
    case Numbers::constant:
      return value == 1.5;
    case Numbers::ties:
      return magnitude <= 1 && 4 * value == std::round(4 * value);
    case Numbers::normal:
      return representable() && magnitude <= 6;
    case Numbers::wide:
      return representable() && magnitude >= format.smallest_normal();
    case Numbers::ill_conditioned:
      return representable();
    case Numbers::subnormal:
      return representable() && magnitude <= format.smallest_normal();
    case Numbers::tiny:
      return representable() && magnitude >= format.smallest_normal() &&
             magnitude < 16 * format.smallest_normal();
    case Numbers::huge:
      return representable() && magnitude >= std::ldexp(1.0, format.largest_exponent - 2);
    case Numbers::infinities:
      return std::isinf(value) || (representable() && magnitude <= 6);
    case Numbers::nan:
      return std::isnan(value) || (representable() && magnitude <= 6);
  }
  return false;
}

}  // namespace assay::validation
