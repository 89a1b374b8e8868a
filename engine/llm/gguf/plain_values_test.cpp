#include "engine/llm/gguf/plain_values.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/llm/gguf/test_writer.hpp"

namespace assay::gguf {
namespace {

template <typename Stored>
std::vector<float> converted(TensorType type, const std::vector<Stored>& stored) {
  std::string bytes(1, '\0');  // behind one byte: elements may lie at any address
  for (const Stored value : stored) bytes += TestWriter::stored(value);
  std::vector<float> values(stored.size());
  convert_plain(type, std::string_view(bytes).substr(1), values);
  return values;
}

TEST(GgufPlainValues, AreWidenedOrRounded) {
  using Floats = std::vector<float>;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(converted<float>(TensorType::f32, {-0.5f, 1e-40f}), (Floats{-0.5f, 1e-40f}));
  EXPECT_EQ(converted<std::uint16_t>(TensorType::f16, {0x3c00, 0xfbff, 0x0001, 0x7c00}),
            (Floats{1.0f, -65504.0f, 0x1p-24f, infinity}));
  EXPECT_EQ(converted<std::uint16_t>(TensorType::bf16, {0x3f80, 0xc040}), (Floats{1.0f, -3.0f}));
  EXPECT_EQ(converted<double>(TensorType::f64, {0.1, -1e300}), (Floats{0.1f, -infinity}));
  EXPECT_EQ(converted<std::int8_t>(TensorType::i8, {-128, 127}), (Floats{-128, 127}));
  EXPECT_EQ(converted<std::int16_t>(TensorType::i16, {-32768}), (Floats{-32768}));
  EXPECT_EQ(converted<std::int32_t>(TensorType::i32, {16777217, 16777219}), (Floats{16777216, 16777220}));
  EXPECT_EQ(converted<std::int64_t>(TensorType::i64, {std::int64_t{1} << 40}), (Floats{0x1p40f}));
  for (const TensorTypeInfo& info : tensor_types()) EXPECT_EQ(is_plain(info.type), info.block_length == 1);
}

TEST(GgufPlainValues, KeepTheBitsOfANaN) {
  const std::vector<float> values = converted<std::uint32_t>(TensorType::f32, {0x7f800001, 0xffc12345});
  std::uint32_t bits[2];
  std::memcpy(bits, values.data(), sizeof bits);
  EXPECT_EQ(bits[0], 0x7f800001U);
  EXPECT_EQ(bits[1], 0xffc12345U);
}

}  // namespace
}  // namespace assay::gguf
