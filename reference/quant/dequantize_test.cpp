#include "reference/quant/dequantize.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace assay::reference::quant {
namespace {

/// Bytes by their place in a block; the others are 0.
using Set = std::map<int, int>;
/// Values by their place, worked out by hand from the layouts.
using Expected = std::map<int, double>;

void expect_block(BlockFormat format, const Set& set, const Expected& expected) {
  const BlockLayout& layout = layout_of(format);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(layout.bytes));
  for (const auto& [at, byte] : set) bytes.at(static_cast<std::size_t>(at)) = static_cast<std::uint8_t>(byte);
  const Tensor blocks = Tensor::from(bytes, {1, layout.bytes});
  Arguments arguments;
  arguments.inputs.emplace("blocks", blocks.view());
  arguments.parameters.emplace("format", std::string(layout.name));
  arguments.parameters.emplace("columns", std::int64_t{layout.length});
  Tensor values(DType::f64, {1, layout.length});
  run_dequantize(arguments, {{"values", values.view()}});
  for (const auto& [at, value] : expected)
    EXPECT_EQ(values.as<double>()[static_cast<std::size_t>(at)], value) << layout.name << ", element " << at;
}

TEST(DequantizeReference, SingleNumbers) {
  expect_block(BlockFormat::f32, {{0, 0xCD}, {1, 0xCC}, {2, 0xCC}, {3, 0xBD}}, {{0, -0.1f}});
  expect_block(BlockFormat::f16, {{0, 0xFF}, {1, 0x7B}}, {{0, 65504}});
  expect_block(BlockFormat::f16, {{0, 0x01}, {1, 0x80}}, {{0, -0x1p-24}});
  expect_block(BlockFormat::f16, {{1, 0xFC}}, {{0, -std::numeric_limits<double>::infinity()}});
  expect_block(BlockFormat::bf16, {{0, 0x49}, {1, 0xC0}}, {{0, -3.140625}});
  expect_block(BlockFormat::bf16, {{0, 0x01}}, {{0, 0x1p-133}});
}

TEST(DequantizeReference, BlocksOfThirtyTwo) {
  // d = 2; byte 3 holds the codes 10 and 5
  expect_block(BlockFormat::q4_0, {{1, 0x40}, {2 + 3, 0x5A}}, {{0, -16}, {3, 4}, {19, -6}, {20, -16}});
  // d = 1/2, m = -1; byte 0 holds 1 and 15
  expect_block(BlockFormat::q4_1, {{1, 0x38}, {3, 0xBC}, {4, 0xF1}}, {{0, -0.5}, {16, 6.5}, {1, -1}});
  // d = 1; fifth bits 2 and 31; byte 2 holds 3 and 0, byte 15 holds 0 and 7
  expect_block(BlockFormat::q5_0, {{1, 0x3C}, {2, 0x04}, {5, 0x80}, {6 + 2, 0x03}, {6 + 15, 0x70}},
               {{2, 3}, {18, -16}, {31, 7}, {15, -16}});
  // d = 1, m = 1/4, codes as before
  expect_block(BlockFormat::q5_1, {{1, 0x3C}, {3, 0x34}, {4, 0x04}, {7, 0x80}, {8 + 2, 0x03}, {8 + 15, 0x70}},
               {{2, 19.25}, {18, 0.25}, {31, 23.25}});
  // d = 1/4
  expect_block(BlockFormat::q8_0, {{1, 0x34}, {2 + 5, 0x80}, {2 + 31, 0x7F}},
               {{5, -32}, {31, 31.75}, {6, 0}});
  // d = 1
  expect_block(BlockFormat::iq4_nl, {{1, 0x3C}, {2, 0x80}, {2 + 15, 0xF7}},
               {{0, -127}, {16, 1}, {15, -10}, {31, 113}});
  // e = 128: one, and codes 1 and 14
  expect_block(BlockFormat::mxfp4, {{0, 128}, {1, 0xE1}}, {{0, 1}, {16, -8}, {1, 0}});
  expect_block(BlockFormat::mxfp4, {{0, 0}, {1, 0x97}}, {{0, 12 * 0x1p-128}, {16, -0x1p-128}});
  expect_block(BlockFormat::mxfp4, {{0, 255}, {1, 0x21}},
               {{0, 0x1p127}, {16, std::numeric_limits<double>::infinity()}});
}

