#include "kernels/blocks/decode.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/runtime/philox.hpp"
#include "kernels/blocks/dispatch.hpp"
#include "kernels/blocks/levels.hpp"
#include "reference/quant/dequantize.hpp"

namespace assay::kernels::blocks {
namespace {

bool same(float value, double expected) {
  const auto rounded = static_cast<float>(expected);
  if (std::isnan(rounded)) return std::isnan(value);
  return detail::bits_of(value) == detail::bits_of(rounded);
}

/// Elements of a block that differ from the reference's, at a place that is a multiple of Alignment.
template <BlockFormat Format, int Alignment>
int wrong(const std::vector<std::uint8_t>& block) {
  constexpr int length = layout_of(Format).length;
  int count = 0;
  for (int at = 0; at < std::max(length, 4); at += 4) {
    const Four four = four_of<Format, Alignment>(block.data(), length == 1 ? 0 : at);
    for (int i = 0; i < 4; ++i) {
      // One element a block: the next four blocks.
      const std::uint8_t* from = block.data() + (length == 1 ? i * layout_of(Format).bytes : 0);
      if (!same(four.values[i], reference::quant::element(Format, from, length == 1 ? 0 : at + i))) ++count;
    }
  }
  return count;
}

// The body that CUDA runs, here on the host: random blocks with any scale, and single bits that are set or
// not.
TEST(BlockDecoding, FourElementsAreThoseOfTheReferenceInEveryFormat) {
  for (const BlockLayout& layout : block_layouts) {
    with_format(layout.format, [&](auto tag) {
      const std::size_t bytes = static_cast<std::size_t>(std::max(layout.bytes, 16));
      Philox random(7);
      for (int repeat = 0; repeat < 2000; ++repeat) {
        std::vector<std::uint8_t> block(bytes);
        for (std::uint8_t& byte : block) byte = static_cast<std::uint8_t>(random.below(256));
        ASSERT_EQ((wrong<decltype(tag)::value, 1>(block)), 0) << layout.name;
      }
      for (const std::uint8_t ground : {0x00, 0xFF})
        for (std::size_t bit = 0; bit < 8 * bytes; ++bit) {
          std::vector<std::uint8_t> block(bytes, ground);
          block[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
          ASSERT_EQ((wrong<decltype(tag)::value, 1>(block)), 0) << layout.name << ", bit " << bit;
        }
    });
  }
}

TEST(BlockDecoding, TablesOfWordsHoldTheLevels) {
  for (std::uint32_t code = 0; code < 16; ++code) {
    const std::uint32_t codes = code * 0x01010101u;
    EXPECT_EQ(looked_up(iq4_table(), codes), static_cast<std::uint8_t>(iq4_levels[code]) * 0x01010101u);
    EXPECT_EQ(looked_up(mxfp4_table(), codes), static_cast<std::uint8_t>(mxfp4_levels[code]) * 0x01010101u);
  }
  EXPECT_EQ(looked_up(iq4_table(), 0x0F08'0700u), 0x7101'F681u) << "four codes that differ";
}

TEST(BlockDecoding, ScalesOfMxfp4AreTheirPowers) {
  for (std::uint32_t scale = 0; scale < 256; ++scale)
    EXPECT_EQ(mxfp4_scales[scale], half_of_power(scale)) << scale;
}

TEST(BlockDecoding, AlignmentsArePowersOfTwoThatDivide) {
  EXPECT_EQ(alignment_behind(4, 18), 2);
  EXPECT_EQ(alignment_behind(4, 17), 1);
  EXPECT_EQ(alignment_behind(4, 144), 4);
  EXPECT_EQ(alignment_behind(2, 4), 2);
}

}  // namespace
}  // namespace assay::kernels::blocks
