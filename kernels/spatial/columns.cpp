#include "kernels/spatial/columns.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <numeric>
#include <utility>

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::spatial {

std::vector<Coordinate> coordinates(std::initializer_list<Rows> parts) {
  std::vector<Coordinate> all;
  for (const Rows& part : parts)
    for (std::int64_t c = 0; c < part.d; ++c) all.push_back({part.data + c, part.d});
  return all;
}

Columns::Columns(std::span<const Coordinate> coordinates, std::span<const std::int32_t> order)
    : n_(static_cast<std::int64_t>(order.size())),
      d_(static_cast<std::int64_t>(coordinates.size())),
      // an odd number of cache lines apart, so that the columns of one point do not share a cache set
      stride_(((n_ + kPadding - 1) / kPadding + 1) * kPadding + 8),
      memory_(DType::f64, {std::max<std::int64_t>(d_, 1) * stride_}),
      values_(memory_.as<double>().data()) {
  std::fill_n(values_, d_ * stride_, std::numeric_limits<double>::quiet_NaN());
  assign(0, coordinates, order);
}

void Columns::assign(std::int64_t first, std::span<const Coordinate> coordinates,
                     std::span<const std::int32_t> order) {
  for (const Coordinate& coordinate : coordinates) {
    double* column = values_ + stride_ * first++;
    for (const std::int32_t row : order) *column++ = coordinate(row);
  }
}

namespace {

/// Maps doubles to integers of the same order; the two zeros become one.
std::uint64_t key_of(double value, bool not_turned) {
  const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);
  return bits ^ ((bits >> 63) != 0 && !not_turned ? ~std::uint64_t{0} : std::uint64_t{1} << 63);
}

}  // namespace

std::vector<std::int32_t> sorted_order(Coordinate coordinate, std::int64_t n) {
  constexpr int kBits = 11;
  constexpr int kPasses = 6;
  constexpr std::size_t kBuckets = std::size_t{1} << kBits;
  struct Item {
    std::uint64_t key;
    std::int32_t row;
  };
  const auto size = static_cast<std::size_t>(n);
  std::vector<std::int32_t> order(size);
  if (n < 256) {  // the counts would cost more than the comparisons
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      const double left = coordinate(a), right = coordinate(b);
      return left < right || (left == right && a < b);
    });
    return order;
  }
  std::vector<Item> items(size), other(size);
  std::vector<std::array<std::uint32_t, kBuckets>> counts(kPasses);
  const bool not_turned = mutant("te.range_count.negative_keys_not_turned");
  const int passes = kPasses - (mutant("te.knn.sorting_pass_lost") ? 1 : 0);
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t key = key_of(coordinate(static_cast<std::int64_t>(i)), not_turned);
    items[i] = {key, static_cast<std::int32_t>(i)};
    for (int pass = 0; pass < kPasses; ++pass)
      ++counts[static_cast<std::size_t>(pass)][(key >> (pass * kBits)) & (kBuckets - 1)];
  }
  for (int pass = 0; pass < passes; ++pass) {
    auto& count = counts[static_cast<std::size_t>(pass)];
    const int shift = pass * kBits;
    if (count[(items[0].key >> shift) & (kBuckets - 1)] == size) continue;  // all alike here
    std::uint32_t sum = 0;
    for (std::uint32_t& entry : count) sum += std::exchange(entry, sum);
    for (const Item& item : items) other[count[(item.key >> shift) & (kBuckets - 1)]++] = item;
    items.swap(other);
  }
  std::transform(items.begin(), items.end(), order.begin(), [](const Item& item) { return item.row; });
  return order;
}

std::int64_t widest_coordinate(std::span<const Coordinate> coordinates, std::int64_t n, std::int64_t first,
                               std::int64_t last) {
  constexpr std::int64_t kSample = 1024;
  const std::int64_t step = std::max<std::int64_t>(n / kSample, 1);
  std::int64_t best = first;
  double best_width = -1;
  std::vector<double> sample;
  for (std::int64_t c = first; c < last && last - first > 1; ++c) {
    sample.clear();
    for (std::int64_t i = 0; i < n; i += step) sample.push_back(coordinates[static_cast<std::size_t>(c)](i));
    const auto quarter = static_cast<std::ptrdiff_t>(sample.size() / 4);
    const auto low = sample.begin() + quarter;
    std::nth_element(sample.begin(), low, sample.end());
    const double low_value = sample.empty() ? 0 : *low;
    const auto high = sample.end() - 1 - quarter;
    std::nth_element(sample.begin(), high, sample.end());
    const double width = sample.empty() ? 0 : *high - low_value;
    if (width > best_width) {
      best_width = width;
      best = c;
    }
  }
  return best;
}

}  // namespace assay::kernels::spatial
