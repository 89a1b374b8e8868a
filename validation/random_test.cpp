// Whether the generator and its permutations have the distributions that they state. Every check is a
// function of what draws, and is also handed something wrong, which it must find red. Seeds are fixed, so
// that a check gives one answer; over seeds, one of what is right is red with probability 1e-12
// (validation/README.md).

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/runtime/philox.hpp"
#include "validation/goodness.hpp"
#include "validation/goodness_power.hpp"

namespace assay::validation {
namespace {

testing::AssertionResult fits(const Goodness& seen) {
  if (seen.red || seen.degrees_of_freedom < 1) return testing::AssertionFailure() << seen.words();
  return testing::AssertionSuccess() << seen.words();
}

/// `categories` equally likely ones, each with a bin of its own, drawn one after the other from a generator.
template <typename Generator = Philox, typename Category>
Goodness equally_likely(std::int64_t categories, std::int64_t draws, const Category& category) {
  const DrawCategories draw = [&](std::uint64_t seed, std::int64_t count) {
    Generator random(seed);
    std::vector<std::int64_t> drawn(static_cast<std::size_t>(count));
    for (std::int64_t& one : drawn) one = static_cast<std::int64_t>(category(random));
    return drawn;
  };
  return goodness_of_fit(uniform_probabilities(categories), draw, draws, 1, {.alone_above = 0});
}

// ---- words

/// Every eighth word has bit 9 set whatever was drawn.
struct StuckBit {
  explicit StuckBit(std::uint64_t seed) : random(seed) {}
  std::uint32_t next_u32() { return random.next_u32() | (count++ % 8 == 0 ? 1u << 9 : 0u); }
  Philox random;
  unsigned count = 0;
};

template <typename Generator>
Goodness bit(int index) {
  return equally_likely<Generator>(2, 50'000, [=](Generator& g) { return g.next_u32() >> index & 1; });
}
template <typename Generator>
Goodness byte(int index) {
  return equally_likely<Generator>(256, 80'000,
                                   [=](Generator& g) { return g.next_u32() >> 8 * index & 255; });
}

TEST(Random, EveryBitAndEveryByteIsUniform) {
  for (int index = 0; index < 32; ++index) EXPECT_TRUE(fits(bit<Philox>(index))) << "bit " << index;
  for (int index = 0; index < 4; ++index) EXPECT_TRUE(fits(byte<Philox>(index))) << "byte " << index;
  EXPECT_TRUE(fits(byte<StuckBit>(0)));
  EXPECT_FALSE(fits(byte<StuckBit>(1)));
  EXPECT_FALSE(fits(bit<StuckBit>(9)));
}

// ---- below

/// The remainder of 12 bits: 4096 is no multiple of most numbers.
std::uint64_t remainder_of_12_bits(Philox& random, std::uint64_t count) {
  return (random.next_u32() >> 20) % count;
}
/// The remainder of 64 bits, which is biased for large numbers alone.
std::uint64_t remainder(Philox& random, std::uint64_t count) {
  return random.next_u64() % count;
}
std::uint64_t below(Philox& random, std::uint64_t count) {
  return random.below(count);
}
using Below = std::uint64_t (*)(Philox&, std::uint64_t);

Goodness values_below(Below draw, std::uint64_t count) {
  const auto categories = static_cast<std::int64_t>(count);
  return equally_likely(categories, std::max<std::int64_t>(60'000, 150 * categories),
                        [=](Philox& random) { return draw(random, count); });
}
/// For a number too large to be counted: sixteen slices of it, which are as long as each other to 2^-28.
Goodness slices_below(Below draw, std::uint64_t count) {
  return equally_likely(16, 40'000, [=](Philox& random) {
    return std::min<std::uint64_t>(15, draw(random, count) / (count / 16));
  });
}

TEST(Random, BelowHasNoBias) {
  for (const std::uint64_t count : {2, 3, 5, 6, 7, 10, 64, 100, 1000})
    EXPECT_TRUE(fits(values_below(below, count))) << "of " << count;
  for (const std::uint64_t count : {(std::uint64_t{1} << 32) + 1, (std::uint64_t{1} << 63) + 1,
                                    std::uint64_t{3} << 62, ~std::uint64_t{0}})
    EXPECT_TRUE(fits(slices_below(below, count))) << "of " << count;

  EXPECT_TRUE(fits(values_below(remainder_of_12_bits, 64)));  // 4096 is a multiple of 64
  EXPECT_FALSE(fits(values_below(remainder_of_12_bits, 2500)));
  EXPECT_FALSE(fits(values_below(remainder_of_12_bits, 1000)));
  EXPECT_FALSE(fits(slices_below(remainder, std::uint64_t{3} << 62)));
  const Goodness one_too_many = equally_likely(6, 20'000, [](Philox& random) { return random.below(7); });
  EXPECT_EQ(one_too_many.outside, 6);
  EXPECT_FALSE(fits(equally_likely(6, 20'000, [](Philox& random) { return random.below(5); })));
}

// ---- uniform and normal numbers

Goodness low_byte(int bits, const std::function<double(Philox&)>& uniform) {
  return equally_likely(256, 80'000, [&](Philox& random) {
    return static_cast<std::uint64_t>(std::ldexp(uniform(random), bits)) & 255;
  });
}
Goodness sixty_fourths(const std::function<double(Philox&)>& uniform) {
  return equally_likely(64, 80'000, [&](Philox& random) { return std::floor(64 * uniform(random)); });
}
double normal_probability(double value) {
  return std::min(0.5 * std::erfc(-value * std::sqrt(0.5)), 1 - 0x1p-53);
}

TEST(Random, UniformsAreUniformToTheirLastBit) {
  const auto of_double = [](Philox& random) { return random.uniform(); };
  const auto of_float = [](Philox& random) { return static_cast<double>(random.uniform_float()); };
  EXPECT_TRUE(fits(sixty_fourths(of_double)));
  EXPECT_TRUE(fits(sixty_fourths(of_float)));
  EXPECT_TRUE(fits(low_byte(53, of_double)));
  EXPECT_TRUE(fits(low_byte(24, of_float)));

  EXPECT_FALSE(fits(low_byte(53, of_float)));           // a float in place of a double
  EXPECT_FALSE(fits(sixty_fourths([](Philox& random) {  // the larger of two, now and then
    const double first = random.uniform();
    return random.below(20) == 0 ? std::max(first, random.uniform()) : first;
  })));
}

TEST(Random, NormalsAreNormal) {
  EXPECT_TRUE(fits(sixty_fourths([](Philox& random) { return normal_probability(random.normal()); })));
  EXPECT_FALSE(fits(sixty_fourths([](Philox& random) {  // the sum of three uniforms, of the same variance
    double sum = -1.5;
    for (int i = 0; i < 3; ++i) sum += random.uniform();
    return normal_probability(2 * sum);
  })));
}

// ---- independence

/// A pair of words as four bits of each: the highest, or the lowest.
std::int64_t cell(std::uint32_t first, std::uint32_t second, bool highest) {
  return highest ? (first >> 28) << 4 | second >> 28 : (first & 15) << 4 | (second & 15);
}

template <typename Generator>
Goodness serial_pairs(int lag, bool highest) {
  return equally_likely<Generator>(256, 80'000, [=](Generator& random) {
    const std::uint32_t first = random.next_u32();
    for (int between = 1; between < lag; ++between) random.next_u32();
    return cell(first, random.next_u32(), highest);
  });
}

/// Knuth's multiplier, without anything done to what comes out: the lowest bits have a period of 16.
struct Congruential {
  explicit Congruential(std::uint64_t seed) : state(static_cast<std::uint32_t>(seed)) {}
  std::uint32_t next_u32() { return state = state * 1664525u + 1013904223u; }
  std::uint32_t state;
};

TEST(Random, WordsOfAStreamAreIndependent) {
  for (const int lag : {1, 2, 3, 4, 5, 8})
    for (const bool highest : {true, false})
      EXPECT_TRUE(fits(serial_pairs<Philox>(lag, highest))) << "lag " << lag << ", highest " << highest;
  EXPECT_FALSE(fits(serial_pairs<Congruential>(1, false)));
}

/// The first words of two neighbouring streams, or seeds, as `make(seed, index)` has them.
Goodness neighbours(const std::function<Philox(std::uint64_t, std::uint64_t)>& make, bool highest) {
  const DrawCategories draw = [&](std::uint64_t seed, std::int64_t count) {
    std::vector<std::int64_t> drawn;
    for (std::int64_t pair = 0; pair < count; ++pair) {
      const auto index = static_cast<std::uint64_t>(2 * pair);
      Philox first = make(seed, index), second = make(seed, index + 1);
      first.next_u32();  // a stream that begins one word later has its words one earlier
      drawn.push_back(cell(first.next_u32(), second.next_u32(), highest));
    }
    return drawn;
  };
  return goodness_of_fit(uniform_probabilities(256), draw, 80'000, 1, {.alone_above = 0});
}

TEST(Random, StreamsSeedsAndBlocksAreIndependent) {
  for (const bool highest : {true, false}) {
    EXPECT_TRUE(fits(neighbours([](auto seed, auto index) { return Philox(seed, index); }, highest)));
    EXPECT_TRUE(fits(neighbours(
        [](auto seed, auto index) { return Philox(seed, std::uint64_t{2} << 32 | index); }, highest)));
    EXPECT_TRUE(fits(neighbours([](auto seed, auto index) { return Philox(seed + index); }, highest)));
    EXPECT_TRUE(fits(neighbours([](auto seed, auto index) { return Philox(seed, 0, index); }, highest)));
    // a seed for all, and streams that are one sequence begun a word apart
    EXPECT_FALSE(fits(neighbours([](auto seed, auto) { return Philox(seed); }, highest)));
    EXPECT_FALSE(fits(neighbours(
        [](auto seed, auto index) {
          Philox begun(seed, index / 2);
          if (index % 2 == 1) begun.next_u32();
          return begun;
        },
        highest)));
  }
}

// ---- permutations

using Shuffle = std::function<void(Philox&, std::vector<std::int64_t>&)>;

void right_shuffle(Philox& random, std::vector<std::int64_t>& order) {
  random.permutation(order.data(), order.size());
}
/// Every place is exchanged with any place: n^n outcomes, which n! does not divide.
void naive_shuffle(Philox& random, std::vector<std::int64_t>& order) {
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t& value : order) std::swap(value, order[random.below(order.size())]);
}
/// A place is never exchanged with itself (Sattolo): one cycle through all places.
void cyclic_shuffle(Philox& random, std::vector<std::int64_t>& order) {
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t last = order.size() - 1; last > 0; --last)
    std::swap(order[last], order[random.below(last)]);
}

/// Number of a permutation among the n! (Lehmer).
std::int64_t rank_of(const std::vector<std::int64_t>& order) {
  std::int64_t rank = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::int64_t smaller = 0;
    for (std::size_t j = i + 1; j < order.size(); ++j) smaller += order[j] < order[i];
    rank = rank * static_cast<std::int64_t>(order.size() - i) + smaller;
  }
  return rank;
}

Goodness orders(const Shuffle& shuffle, std::size_t size) {
  std::int64_t factorial = 1;
  for (std::size_t i = 2; i <= size; ++i) factorial *= static_cast<std::int64_t>(i);
  std::vector<std::int64_t> order(size);
  return equally_likely(factorial, std::max<std::int64_t>(40'000, 1000 * factorial), [&](Philox& random) {
    shuffle(random, order);
    return rank_of(order);
  });
}
/// Where an element ends.
Goodness place_of(const Shuffle& shuffle, std::size_t size, std::int64_t element) {
  std::vector<std::int64_t> order(size);
  return equally_likely(static_cast<std::int64_t>(size), 50'000, [&](Philox& random) {
    shuffle(random, order);
    return std::find(order.begin(), order.end(), element) - order.begin();
  });
}
/// Which two elements stand side by side at a place.
Goodness two_side_by_side(const Shuffle& shuffle, std::size_t size, std::size_t place) {
  const auto others = static_cast<std::int64_t>(size) - 1;
  std::vector<std::int64_t> order(size);
  return equally_likely((others + 1) * others, 300 * others * others, [&](Philox& random) {
    shuffle(random, order);
    const std::int64_t first = order[place], second = order[place + 1];
    return first * others + second - (second > first);
  });
}

TEST(Random, PermutationsAreEquallyLikely) {
  for (const std::size_t size : {2, 3, 4, 5}) EXPECT_TRUE(fits(orders(right_shuffle, size))) << "of " << size;
  for (const std::int64_t element : {0, 1, 24, 48, 49})
    EXPECT_TRUE(fits(place_of(right_shuffle, 50, element))) << "element " << element;
  for (const std::size_t place : {0, 8, 15})
    EXPECT_TRUE(fits(two_side_by_side(right_shuffle, 17, place))) << "place " << place;

  for (const std::size_t size : {4, 5}) {
    EXPECT_FALSE(fits(orders(naive_shuffle, size)));
    EXPECT_FALSE(fits(orders(cyclic_shuffle, size)));
  }
  EXPECT_FALSE(fits(place_of(naive_shuffle, 50, 48)));
  EXPECT_FALSE(fits(place_of(cyclic_shuffle, 50, 24)));
  EXPECT_FALSE(fits(two_side_by_side(naive_shuffle, 17, 8)));
}

// What the checks above find, by their categories and draws.
TEST(Random, AVariationOfThreePercentIsFound) {
  EXPECT_GT(goodness_power(uniform_probabilities(2), std::vector<double>{0.48, 0.52}, 50'000).confirmed,
            0.99);
  for (const auto& [categories, draws] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{256, 80'000},  // bytes, pairs of words
                                                          {16, 40'000},   // slices
                                                          {64, 60'000},   // below, uniform and normal
                                                          {1000, 150'000},
                                                          {24, 40'000},  // orders of 4 and 5
                                                          {120, 120'000},
                                                          {50, 50'000},  // places
                                                          {272, 76'800}}) {
    const auto right = uniform_probabilities(categories);
    const Power power = goodness_power(right, spread_over_tail(right, 0.03, 1), draws, {.alone_above = 0});
    EXPECT_GT(power.confirmed, 0.99) << categories;
  }
}

}  // namespace
}  // namespace assay::validation
