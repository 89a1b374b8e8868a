#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace assay::gguf {

/// Element types of tensors, by ggml's numbers (enum ggml_type of ggml.h; block layouts in ggml-common.h).
/// 4, 5, 31 to 33 and 36 to 38 were removed from the format.
enum class TensorType : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q8_1 = 9,
  q2_K = 10,
  q3_K = 11,
  q4_K = 12,
  q5_K = 13,
  q6_K = 14,
  q8_K = 15,
  iq2_xxs = 16,
  iq2_xs = 17,
  iq3_xxs = 18,
  iq1_s = 19,
  iq4_nl = 20,
  iq3_s = 21,
  iq2_s = 22,
  iq4_xs = 23,
  i8 = 24,
  i16 = 25,
  i32 = 26,
  i64 = 27,
  f64 = 28,
  iq1_m = 29,
  bf16 = 30,
  tq1_0 = 34,
  tq2_0 = 35,
  mxfp4 = 39,
  nvfp4 = 40,
  q1_0 = 41,
  q2_0 = 42
};

/// Facts of one type. Elements are stored in blocks along a tensor's first dimension.
struct TensorTypeInfo {
  TensorType type;
  std::string_view name;       ///< as ggml writes it: "q4_K"
  std::uint32_t block_length;  ///< elements of a block; 1: stored one by one
  std::uint32_t block_bytes;   ///< bytes of a block
};

/// Every type that files may hold, by rising number.
std::span<const TensorTypeInfo> tensor_types();

/// The type of a number from a file, or nullptr where it is unknown or was removed.
const TensorTypeInfo* find_tensor_type(std::uint32_t number);

/// Facts of a type.
const TensorTypeInfo& info_of(TensorType type);

/// What a number is that `find_tensor_type` does not know: "q4_2, which was removed from the format", or
/// "unknown".
std::string_view refused_tensor_type(std::uint32_t number);

}  // namespace assay::gguf
