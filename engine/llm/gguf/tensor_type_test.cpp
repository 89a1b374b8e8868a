#include "engine/llm/gguf/tensor_type.hpp"

#include <gtest/gtest.h>

#include <set>

#include "engine/tensors/block_format.hpp"

namespace assay::gguf {
namespace {

/// Bytes of a block from the widths of its parts in bits, as the formats are defined: codes, high bits,
/// scales (with minima), and what else there is.
TEST(GgufTensorType, BlocksHaveTheBytesOfTheirParts) {
  const auto bytes = [](TensorType type) { return info_of(type).block_bytes; };
  EXPECT_EQ(bytes(TensorType::q4_0), 2U + 32 / 2);
  EXPECT_EQ(bytes(TensorType::q4_1), 4U + 32 / 2);
  EXPECT_EQ(bytes(TensorType::q5_0), 2U + 32 / 8 + 32 / 2);
  EXPECT_EQ(bytes(TensorType::q5_1), 4U + 32 / 8 + 32 / 2);
  EXPECT_EQ(bytes(TensorType::q8_0), 2U + 32);
  EXPECT_EQ(bytes(TensorType::q8_1), 4U + 32);
  EXPECT_EQ(bytes(TensorType::q2_K), 4U + 256 / 16 + 256 / 4);
  EXPECT_EQ(bytes(TensorType::q3_K), 2U + 256 / 8 + 256 / 4 + 12);
  EXPECT_EQ(bytes(TensorType::q4_K), 4U + 12 + 256 / 2);
  EXPECT_EQ(bytes(TensorType::q5_K), 4U + 12 + 256 / 8 + 256 / 2);
  EXPECT_EQ(bytes(TensorType::q6_K), 2U + 256 / 2 + 256 / 4 + 256 / 16);
  EXPECT_EQ(bytes(TensorType::q8_K), 4U + 256 + 2 * 256 / 16);
  EXPECT_EQ(bytes(TensorType::iq2_xxs), 2U + 2 * 256 / 8);
  EXPECT_EQ(bytes(TensorType::iq2_xs), 2U + 2 * 256 / 8 + 256 / 32);
  EXPECT_EQ(bytes(TensorType::iq2_s), 2U + 256 / 4 + 256 / 32 + 256 / 32);
  EXPECT_EQ(bytes(TensorType::iq3_xxs), 2U + 3 * 256 / 8);
  EXPECT_EQ(bytes(TensorType::iq3_s), 2U + 256 / 4 + 256 / 32 + 256 / 8 + 256 / 64);
  EXPECT_EQ(bytes(TensorType::iq1_s), 2U + 256 / 8 + 2 * 256 / 32);
  EXPECT_EQ(bytes(TensorType::iq1_m), 256U / 8 + 256 / 16 + 256 / 32);
  EXPECT_EQ(bytes(TensorType::iq4_nl), 2U + 32 / 2);
  EXPECT_EQ(bytes(TensorType::iq4_xs), 2U + 2 + 256 / 64 + 256 / 2);
  EXPECT_EQ(bytes(TensorType::tq1_0), 2U + 256 / 64 + (256 - 4 * 256 / 64) / 5);
  EXPECT_EQ(bytes(TensorType::tq2_0), 2U + 256 / 4);
  EXPECT_EQ(bytes(TensorType::mxfp4), 1U + 32 / 2);
  EXPECT_EQ(bytes(TensorType::nvfp4), 64U / 16 + 64 / 2);
  EXPECT_EQ(bytes(TensorType::q1_0), 2U + 128 / 8);
  EXPECT_EQ(bytes(TensorType::q2_0), 2U + 64 / 4);
}

TEST(GgufTensorType, EveryNumberIsATypeOrIsRefused) {
  const std::set<std::uint32_t> removed{4, 5, 31, 32, 33, 36, 37, 38};
  std::size_t count = 0;
  for (std::uint32_t number = 0; number < 300; ++number) {
    const TensorTypeInfo* const info = find_tensor_type(number);
    const bool known = number <= 42 && !removed.contains(number);
    ASSERT_EQ(info != nullptr, known) << number;
    if (known) {
      ++count;
      EXPECT_EQ(static_cast<std::uint32_t>(info->type), number);
      EXPECT_EQ(&info_of(info->type), info);
    } else {
      EXPECT_EQ(refused_tensor_type(number) == "unknown", !removed.contains(number)) << number;
    }
  }
  EXPECT_EQ(count, tensor_types().size());
  EXPECT_EQ(find_tensor_type(~0U), nullptr);
}

/// What quant.dequantize takes a block for is what the reader takes it for.
TEST(GgufTensorType, AgreesWithTheFormatsThatAreDecoded) {
  for (const BlockLayout& layout : block_layouts) {
    SCOPED_TRACE(layout.name);
    const TensorTypeInfo* const info = find_tensor_type(layout.ggml_type);
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(info->block_length, static_cast<std::uint32_t>(layout.length));
    EXPECT_EQ(info->block_bytes, static_cast<std::uint32_t>(layout.bytes));
  }
}

}  // namespace
}  // namespace assay::gguf
