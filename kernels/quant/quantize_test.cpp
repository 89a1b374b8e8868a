#include "kernels/quant/quantize.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/runtime/philox.hpp"
#include "kernels/blocks/encode_short.hpp"
#include "kernels/blocks/every_target.hpp"
#include "reference/quant/quantize.hpp"

namespace assay::kernels::quant {
namespace {

/// Blocks of one kind after another, of any of which a body may make something else.
std::vector<float> numbers(std::int64_t count) {
  Philox random(5);
  std::vector<float> made;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto normal = static_cast<float>(random.normal());
    const auto special = random.below(9);
    switch (i / 256 % 9) {
      case 0:
        made.push_back(normal);
        break;
      case 1:
        made.push_back(std::ldexp(normal, static_cast<int>(random.below(250)) - 125));
        break;
      case 2:
        made.push_back(special == 0 ? std::numeric_limits<float>::quiet_NaN() : normal);
        break;
      case 3:
        made.push_back(special == 0 ? (normal < 0 ? -1 : 1) * std::numeric_limits<float>::infinity()
                                    : normal);
        break;
      case 4:
        made.push_back(static_cast<float>(random.below(17)) - 8);
        break;
      case 5:
        made.push_back(special < 5 ? -0.0f : 0.0f);
        break;
      case 6:
        made.push_back(normal * 1e-40f);
        break;
      case 7:
        made.push_back(normal * 1e38f);
        break;
      default:
        made.push_back(1000 + 1e-3f * normal);
    }
  }
  return made;
}

TEST(QuantizeBody, EveryInstructionSetHasTheReferencesBytes) {
  ThreadPool pool(1);
  int runs = 0;
  const std::vector<float> values = numbers(256 * 90);
  for (const BlockFormat format : encoded_formats) {
    const BlockLayout& layout = layout_of(format);
    const std::int64_t count = std::ssize(values) / layout.length;
    std::vector<std::uint8_t> expected(static_cast<std::size_t>(count * layout.bytes));
    for (std::int64_t block = 0; block < count; ++block)
      reference::quant::encode(
          format, {values.begin() + block * layout.length, values.begin() + (block + 1) * layout.length},
          expected.data() + block * layout.bytes);
    blocks::on_every_target([&] {
      ++runs;
      std::vector<std::uint8_t> bytes(expected.size(), 0xA5);
      quantize_cpu(pool, {format, values.data(), std::ssize(values), bytes.data(), 1, count});
      int wrong = 0;
      for (std::size_t i = 0; i < bytes.size(); ++i) wrong += bytes[i] != expected[i] ? 1 : 0;
      EXPECT_EQ(wrong, 0) << layout.name;
    });
  }
  EXPECT_GE(runs, 16);
}

/// Of all floats within 300 of a power of 2: more cannot round to it.
TEST(QuantizeBody, LogarithmsRoundAsTheLibrarysDo) {
  const blocks::EncodeFaults none;
  std::int64_t seen = 0, rounded_up = 0;
  for (int exponent = -149; exponent <= 127; ++exponent)
    for (int away = -300; away <= 300; ++away) {
      const std::uint32_t bits =
          detail::bits_of(std::ldexp(1.0f, exponent)) + static_cast<std::uint32_t>(away);
      if (bits == 0 || bits >= 0x7F800000u) continue;
      const float x = detail::float_of(bits);
      const int expected =
          static_cast<int>(std::floor(static_cast<float>(std::log2(static_cast<double>(x)))));
      ASSERT_EQ(blocks::floor_of_log2(x, none), expected) << x;
      rounded_up += expected > std::ilogb(x) ? 1 : 0;
      ++seen;
    }
  EXPECT_GT(seen, 150000);
  EXPECT_GT(rounded_up, 1000);
}

/// Every 61st float from 2^-7 to 24 half steps: the comparisons with the middles choose what differences
/// in single precision would, the first of the nearest.
TEST(QuantizeBody, LevelsOfMxfp4AreTheNearest) {
  const blocks::EncodeFaults none;
  std::int64_t wrong = 0;
  for (std::uint32_t bits = 0x3C000000u; bits < 0x41C00000u; bits += 61) {
    const float x = detail::float_of(bits);
    const int code = blocks::mxfp4_code(x, 1.0f, none);
    wrong += code != reference::quant::nearest_level(x, 2) ? 1 : 0;
    const int negative = blocks::mxfp4_code(-x, 1.0f, none);
    wrong += negative != (code == 0 ? 0 : code + 8) ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0);
}

TEST(QuantizeBody, RowsSideBySideAreJoinedAndOthersAreNot) {
  const QuantizeCall side_by_side{BlockFormat::q4_0, nullptr, 64, nullptr, 3, 2};
  EXPECT_EQ(joined(side_by_side).rows, 1);
  EXPECT_EQ(joined(side_by_side).blocks_per_row, 6);
  QuantizeCall apart = side_by_side;
  apart.row_stride = 65;
  EXPECT_EQ(joined(apart).rows, 3);
  EXPECT_EQ(joined(apart).blocks_per_row, 2);
}

}  // namespace
}  // namespace assay::kernels::quant
