#include "kernels/filters/head.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/runtime/philox.hpp"
#include "kernels/distribution/transforms.hpp"
#include "kernels/distribution/weight.hpp"
#include "kernels/filters/bin_cut.hpp"
#include "kernels/filters/marks.hpp"
#include "kernels/filters/passes.hpp"

namespace assay::kernels::filters {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// body() with each instruction set that this machine has and the sweeps were compiled for.
template <typename Body>
void on_each_target(const Body& body) {
  std::int64_t targets = hwy::SupportedTargets();
  while (targets != 0) {
    const std::int64_t target = targets & -targets;
    targets &= targets - 1;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    SCOPED_TRACE(hwy::TargetName(target));
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
}

template <typename Element>
RawRow raw(DType dtype, const std::vector<Element>& elements) {
  return {dtype, reinterpret_cast<const std::byte*>(elements.data()),
          static_cast<std::int64_t>(elements.size())};
}

/// Hostile logits: around a level, with a spread, and what is not finite or not normal among them.
std::vector<float> hostile(std::int64_t count, double level, double spread, std::uint64_t seed) {
  Philox random(seed);
  std::vector<float> made;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint64_t choice = random.below(64);
    const auto usual = static_cast<float>(level + spread * random.normal());
    made.push_back(choice == 0   ? -infinity
                   : choice == 1 ? not_a_number
                   : choice == 2 ? -0.0F
                   : choice == 3 ? -usual * 1e30F
                   : choice == 4 ? std::numeric_limits<float>::denorm_min()
                                 : usual);
    if (made.back() > level + 20 * spread) made.back() = usual;
  }
  return made;
}

TEST(Sweeps, WidenEverySixteenBitNumber) {
  std::vector<Half> halves(65'536);
  std::vector<BFloat16> brains(65'536);
  for (std::uint32_t bits = 0; bits < 65'536; ++bits) {
    halves[bits].bits = static_cast<std::uint16_t>(bits);
    brains[bits].bits = static_cast<std::uint16_t>(bits);
  }
  on_each_target([&] {
    std::vector<float> from_halves(65'536), from_brains(65'536);
    widen_row(raw(DType::f16, halves), from_halves.data());
    widen_row(raw(DType::bf16, brains), from_brains.data());
    int wrong = 0;
    for (std::size_t i = 0; i < 65'536; ++i) {
      const float half = distribution::canonical(to_float(halves[i]));
      const float brain = distribution::canonical(to_float(brains[i]));
      wrong += std::bit_cast<std::uint32_t>(half) != std::bit_cast<std::uint32_t>(from_halves[i]) ? 1 : 0;
      wrong += std::bit_cast<std::uint32_t>(brain) != std::bit_cast<std::uint32_t>(from_brains[i]) ? 1 : 0;
    }
    EXPECT_EQ(wrong, 0);
  });
}

TEST(Sweeps, DivideLikeOneDivisionAtATime) {
  std::vector<float> logits = hostile(1'003, 3, 10, 1);
  for (float& logit : logits) logit = distribution::canonical(logit);
  on_each_target([&] {
    for (const float temperature : {0.7F, 1e-38F, 1e-3F, 3e38F}) {
      std::vector<float> divided = logits;
      divide(divided.data(), std::ssize(divided), temperature);
      for (std::size_t i = 0; i < logits.size(); ++i)
        EXPECT_EQ(divided[i], distribution::with_temperature(logits[i], temperature));
    }
  });
}

TEST(Sweeps, MarkAndListWhatIsLarge) {
  on_each_target([&] {
    for (const std::int64_t count : {1, 63, 64, 65, 127, 200, 4'099}) {
      const std::vector<float> logits = hostile(count, 0, 1, static_cast<std::uint64_t>(count));
      for (const float bound : {0.0F, -3.0F, 2.0F}) {
        const std::int64_t words = words_of_marks(count);
        std::vector<std::uint64_t> marks(static_cast<std::size_t>(words), ~std::uint64_t{0}), again = marks;
        mark_from(raw(DType::f32, logits), bound, marks.data());
        std::vector<std::int32_t> expected;
        for (std::int64_t i = 0; i < 64 * words; ++i) {
          const bool large = i < count && logits[static_cast<std::size_t>(i)] >= bound;
          EXPECT_EQ((marks[static_cast<std::size_t>(i / 64)] >> (i % 64) & 1u) != 0, large);
          if (large) expected.push_back(static_cast<std::int32_t>(i));
        }
        if (can_sum()) {
          mark_and_sum(raw(DType::f32, logits), bound, 1.4F, bound * 1.4F, again.data());
          EXPECT_EQ(marks, again);
        }
        std::vector<std::int32_t> positions(static_cast<std::size_t>(count) + 68);
        std::vector<float> listed(positions.size());
        const std::int64_t found =
            list_marked(raw(DType::f32, logits), marks.data(), count, listed.data(), positions.data());
        ASSERT_EQ(found, std::ssize(expected));
        for (std::size_t i = 0; i < expected.size(); ++i) {
          EXPECT_EQ(positions[i], expected[i]);
          EXPECT_EQ(listed[i], logits[static_cast<std::size_t>(expected[i])]);
          EXPECT_FALSE(std::signbit(listed[i]) && listed[i] == 0);
        }
      }
    }
  });
}

TEST(Sweeps, CloseTheGapsAtATie) {
  on_each_target([&] {
    Philox random(5);
    for (const std::int64_t count : {1, 15, 16, 17, 100, 1'000}) {
      std::vector<float> logits;
      std::vector<std::int32_t> ids;
      for (std::int64_t i = 0; i < count; ++i) {
        logits.push_back(static_cast<float>(random.below(5)));
        ids.push_back(static_cast<std::int32_t>(3 * i));
      }
      for (const std::int64_t last : {std::int64_t{-1}, count / 3, count - 1}) {
        std::vector<float> left = logits, expected;
        std::vector<std::int32_t> names = ids, expected_names;
        for (std::int64_t i = 0; i < count; ++i) {
          const float logit = logits[static_cast<std::size_t>(i)];
          if (!(logit > 2 || (logit == 2 && i <= last))) continue;
          expected.push_back(logit);
          expected_names.push_back(ids[static_cast<std::size_t>(i)]);
        }
        const std::int64_t kept = keep_above(left.data(), names.data(), count, 2, last);
        ASSERT_EQ(kept, std::ssize(expected));
        left.resize(expected.size());
        names.resize(expected.size());
        EXPECT_EQ(left, expected);
        EXPECT_EQ(names, expected_names);
      }
    }
  });
}

/// Each term alone, over the range of powers: its factor is within the bound that marks.hpp derives.
TEST(Sweeps, EachTermIsWithinItsBound) {
  on_each_target([&] {
    if (!can_sum()) return;
    double most = 0;
    for (int i = 0; i < 400'000; ++i) {
      const float power = -115.0F * static_cast<float>(i + 1) / 400'000;
      const std::vector<float> one = {power};
      std::uint64_t mark = 0;
      const OthersSum sum = mark_and_sum(raw(DType::f32, one), 0, 1, 0, &mark);
      most = std::max(most, std::fabs(sum.sum / std::exp2(static_cast<double>(power)) - 1));
    }
    EXPECT_LE(most, term_error * 0x1p-24);  // y is exact here, and nothing is added
    EXPECT_GE(most, 0x1p-25);
    const std::vector<float> far = {-1e30F, -infinity, not_a_number};
    std::uint64_t mark = 0;
    const OthersSum sum = mark_and_sum(raw(DType::f32, far), 0, 1, 0, &mark);
    EXPECT_LE(sum.sum, 2.01 * std::exp2(-115.0));
  });
}

/// What the others of a head weigh exactly lies between the bounds, whatever the row; and the bounds are
/// near.
TEST(Heads, TheBoundsHoldTheExactWeight) {
  constexpr std::int64_t count = 20'011;
  std::vector<std::byte> memory(RowScratch::bytes(count));
  RowScratch scratch(memory.data(), count);
  const HeadRoom room{scratch.logits, scratch.ids};
  on_each_target([&] {
    if (!can_sum()) return;
    int estimated = 0;
    std::uint64_t seed = 0;
    for (const double level : {0.0, 7.0, -300.0, 9'000.0, 60'000.0})
      for (const double spread : {1e-3, 1.0, 3.0, 50.0})
        for (const float temperature : {1.0F, 0.7F, 0.013F, 30.0F})
          for (const double above : {0.5, 2.0, 3.0}) {
            const std::vector<float> logits = hostile(count, level, spread, ++seed);
            const DividedRow source{raw(DType::f32, logits), temperature};
            const auto bound = static_cast<float>(level + above * spread);
            const auto head = EstimatedHead::of(source, bound, room, scratch);
            if (!head) continue;
            if (head->head().count == 0 || head->head().count > head_limit(count)) continue;
            const float maximum = greatest(head->head().logits, head->head().count);
            if (std::isinf(maximum)) continue;
            ++estimated;
            const Rest rest = head->rest(maximum);
            std::uint64_t exact = 0;
            for (const float logit : logits)
              if (!(logit >= bound))
                exact += distribution::weight_of(
                    maximum, distribution::with_temperature(distribution::canonical(logit), temperature));
            EXPECT_LE(rest.least, exact);
            EXPECT_GE(rest.most, exact);
            EXPECT_EQ(weigh_others(source, head->head(), maximum), exact);
            // 2 x 1.02 u (3 ln(n / T) + |b| + 5.3 + 20), and the roundings of the weights.
            const double near = 200 + std::fabs(static_cast<double>(head->head().bound));
            EXPECT_LE(static_cast<double>(rest.most - rest.least),
                      1.25e-7 * near * static_cast<double>(exact) + 1.1 * count + 8)
                << level << ' ' << spread << ' ' << temperature;
          }
    EXPECT_GT(estimated, 100);
  });
}

TEST(Heads, BinsFindTheCutThatASearchOfAllFinds) {
  Philox random(9);
  for (const std::size_t count : {1u, 2u, 100u, 5'000u}) {
    for (const double spread : {0.0, 1e-6, 3.0, 1e30}) {
      std::vector<float> keys;
      std::vector<std::uint64_t> weights;
      std::uint64_t total = 0;
      for (std::size_t i = 0; i < count; ++i) {
        keys.push_back(static_cast<float>(spread * std::round(64 * random.normal())));
        weights.push_back(random.next_u64() >> 20);
        total += weights.back();
      }
      const auto [least, most] = std::minmax_element(keys.begin(), keys.end());
      std::vector<Item<float>> room(2 * count);
      std::vector<std::int32_t> bins(2 * count);
      for (int i = 0; i < 20; ++i) {
        const std::uint64_t needed = 1 + random.below(total);
        const auto wanted = find_cut<float>(keys, weights.data(), needed, room.data());
        for (const float from : {*least, *least / 2 + *most / 2}) {
          const auto found =
              find_cut_by_bins(keys, weights.data(), needed, from, *most, room.data(), bins.data());
          EXPECT_EQ(found.key, wanted.key);
          EXPECT_EQ(found.needed, wanted.needed);
        }
      }
    }
  }
}

}  // namespace
}  // namespace assay::kernels::filters
