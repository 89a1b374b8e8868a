#include "validation/logits/rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <ostream>

#include "engine/runtime/philox.hpp"
#include "validation/generators.hpp"
#include "validation/tensors/recipe.hpp"

namespace assay::validation::logits {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::array types = {DType::f32, DType::f16, DType::bf16};
// Around words of a mask, vectors, warps, a thread's part of a row and blocks of threads.
constexpr std::array<std::int64_t, 34> edges = {
    1,   2,   3,   4,   5,   7,   8,   9,   15,  16,   17,   31,   32,   33,   63,   64,   65,
    127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 1601, 2047, 2048, 2049, 2099};

double largest_of(DType type) {
  return type == DType::f16 ? 65504 : type == DType::bf16 ? 3.3895313892515355e38 : 3.4028234663852886e38;
}

double value_of(const Rows& rows, std::int64_t token, Philox& random) {
  const double normal = rows.scale * random.normal();
  const std::uint64_t eighth = random.below(8);
  const std::uint64_t choice = random.below(9);
  switch (rows.filling) {
    case RowKind::ladder:
      return -static_cast<double>(token) / 4;
    case RowKind::ties:
      return static_cast<double>(choice) / 2 - 2;
    case RowKind::equal:
      return rows.scale;
    case RowKind::normal:
      return normal;
    case RowKind::peaked:
      return normal + (token == rows.tokens / 2 ? 20 * rows.scale : 0);
    case RowKind::zeros:
      return eighth < 3 ? 0.0 : eighth < 6 ? -0.0 : normal / 16;
    case RowKind::one_finite:
      return token == rows.tokens / 3 ? normal : -infinity;
    case RowKind::none:
      return -infinity;
    case RowKind::infinite:
      return eighth == 0 ? infinity : eighth == 1 ? -infinity : normal;
    case RowKind::nan:
      return eighth == 0 ? std::numeric_limits<double>::quiet_NaN() : normal;
    case RowKind::huge:
      return (eighth < 4 ? 1 : -1) * largest_of(rows.type) * static_cast<double>(choice) / 8;
    case RowKind::tiny:
      return eighth < 6 ? normal * 1e-6 : -80 - 10 * std::fabs(normal);
  }
  return 0;
}

}  // namespace

std::vector<double> Rows::values() const {
  std::vector<double> made;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t token = 0; token < tokens; ++token) {
      Philox random(seed, static_cast<std::uint64_t>(row), static_cast<std::uint64_t>(token) * 4);
      made.push_back(value_of(*this, token, random));
    }
  kept.apply(made);
  return made;
}

void Rows::add_to(HostArguments& arguments) const {
  arguments.inputs.emplace("logits", encode(type, values(), {rows, tokens}));
  if (!masked) return;
  const std::int64_t words = (tokens + 31) / 32;
  std::vector<std::uint32_t> mask;
  for (std::int64_t word = 0; word < rows * words; ++word)
    mask.push_back(Philox(seed, 1'000'000, static_cast<std::uint64_t>(word)).next_u32());
  arguments.inputs.emplace("mask", Tensor::from<std::uint32_t>(mask, {rows, words}));
}

std::ostream& operator<<(std::ostream& out, const Rows& rows) {
  constexpr const char* names[row_kinds] = {"a ladder",   "ties",  "equal",      "normal",
                                            "peaked",     "zeros", "one finite", "nothing but -Inf",
                                            "infinities", "NaN",   "huge",       "tiny differences"};
  out << rows.rows << " x " << rows.tokens << " " << name_of(rows.type) << ", "
      << names[static_cast<std::size_t>(rows.filling)] << ", scale " << rows.scale
      << (rows.masked ? ", masked" : "") << ", seed " << rows.seed;
  if (rows.kept.only) out << ", not 0: " << rows.kept;
  return out;
}

Rows draw(const Limits& limits) {
  Rows rows;
  rows.type = types[static_cast<std::size_t>(*integers(0, 2, "type (f32, f16, bf16)"))];
  rows.rows = *integers(1, limits.most_rows, "rows");
  const auto allowed = std::upper_bound(edges.begin(), edges.end(), limits.most_tokens) - edges.begin();
  rows.tokens = edges[static_cast<std::size_t>(*integers(0, allowed - 1, "tokens (index of an edge)"))];
  const int last = limits.special ? row_kinds - 1 : static_cast<int>(RowKind::peaked);
  rows.filling = static_cast<RowKind>(*integers(0, last, "filling"));
  rows.scale = std::ldexp(1.0, static_cast<int>(*integers(-1, 4, "log2 scale")));
  rows.masked = *integers(0, 3, "mask (1 of 4)") == 3;
  rows.seed = static_cast<std::uint64_t>(*integers(0, std::int64_t{1} << 40, "seed"));
  rows.kept = *kept_of(rows.rows * rows.tokens).as("not 0");
  return rows;
}

}  // namespace assay::validation::logits
