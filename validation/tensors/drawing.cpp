// How recipes of tensors are drawn, and shrunk.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "engine/analysis/splitmix.hpp"
#include "validation/kept.hpp"
#include "validation/tensors/ill_conditioned.hpp"
#include "validation/tensors/recipe.hpp"

namespace assay::validation {

namespace {

using analysis::SplitMix64;

std::int64_t between(SplitMix64& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random.uniform() * static_cast<double>(high - low + 1));
}

bool is_prime(std::int64_t n) {
  for (std::int64_t divisor = 2; divisor * divisor <= n; ++divisor)
    if (n % divisor == 0) return false;
  return n > 1;
}

std::vector<Numbers> allowed_numbers(const TensorLimits& limits) {
  if (!limits.numbers.empty()) return limits.numbers;
  std::vector<Numbers> all;
  for (int i = 0; i < number_classes; ++i) all.push_back(static_cast<Numbers>(i));
  return all;
}

/// Extents below n, rising: the edges, and steps towards n that halve.
std::vector<std::int64_t> smaller_extents(const AxisLimits& axis, std::int64_t n) {
  std::vector<std::int64_t> sizes = edges_of(axis);
  for (std::int64_t step = (n - axis.least) / 2; step > 0; step /= 2) sizes.push_back(n - step);
  std::erase_if(sizes, [&](std::int64_t size) { return size < axis.least || size >= n; });
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

/// The recipe for `extent` elements of an axis from `from` on.
TensorRecipe cut(const TensorRecipe& recipe, std::size_t axis, std::int64_t from, std::int64_t extent) {
  TensorRecipe part = recipe;
  part.shape[axis] = extent;
  if (part.origin.empty()) part.origin.assign(part.shape.size(), 0);
  part.origin[axis] += from;
  if (part.shape.size() < 2) part.placement.row_gap = 0;
  if (!part.kept) return part;
  // Elements of one index of the axis lie `inner` at a time side by side.
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < recipe.shape.size(); ++i) inner *= recipe.shape[i];
  std::vector<std::int64_t> kept;
  for (const std::int64_t index : *part.kept) {
    const std::int64_t at = index / inner % recipe.shape[axis];
    if (at < from || at >= from + extent) continue;
    const std::int64_t outer = index / inner / recipe.shape[axis];
    kept.push_back((outer * extent + at - from) * inner + index % inner);
  }
  part.kept = std::move(kept);
  return part;
}

void add_smaller_shapes(std::vector<TensorRecipe>& made, const TensorRecipe& recipe,
                        const TensorLimits& limits) {
  for (std::size_t axis = 0; axis < recipe.shape.size(); ++axis)
    for (const std::int64_t extent : smaller_extents(limits.axes[axis], recipe.shape[axis])) {
      made.push_back(cut(recipe, axis, 0, extent));
      if (extent > 0) made.push_back(cut(recipe, axis, recipe.shape[axis] - extent, extent));
    }
}

void add_fewer_non_zeros(std::vector<TensorRecipe>& made, const TensorRecipe& recipe) {
  for (auto& kept : fewer(held_by(recipe.values()))) {
    made.push_back(recipe);
    made.back().kept = std::move(kept);
  }
}

void add_simpler_values(std::vector<TensorRecipe>& made, const TensorRecipe& recipe,
                        const TensorLimits& limits) {
  const auto with = [&](auto&& change) {
    TensorRecipe candidate = recipe;
    change(candidate);
    made.push_back(std::move(candidate));
  };
  const std::vector<Numbers> numbers = allowed_numbers(limits);
  for (const Numbers simple : numbers) {
    if (simple == recipe.numbers) break;
    with([&](TensorRecipe& r) { r.numbers = simple; });
  }
  if (recipe.exponent != 0) with([](TensorRecipe& r) { r.exponent = 0; });
  if (TensorRecipe cut_down = recipe; !recipe.powers_of_two) {
    cut_down.powers_of_two = true;
    if (cut_down.values() != recipe.values()) made.push_back(std::move(cut_down));
  }
  if (recipe.numbers == Numbers::ill_conditioned)
    for (int bits = 0; bits < recipe.condition_bits; bits += std::max(1, (recipe.condition_bits - bits) / 2))
      with([&](TensorRecipe& r) { r.condition_bits = bits; });
  for (std::uint64_t seed = 0; seed < std::min<std::uint64_t>(recipe.seed, 3); ++seed)
    with([&](TensorRecipe& r) { r.seed = seed; });
}

}  // namespace

