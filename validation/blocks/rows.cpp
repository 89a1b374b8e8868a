#include "validation/blocks/rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <ostream>
#include <string>

#include <rapidcheck.h>

#include "engine/runtime/philox.hpp"
#include "validation/generators.hpp"

namespace assay::validation {

namespace {

constexpr std::array<const char*, row_number_kinds> names = {"normal",
                                                             "ties",
                                                             "scaled",
                                                             "positive",
                                                             "negative",
                                                             "offset",
                                                             "sparse",
                                                             "uneven",
                                                             "just below powers of 2",
                                                             "zeros",
                                                             "vanishing parts",
                                                             "wide",
                                                             "subnormal",
                                                             "tiny",
                                                             "huge",
                                                             "infinities",
                                                             "NaN"};

/// The largest element of a block of ties, whose steps are 1 then.
double peak_of_ties(BlockFormat format) {
  switch (format) {
    case BlockFormat::q5_0:
      return 16;
    case BlockFormat::q4_1:
    case BlockFormat::q4_k:
      return 15;
    case BlockFormat::q5_1:
      return 31;
    case BlockFormat::q8_0:
      return 127;
    case BlockFormat::q6_k:
      return 32;
    default:
      return 8;
  }
}

double scaled(double value, int exponent) {
  return static_cast<float>(std::ldexp(value, exponent));
}

}  // namespace

std::vector<double> Rows::values() const {
  std::vector<double> made(static_cast<std::size_t>(rows * columns()));
  Philox random(seed);
  const auto length = static_cast<std::size_t>(layout().length);
  int of_block = 0, of_part = 0;
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (i % length == 0) of_block = static_cast<int>(random.below(1 << 16));
    if (i % 16 == 0) of_part = static_cast<int>(random.below(12));
    const double normal = static_cast<float>(random.normal());
    const auto drawn = static_cast<int>(random.below(256));
    const bool special = drawn % 16 == 0;
    const double sign = drawn % 32 < 16 ? 1 : -1;
    double value = normal;
    switch (numbers) {
      case RowNumbers::normal:
        break;
      case RowNumbers::ties: {
        const double peak = peak_of_ties(format);
        const bool from_zero = layout().minimum_at >= 0;
        // The first of 32, or one of the same magnitude beside it, is the peak.
        const double steps = static_cast<double>(random.below(static_cast<std::uint64_t>(2 * peak) + 1));
        value = i % 32 < 2 ? (from_zero ? (i % 2 == 0 ? 0 : peak) : sign * peak)
                           : (from_zero ? steps : sign * steps) / 2;
        break;
      }
      case RowNumbers::scaled:
        value = std::ldexp(normal, of_block % 17 - 8);
        break;
      case RowNumbers::positive:
        value = std::fabs(normal);
        break;
      case RowNumbers::negative:
        value = -std::fabs(normal);
        break;
      case RowNumbers::offset:
        value = 100 + normal / 1024;
        break;
      case RowNumbers::sparse:
        if (drawn % 8 != 0) value = 0;
        break;
      case RowNumbers::uneven:
        value = std::ldexp(normal, -of_part);
        break;
      case RowNumbers::just_below: {
        const int power = of_block % 21 - 10;
        const double below = std::ldexp(std::ldexp(1.0, 24) - of_block / 21 % 24, power - 24);
        value = i % 32 == 7 ? sign * below : std::ldexp(normal / 8, power);
        break;
      }
      case RowNumbers::zeros:
        value = sign * 0.0;
        break;
      case RowNumbers::vanishing:
        value = std::ldexp(normal, of_part % 2 == 0 ? -60 : 0);
        break;
      case RowNumbers::wide:
        value = scaled(normal, static_cast<int>(random.below(250)) - 125);
        break;
      case RowNumbers::subnormal:
        value = scaled(normal, -130 - of_block % 18);
        break;
      case RowNumbers::tiny:
        value = scaled(normal, -20 - of_block % 105);
        break;
      case RowNumbers::huge:
        value = std::clamp<double>(scaled(normal, 110 + of_block % 18), -std::numeric_limits<float>::max(),
                                   std::numeric_limits<float>::max());
        break;
      case RowNumbers::infinities:
        if (special) value = sign * std::numeric_limits<double>::infinity();
        break;
      case RowNumbers::nan:
        if (special) value = std::numeric_limits<double>::quiet_NaN();
        break;
    }
    made[i] = scaled(value, exponent);
  }
  kept.apply(made);
  return made;
}

HostArguments Rows::arguments_of(const std::vector<double>& held, std::int64_t columns_of_row) const {
  const std::int64_t width = columns_of_row == 0 ? columns() : columns_of_row;
  HostArguments made;
  made.inputs.emplace("values", Tensor::from(std::vector<float>(held.begin(), held.end()),
                                             {width == 0 ? rows : std::ssize(held) / width, width}));
  made.parameters.emplace("format", std::string(layout().name));
  return made;
}

std::ostream& operator<<(std::ostream& out, const Rows& rows) {
  out << rows.rows << " rows of " << rows.blocks << " blocks for " << rows.layout().name << ", "
      << names[static_cast<std::size_t>(rows.numbers)] << " times 2^" << rows.exponent << ", seed "
      << rows.seed;
  if (rows.kept.only) out << ", elements that are not 0: " << rows.kept;
  return out;
}

std::vector<Rows> simpler_rows(const Rows& rows) {
  std::vector<Rows> made;
  if (!rows.kept.only)
    for (std::int64_t step = rows.blocks - 1; step > 0; step /= 2) {
      made.push_back(rows);
      made.back().blocks -= step;
    }
  for (auto& only : fewer(held_by(rows.values()))) {
    made.push_back(rows);
    made.back().kept.only = std::move(only);
  }
  return made;
}

Rows draw_rows(std::int64_t most_rows, std::int64_t most_elements, int kinds) {
  Rows rows;
  rows.format =
      encoded_formats[static_cast<std::size_t>(*integers(0, std::ssize(encoded_formats) - 1, "format"))];
  rows.rows = *integers(1, most_rows, "rows");
  rows.blocks =
      *integers(1, std::max<std::int64_t>(1, most_elements / rows.layout().length), "blocks of a row");
  rows.numbers = static_cast<RowNumbers>(*integers(0, kinds - 1, "numbers"));
  rows.seed = static_cast<std::uint64_t>(*integers(0, std::int64_t{1} << 40, "seed"));
  rows.kept = *kept_of(rows.rows * rows.columns()).as("elements that are not 0");
  return rows;
}

std::vector<Rows> rows_of_every_kind(std::int64_t elements, std::uint64_t seed, int kinds) {
  std::vector<Rows> made;
  for (const BlockFormat format : encoded_formats)
    for (int kind = 0; kind < kinds; ++kind) {
      Rows rows;
      rows.format = format;
      rows.blocks = elements / rows.layout().length;
      rows.numbers = static_cast<RowNumbers>(kind);
      rows.seed = seed;
      made.push_back(rows);
    }
  return made;
}

}  // namespace assay::validation
