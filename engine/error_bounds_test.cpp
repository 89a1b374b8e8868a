#include "engine/error_bounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/runtime/philox.hpp"
#include "engine/tensors/half.hpp"

namespace assay {
namespace {

/// A float with its bound, computed step by step as a body would.
struct Computed {
  float value;
  Bounded bound;
};

/// Holds every step to its bound; remembers the largest share of it that was used.
class Held {
 public:
  void operator()(double computed, const Bounded& bound) {
    const double off = std::fabs(computed - bound.exact);
    ASSERT_LE(off, bound.error) << computed << " for " << bound.exact;
    if (bound.error > 0) used_ = std::max(used_, off / bound.error);
  }
  double used() const { return used_; }

 private:
  double used_ = 0;
};

/// Of either sign, over many magnitudes.
double drawn(Philox& random) {
  const double magnitude = std::ldexp(1 + random.uniform(), static_cast<int>(random.below(40)) - 20);
  return random.below(2) == 0 ? magnitude : -magnitude;
}

Computed given(Philox& random) {
  const auto value = static_cast<float>(drawn(random));
  return {value, exactly(value)};
}

TEST(ErrorBounds, EveryStepHolds) {
  Philox random(1, 0);
  Held held;
  for (int trial = 0; trial < 50'000; ++trial) {
    const Computed a = given(random), b = given(random);
    // products and differences of what was itself computed, so that errors meet errors
    const Computed ab{a.value * b.value, product(a.bound, b.bound, in_float)};
    held(ab.value, ab.bound);
    const Computed less{ab.value - a.value, difference(ab.bound, a.bound, in_float)};
    held(less.value, less.bound);
    const Computed more{less.value + ab.value, sum(less.bound, ab.bound, in_float)};
    held(more.value, more.bound);
    const Bounded over = quotient(more.bound, b.bound, in_float);
    held(more.value / b.value, over);
    held(std::max(more.value, a.value), maximum(more.bound, a.bound));
    const Bounded again = quotient(a.bound, ab.bound, in_float);
    held(a.value / ab.value, again);
  }
  EXPECT_GT(held.used(), 0.9);  // not loose: some step comes close
}

TEST(ErrorBounds, SumsHoldInAnyOrder) {
  Philox random(2, 0);
  Held held;
  for (int trial = 0; trial < 2'000; ++trial) {
    const std::size_t n = 1 + random.below(300);
    std::vector<Computed> terms;
    Terms exact;
    for (std::size_t i = 0; i < n; ++i) {
      const Computed a = given(random), b = given(random);
      terms.push_back({a.value * b.value, product(a.bound, b.bound, in_float)});
      exact.add(terms.back().bound);
    }
    float running = terms[0].value;
    for (std::size_t i = 1; i < n; ++i) running += terms[i].value;
    held(running, sum(exact, static_cast<double>(n - 1), in_float));
    double depth = 0;
    std::vector<float> tree;
    for (const Computed& term : terms) tree.push_back(term.value);
    for (; tree.size() > 1; ++depth) {
      for (std::size_t i = 0; 2 * i < tree.size(); ++i)
        tree[i] = 2 * i + 1 < tree.size() ? tree[2 * i] + tree[2 * i + 1] : tree[2 * i];
      tree.resize((tree.size() + 1) / 2);
    }
    held(tree[0], sum(exact, depth, in_float));
  }
  EXPECT_GT(held.used(), 0.2);
}

TEST(ErrorBounds, ExpAndLogHold) {
  Philox random(3, 0);
  Held held;
  for (int trial = 0; trial < 50'000; ++trial) {
    const float a = static_cast<float>(20 * random.uniform() - 10),
                b = static_cast<float>(20 * random.uniform() - 10);
    const Bounded less = difference(exactly(a), exactly(b), in_float);
    // exp and log of double, rounded: half a unit in the last place and a little, less than 2 u
    const auto grown = static_cast<float>(std::exp(static_cast<double>(a - b)));
    const Bounded exponent = exponential(less, 2, in_float);
    held(grown, exponent);
    const Bounded back = logarithm(exponent, 2, in_float);
    held(static_cast<float>(std::log(static_cast<double>(grown))), back);
  }
  EXPECT_GT(held.used(), 0.4);
}

TEST(ErrorBounds, StoredTypesHold) {
  Philox random(4, 0);
  Held held;
  for (int trial = 0; trial < 50'000; ++trial) {
    const auto a = static_cast<float>(std::ldexp(random.uniform(), static_cast<int>(random.below(55)) - 40)),
               b = static_cast<float>(random.uniform());
    const Bounded ab = product(exactly(a), exactly(b), in_float);
    held(to_float(from_float<Half>(a * b)), rounded(ab, in_half));
    held(to_float(from_float<BFloat16>(a * b)), rounded(ab, in_bfloat16));
  }
  EXPECT_GT(held.used(), 0.9);
}

TEST(ErrorBounds, NothingIsKnownBeyondTheModel) {
  EXPECT_TRUE(std::isinf(gamma(0x1p24, in_float)));
  EXPECT_TRUE(std::isinf(quotient(exactly(1), {1, 1}, in_float).error));
  EXPECT_TRUE(std::isinf(logarithm({1, 2}, 1, in_float).error));
  EXPECT_TRUE(std::isinf(product({std::nan(""), 1}, exactly(2), in_float).error));
}

// A step that is left out, and a step of fewer bits, are outside: the bound is not a tolerance.
TEST(ErrorBounds, RejectWhatWasNotComputed) {
  Philox random(5, 0);
  int outside_half = 0, outside_lost = 0;
  for (int trial = 0; trial < 1'000; ++trial) {
    Terms exact;
    float running = 0, lost = 0, coarse = 0;
    for (int i = 0; i < 64; ++i) {
      const auto term = static_cast<float>(random.uniform());
      exact.add(exactly(term));
      running += term;
      if (i != 63) lost += term;
      coarse = to_float(from_float<Half>(coarse + term));
    }
    const Bounded whole = sum(exact, 63, in_float);
    EXPECT_LE(std::fabs(running - whole.exact), whole.error);
    outside_lost += std::fabs(lost - whole.exact) > whole.error;
    outside_half += std::fabs(coarse - whole.exact) > whole.error;
  }
  EXPECT_GT(outside_lost, 990);
  EXPECT_GT(outside_half, 900);
}

}  // namespace
}  // namespace assay