std::vector<std::int64_t> edges_of(const AxisLimits& axis) {
  std::set<std::int64_t> edges = {0, 1, 2, 3, axis.least, axis.most};
  for (const std::int64_t tile : axis.tiles) {
    for (const std::int64_t whole : {tile, 2 * tile})
      for (std::int64_t beside = -1; beside <= 1; ++beside) edges.insert(whole + beside);
    for (std::int64_t prime = tile - 1; prime > 1; --prime)
      if (is_prime(prime)) {
        edges.insert(prime);
        break;
      }
    std::int64_t above = tile + 1;
    while (!is_prime(above)) ++above;
    edges.insert(above);
  }
  std::vector<std::int64_t> within;
  std::copy_if(edges.begin(), edges.end(), std::back_inserter(within),
               [&](std::int64_t edge) { return edge >= axis.least && edge <= axis.most; });
  return within;
}

rc::Gen<TensorRecipe> tensors(TensorLimits limits) {
  return rc::Gen<TensorRecipe>([limits](const rc::Random& state, int) {
    SplitMix64 random(rc::Random(state).next());
    TensorRecipe recipe;
    const auto one_of = [&](const auto& values) {
      return values[static_cast<std::size_t>(
          between(random, 0, static_cast<std::int64_t>(values.size()) - 1))];
    };
    recipe.type = one_of(limits.types);
    recipe.shape.clear();
    std::int64_t elements = 1;
    for (const AxisLimits& axis : limits.axes) {
      std::int64_t extent =
          random.uniform() < 0.75 ? one_of(edges_of(axis)) : between(random, axis.least, axis.most);
      extent =
          std::max(axis.least, std::min(extent, limits.most_elements / std::max<std::int64_t>(1, elements)));
      recipe.shape.push_back(extent);
      elements *= std::max<std::int64_t>(1, extent);
    }
    recipe.numbers = one_of(allowed_numbers(limits));
    recipe.exponent = static_cast<int>(between(random, limits.least_exponent, limits.most_exponent));
    recipe.condition_bits = static_cast<int>(between(random, 1, most_condition_bits(recipe.type)));
    if (random.uniform() < 0.5) recipe.placement.offset = between(random, 0, limits.most_offset);
    if (random.uniform() < 0.5 && recipe.shape.size() > 1)
      recipe.placement.row_gap = between(random, 0, limits.most_row_gap);
    recipe.seed = random.next() % 1'000'000;
    return rc::shrinkable::shrinkRecur(recipe, [limits](const TensorRecipe& larger) {
      return rc::seq::fromContainer(simpler(larger, limits));
    });
  });
}

std::vector<TensorRecipe> simpler(const TensorRecipe& recipe, const TensorLimits& limits) {
  std::vector<TensorRecipe> made;
  add_smaller_shapes(made, recipe, limits);
  if (recipe.placement.offset > 0 || recipe.placement.row_gap > 0) {
    for (const std::int64_t offset : {std::int64_t{0}, std::int64_t{1}, recipe.placement.offset / 2})
      if (offset < recipe.placement.offset) {
        made.push_back(recipe);
        made.back().placement.offset = offset;
      }
    for (const std::int64_t gap : {std::int64_t{0}, std::int64_t{1}, recipe.placement.row_gap / 2})
      if (gap < recipe.placement.row_gap) {
        made.push_back(recipe);
        made.back().placement.row_gap = gap;
      }
  }
  add_fewer_non_zeros(made, recipe);
  add_simpler_values(made, recipe, limits);
  return made;
}

}  // namespace assay::validation
