#include "validation/generators.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <ostream>

#include "engine/analysis/splitmix.hpp"

namespace assay::validation {

namespace {

using analysis::SplitMix64;

constexpr std::array filling_names = {"grid",     "gaussian",   "cauchy", "quantised",
                                      "constant", "duplicates", "ladder", "mixed"};

std::int64_t below(SplitMix64& random, std::int64_t count) {
  return static_cast<std::int64_t>(random.uniform() * static_cast<double>(count));
}

double draw(const Cloud& cloud, SplitMix64& random, std::int64_t row, std::int64_t column) {
  switch (cloud.filling) {
    case Filling::grid:
      return static_cast<double>(below(random, 8));
    case Filling::gaussian:
    case Filling::duplicates:
      return random.irwin_hall();
    case Filling::cauchy:
      return std::tan(std::numbers::pi * (random.uniform() - 0.5) * 0.999999);
    case Filling::quantised:
      return std::round(random.irwin_hall() * 4) / 4;
    case Filling::constant:
      return 1.5;
    case Filling::ladder:
      return static_cast<double>(row);
    case Filling::mixed:
      return std::ldexp(random.irwin_hall(), static_cast<int>((column * 7) % 3) * 10);
  }
  return 0;
}

std::int64_t draw_rows(SplitMix64& random, const CloudLimits& limits) {
  constexpr std::array<std::int64_t, 23> edges = {1,  2,  3,  4,  5,  7,   8,   9,   15,  16,  17, 31,
                                                  32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257};
  if (random.uniform() < 0.5) {
    const std::int64_t edge = edges[static_cast<std::size_t>(below(random, edges.size()))];
    if (edge >= limits.min_rows && edge <= limits.max_rows) return edge;
  }
  return limits.min_rows + below(random, limits.max_rows - limits.min_rows + 1);
}

std::vector<Filling> allowed_fillings(const CloudLimits& limits) {
  if (!limits.fillings.empty()) return limits.fillings;
  std::vector<Filling> all(filling_count);
  for (int i = 0; i < filling_count; ++i) all[static_cast<std::size_t>(i)] = static_cast<Filling>(i);
  return all;
}

/// The elements of the cloud that are kept, as far as they lie in its first rows and columns.
Kept kept_within(const Cloud& cloud, std::int64_t rows, std::int64_t columns) {
  if (!cloud.kept.only) return {};
  Kept left{std::vector<std::int64_t>{}};
  for (const std::int64_t index : *cloud.kept.only) {
    const std::int64_t row = index / cloud.columns, column = index % cloud.columns;
    if (row < rows && column < columns) left.only->push_back(row * columns + column);
  }
  return left;
}

}  // namespace

std::string_view name_of(Filling filling) {
  return filling_names[static_cast<std::size_t>(filling)];
}

std::vector<double> Cloud::values() const {
  SplitMix64 random(seed);
  std::vector<double> made(static_cast<std::size_t>(rows * columns));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      double& value = made[static_cast<std::size_t>(row * columns + column)];
      value = draw(*this, random, row, column);
      if (filling == Filling::duplicates && row % 3 != 0) {
        value = made[static_cast<std::size_t>((row - row % 3) * columns + column)];
      }
    }
  }
  kept.apply(made);
  for (double& value : made) value = std::ldexp(rounded ? std::round(value) : value, exponent);
  return made;
}

Tensor Cloud::tensor() const {
  return Tensor::from(values(), {rows, columns});
}

std::ostream& operator<<(std::ostream& out, const Cloud& cloud) {
  out << cloud.rows << " x " << cloud.columns << " " << name_of(cloud.filling) << ", seed " << cloud.seed;
  if (cloud.exponent != 0) out << ", times 2^" << cloud.exponent;
  if (cloud.kept.only) out << ", not 0: " << cloud.kept;
  if (cloud.rounded) out << ", rounded";
  return out;
}

std::vector<Cloud> simpler(const Cloud& cloud, const CloudLimits& limits) {
  std::vector<Cloud> made;
  const auto with = [&](auto&& change) {
    Cloud candidate = cloud;
    change(candidate);
    made.push_back(candidate);
  };
  const std::int64_t least =
      std::min(limits.least_rows < 0 ? limits.min_rows : limits.least_rows, cloud.rows);
  for (std::int64_t step = cloud.rows - least; step > 0; step /= 2)
    with([&](Cloud& c) {
      c.rows -= step;
      c.kept = kept_within(cloud, c.rows, c.columns);
    });
  for (std::int64_t columns : {limits.min_columns, cloud.columns - 1}) {
    if (columns >= limits.min_columns && columns < cloud.columns)
      with([&](Cloud& c) {
        c.columns = columns;
        c.kept = kept_within(cloud, c.rows, columns);
      });
  }
  if (cloud.exponent != 0) with([](Cloud& c) { c.exponent = 0; });
  for (auto& only : fewer(held_by(cloud.values()))) with([&](Cloud& c) { c.kept.only = std::move(only); });
  if (!cloud.rounded) with([](Cloud& c) { c.rounded = true; });
  const std::vector<Filling> fillings = allowed_fillings(limits);
  const auto position = std::find(fillings.begin(), fillings.end(), cloud.filling);
  for (auto filling = fillings.begin(); filling != position; ++filling) {
    with([&](Cloud& c) { c.filling = *filling; });
  }
  for (std::uint64_t seed = 0; seed < std::min<std::uint64_t>(cloud.seed, 3); ++seed) {
    with([&](Cloud& c) { c.seed = seed; });
  }
  return made;
}

rc::Gen<Cloud> clouds(CloudLimits limits) {
  return rc::Gen<Cloud>([limits](const rc::Random& state, int) {
    SplitMix64 random(rc::Random(state).next());
    Cloud cloud;
    cloud.rows = draw_rows(random, limits);
    cloud.columns = limits.min_columns + below(random, limits.max_columns - limits.min_columns + 1);
    const std::vector<Filling> fillings = allowed_fillings(limits);
    cloud.filling =
        fillings[static_cast<std::size_t>(below(random, static_cast<std::int64_t>(fillings.size())))];
    if (random.uniform() < 0.2) {
      cloud.exponent = static_cast<int>(below(random, 2 * limits.max_exponent + 1)) - limits.max_exponent;
    }
    cloud.seed = random.next() % 1000000;
    return rc::shrinkable::shrinkRecur(
        cloud, [limits](const Cloud& larger) { return rc::seq::fromContainer(simpler(larger, limits)); });
  });
}

rc::Gen<std::int64_t> integers(std::int64_t low, std::int64_t high, const char* name) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::int64_t>(low, high + 1)).as(name);
}

std::vector<std::int64_t> split_trials(std::int64_t rows, std::int64_t count, std::uint64_t seed) {
  count = std::max<std::int64_t>(1, std::min(count, rows));
  SplitMix64 random(seed);
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(count), 1);
  for (std::int64_t left = rows - count; left > 0;) {
    const std::int64_t part = std::min(left, 1 + below(random, std::max<std::int64_t>(1, 2 * rows / count)));
    lengths[static_cast<std::size_t>(below(random, count))] += part;
    left -= part;
  }
  return lengths;
}

std::vector<std::int64_t> permutation(std::int64_t n, std::uint64_t seed) {
  SplitMix64 random(seed);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = n - 1; i > 0; --i) {
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(below(random, i + 1))]);
  }
  return order;
}

}  // namespace assay::validation
