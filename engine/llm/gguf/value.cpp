#include "engine/llm/gguf/value.hpp"

#include <cstring>
#include <limits>

#include "engine/llm/gguf/read_value.hpp"

namespace assay::gguf {
namespace {

template <typename T>
T stored(const Value& value) {
  T number{};
  std::memcpy(&number, value.bytes.data(), sizeof number);
  return number;
}

}  // namespace

std::string_view name_of(ValueType type) {
  static constexpr std::string_view names[value_type_count] = {
      "uint8", "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
      "bool",  "string", "array",  "uint64", "int64",  "float64"};
  return names[static_cast<std::uint32_t>(type)];
}

std::uint64_t size_of(ValueType type) {
  static constexpr std::uint8_t sizes[value_type_count] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return sizes[static_cast<std::uint32_t>(type)];
}

std::optional<std::uint64_t> Value::as_unsigned() const {
  switch (type) {
    case ValueType::uint8:
      return stored<std::uint8_t>(*this);
    case ValueType::uint16:
      return stored<std::uint16_t>(*this);
    case ValueType::uint32:
      return stored<std::uint32_t>(*this);
    case ValueType::uint64:
      return stored<std::uint64_t>(*this);
    default:
      break;
  }
  const std::optional<std::int64_t> number = as_signed();
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<std::int64_t> Value::as_signed() const {
  switch (type) {
    case ValueType::int8:
      return stored<std::int8_t>(*this);
    case ValueType::int16:
      return stored<std::int16_t>(*this);
    case ValueType::int32:
      return stored<std::int32_t>(*this);
    case ValueType::int64:
      return stored<std::int64_t>(*this);
    case ValueType::uint8:
    case ValueType::uint16:
    case ValueType::uint32:
    case ValueType::uint64: {
      const std::uint64_t number = *as_unsigned();
      if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
      return static_cast<std::int64_t>(number);
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> Value::as_real() const {
  if (type == ValueType::float32) return stored<float>(*this);
  if (type == ValueType::float64) return stored<double>(*this);
  return std::nullopt;
}

std::optional<bool> Value::as_flag() const {
  if (type != ValueType::boolean) return std::nullopt;
  return stored<std::uint8_t>(*this) != 0;
}

std::optional<std::string_view> Value::as_text() const {
  if (type != ValueType::string) return std::nullopt;
  return bytes;
}

std::optional<Value> Elements::next() {
  if (left_ == 0) return std::nullopt;
  Cursor cursor(rest_);
  Value value;
  // The elements were checked when the file was opened, so that this holds.
  if (!read_value(cursor, static_cast<std::uint32_t>(element_), value).text.empty()) {
    left_ = 0;
    return std::nullopt;
  }
  value.offset += offset_;
  rest_.remove_prefix(cursor.at());
  offset_ += cursor.at();
  --left_;
  return value;
}

}  // namespace assay::gguf
