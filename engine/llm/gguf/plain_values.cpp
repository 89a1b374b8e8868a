#include "engine/llm/gguf/plain_values.hpp"

#include <cstring>

#include "engine/tensors/half.hpp"

namespace assay::gguf {
namespace {

template <typename Stored>
void convert(std::string_view bytes, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored element;
    std::memcpy(&element, bytes.data() + i * sizeof element, sizeof element);
    if constexpr (std::is_arithmetic_v<Stored>)
      values[i] = static_cast<float>(element);
    else
      values[i] = to_float(element);
  }
}

}  // namespace

void convert_plain(TensorType type, std::string_view bytes, std::span<float> values) {
  switch (type) {
    case TensorType::f32:
      // By bytes: a signalling NaN keeps its bits.
      if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size_bytes());
      return;
    case TensorType::f16:
      return convert<Half>(bytes, values);
    case TensorType::bf16:
      return convert<BFloat16>(bytes, values);
    case TensorType::f64:
      return convert<double>(bytes, values);
    case TensorType::i8:
      return convert<std::int8_t>(bytes, values);
    case TensorType::i16:
      return convert<std::int16_t>(bytes, values);
    case TensorType::i32:
      return convert<std::int32_t>(bytes, values);
    case TensorType::i64:
      return convert<std::int64_t>(bytes, values);
    default:
      return;  // blocks: the precondition is broken, and nothing is written
  }
}

}  // namespace assay::gguf
