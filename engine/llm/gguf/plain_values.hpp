#pragma once

#include <span>
#include <string_view>

#include "engine/llm/gguf/tensor_type.hpp"

namespace assay::gguf {

/// Whether elements of this type are stored one by one: f32, f16, bf16, f64 and the integers.
inline bool is_plain(TensorType type) {
  return info_of(type).block_length == 1;
}

/// Widens or rounds (to nearest, ties to even) stored elements of a plain type to float. `bytes` holds
/// values.size() elements, at any address. f32, f16, bf16, i8 and i16 are exact; f64 above float's range
/// becomes infinite.
void convert_plain(TensorType type, std::string_view bytes, std::span<float> values);

}  // namespace assay::gguf
