#include "validation/blocks/special_blocks.hpp"

#include <limits>

namespace assay::validation {

std::vector<SpecialBlock> special_blocks() {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const auto all = [](float value) { return [=](int) { return value; }; };
  const auto one_and = [](float first, float others) {
    return [=](int i) { return i == 0 ? first : others; };
  };
  using enum BlockFormat;
  return {
      {"zeros", q4_0, all(0), {0x00, 0x80}, 0x88},
      {"negative zeros", q4_0, all(-0.0f), {0x00, 0x80}, 0x88},
      {"zeros", q4_1, all(0), {}, 0},
      {"negative zeros", q4_1, all(-0.0f), {0, 0, 0x00, 0x80}, 0},
      {"a zero, then negative ones", q5_1, one_and(0, -0.0f), {}, 0},
      {"zeros", q5_0, all(0), {0x00, 0x80, 0xFF, 0xFF, 0xFF, 0xFF}, 0},
      {"zeros", q8_0, all(0), {}, 0},
      {"zeros", q4_k, all(0), {}, 0},
      {"zeros", q6_k, all(0), {}, 0},
      {"below what has a scale", q6_k, all(9e-16f), {}, 0},
      {"zeros", mxfp4, all(-0.0f), {}, 0},
      {"subnormal numbers", q4_0, all(1e-40f), {0x00, 0x80}, 0},
      {"subnormal numbers", q8_0, all(-1e-40f), {}, 0},
      {"a peak of 2^-126, whose exponent wraps", mxfp4, all(0x1p-126f), {255}, 0},
      {"a peak of 2^-125, which has the smallest exponent", mxfp4, all(0x1p-125f), {0}, 0x66},
      {"scales above binary16", q4_0, one_and(-1e38f, 1e38f), {0x00, 0x7C, 0xF0}, 0xFF},
      {"a range beyond float", q4_1, one_and(-3e38f, 3e38f), {0x00, 0x7C, 0x00, 0xFC}, 0},
      {"a NaN among ones", q4_0, one_and(nan, 1), {0x00, 0xB0}, 0},
      {"a NaN among ones", mxfp4, one_and(nan, 1), {125, 0x60}, 0x66},
      {"nothing but NaN", q8_0, all(nan), {}, 0},
      {"nothing but NaN", q4_1, all(nan), {0x00, 0xFC, 0x00, 0x7C}, 0},
      {"an infinity", q4_0, one_and(infinity, 1), {0x00, 0xFC, 0x80}, 0x88},
      {"an infinity", q8_0, one_and(-infinity, 1), {0x00, 0x7C}, 0},
      {"an infinity", mxfp4, one_and(infinity, 1), {}, 0},
      {"an infinity in each part", q6_k, [=](int i) { return i % 16 == 0 ? infinity : 1; }, {}, 0},
  };
}

}  // namespace assay::validation
