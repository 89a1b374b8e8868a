#include "reference/quant/quantize.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace assay::reference::quant {
namespace {

std::vector<std::uint8_t> encoded(BlockFormat format, const std::vector<float>& values) {
  const BlockLayout& layout = layout_of(format);
  const auto columns = static_cast<std::int64_t>(values.size());
  const Tensor input = Tensor::from(values, {1, columns});
  Arguments arguments;
  arguments.inputs.emplace("values", input.view());
  arguments.parameters.emplace("format", std::string(layout.name));
  Tensor blocks(DType::u8, {1, columns / layout.length * layout.bytes});
  run_quantize(arguments, {{"blocks", blocks.view()}});
  const auto bytes = blocks.as<std::uint8_t>();
  return {bytes.begin(), bytes.end()};
}

/// 65,536 numbers that any program can make: 24 bits each of a linear congruential sequence (Press et al.),
/// every 256 by another power of two, some without sign, some sparse.
std::vector<float> numbers() {
  std::vector<float> made;
  std::uint32_t state = 1;
  for (int i = 0; i < 65536; ++i) {
    state = state * 1664525u + 1013904223u;
    const int part = i / 256;
    float x = std::ldexp(static_cast<float>(static_cast<int>(state >> 8) - (1 << 23)), part % 40 - 43);
    if (part % 7 == 3) x = std::fabs(x);
    if (part % 7 == 5 && i % 5 != 0) x = 0;
    made.push_back(x);
  }
  return made;
}

/// Fingerprints (FNV-1a) of what quantize_row_*_ref of ggml, commit d99724f2, makes of these numbers:
/// compiled by gcc 12 for x86-64 without fused multiply-add.
TEST(QuantizeReference, HasTheBytesOfGgml) {
  const std::map<BlockFormat, std::uint64_t> expected = {
      {BlockFormat::q4_0, 0xED2F0F5A8D1A9804}, {BlockFormat::q4_1, 0x01F974362FD20DD7},
      {BlockFormat::q5_0, 0x99FA41E320844E0C}, {BlockFormat::q5_1, 0xDCFFB3DDC48FB565},
      {BlockFormat::q8_0, 0x569A1657B55982AC}, {BlockFormat::q4_k, 0x45FD4EF279AFFE31},
      {BlockFormat::q6_k, 0x7EAD2C17B59A4165}, {BlockFormat::mxfp4, 0x25A2AAFAB8F30452}};
  const std::vector<float> values = numbers();
  for (const BlockFormat format : encoded_formats) {
    std::uint64_t hash = 14695981039346656037u;
    for (const std::uint8_t byte : encoded(format, values)) hash = (hash ^ byte) * 0x100000001B3u;
    EXPECT_EQ(hash, expected.at(format)) << layout_of(format).name;
  }
}

/// Worked out by hand: one element of 32 is -8 or 7, the others 0 or 1.
TEST(QuantizeReference, ABlockByHand) {
  std::vector<float> x(32, 0.0f);
  x[0] = -8;
  x[1] = 7;
  x[17] = 1;
  const std::vector<std::uint8_t> q4_0 = encoded(BlockFormat::q4_0, x);
  EXPECT_EQ(q4_0[0], 0x00);
  EXPECT_EQ(q4_0[1], 0x3C);  // 1
  EXPECT_EQ(q4_0[2], 0x80);  // -8 is code 0; element 16 is code 8
  EXPECT_EQ(q4_0[3], 0x9F);  // 7 is code 15; element 17 is code 9
  const std::vector<std::uint8_t> q4_1 = encoded(BlockFormat::q4_1, x);
  EXPECT_EQ(q4_1[1], 0x3C);  // 15 / 15
  EXPECT_EQ(q4_1[3], 0xC8);  // -8
  EXPECT_EQ(q4_1[5], 0x9F);
  const std::vector<std::uint8_t> mxfp4 = encoded(BlockFormat::mxfp4, x);
  EXPECT_EQ(mxfp4[0], 128);   // 2^(3 - 2)
  EXPECT_EQ(mxfp4[1], 0x0E);  // -8 is -4 times 2
  EXPECT_EQ(mxfp4[2], 0x15);  // 7 is halfway between 3 and 4 times 2: the lower; 1 is a half of 2
}

}  // namespace
}  // namespace assay::reference::quant