TEST(DequantizeReference, BlocksOfTwoHundredAndFiftySix) {
  // d = 2, dmin = 1; the fourth sixteen have 10 and 5, the fifteenth 1 and 0
  expect_block(BlockFormat::q2_k,
               {{81, 0x40}, {83, 0x3C}, {3, 0x5A}, {14, 0x01}, {16 + 16, 0x0C}, {16 + 33, 0x80}},
               {{48, 55}, {49, -5}, {225, 4}, {0, 0}});
  // d = 1; scale 5 is 39 - 32, scale 13 is 41 - 32, the others are -32
  expect_block(
      BlockFormat::q3_k,
      {{109, 0x3C}, {96 + 5, 0x97}, {96 + 9, 0x88}, {32, 0x01}, {0, 0x01}, {32 + 16, 0x30}, {16, 0x04}},
      {{0, -32}, {1, 128}, {80, 21}, {81, -28}, {208, -36}});
  // d = 1, dmin = 1/2; scales and minima 0: 5 and 3, 4: 57 and 18
  const Set four = {{1, 0x3C}, {3, 0x38}, {4, 0xC5}, {4 + 4, 0x43}, {4 + 8, 0x29}};
  Set q4 = four;
  q4.insert({{16, 0xA7}, {16 + 64, 0x02}});
  expect_block(BlockFormat::q4_k, q4, {{0, 33.5}, {32, 0}, {128, 105}, {129, -9}});
  Set q5 = four;
  q5.insert({{16, 0x11}, {48, 0xA7}, {48 + 64, 0x02}});
  expect_block(BlockFormat::q5_k, q5, {{0, 113.5}, {32, 0}, {128, 1017}, {129, -9}});
  // d = 1/2; scales 0, 2, 4 and 6 are -3, 4, -1 and 127; codes 12, 16, 41 and 48
  expect_block(BlockFormat::q6_k,
               {{209, 0x38}, {192, 0xFD}, {194, 4}, {196, 0xFF}, {198, 127}, {0, 0x9C}, {128, 0xE4}},
               {{0, 30}, {32, -32}, {64, -4.5}, {96, 1016}});
  expect_block(BlockFormat::q8_k, {{0, 0xCD}, {1, 0xCC}, {2, 0xCC}, {3, 0x3D}, {4 + 255, 0xFD}},
               {{255, -0.3f}});
  // d = 1; scales 0, 1 and 7 are 37, 0 and 58, less 32
  expect_block(
      BlockFormat::iq4_xs,
      {{1, 0x3C}, {2, 0x02}, {3, 0xC0}, {4, 0x05}, {7, 0xA0}, {8, 0x0F}, {8 + 16, 0x08}, {8 + 127, 0x20}},
      {{0, 565}, {16, -635}, {32, -32}, {255, -2158}});
}

TEST(DequantizeReference, RowsThatLieApart) {
  const std::vector<std::uint8_t> bytes = {0x00, 0x3C, 0xEE,
                                           0x00, 0xC0, 0xEE};  // 1 and -2, a byte after each
  const Tensor blocks = Tensor::from(bytes, {2, 3});
  ConstTensorView apart = blocks.view();
  apart.shape = {2, 2};
  Arguments arguments;
  arguments.inputs.emplace("blocks", apart);
  arguments.parameters.emplace("format", "F16");
  arguments.parameters.emplace("columns", std::int64_t{1});
  Tensor values(DType::f64, {2, 1});
  run_dequantize(arguments, {{"values", values.view()}});
  EXPECT_EQ(values.as<double>()[0], 1);
  EXPECT_EQ(values.as<double>()[1], -2);
}

}  // namespace
}  // namespace assay::reference::quant
