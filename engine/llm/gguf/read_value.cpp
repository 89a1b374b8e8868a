#include "engine/llm/gguf/read_value.hpp"

#include <algorithm>

namespace assay::gguf {
namespace {

ValueProblem wrong(const std::string& field, std::uint64_t value, std::uint64_t offset,
                   const std::string& expected) {
  return {offset, field + " is " + std::to_string(value) + " at byte " + std::to_string(offset) +
                      ", expected " + expected};
}

ValueProblem ended(const Cursor& cursor, const std::string& field, std::uint64_t needed) {
  return {cursor.at(), field + " needs " + std::to_string(needed) + " bytes at byte " +
                           std::to_string(cursor.at()) + ", the file has " +
                           std::to_string(cursor.remaining()) + " left"};
}

ValueProblem read_string(Cursor& cursor, Value& value) {
  std::uint64_t length = 0;
  const std::uint64_t start = cursor.at();
  if (!cursor.take(length)) return ended(cursor, "string length", sizeof length);
  value.offset = cursor.at();
  if (!cursor.take(length, value.bytes)) {
    return wrong("string length", length, start,
                 "at most " + std::to_string(cursor.remaining()) + ", the bytes that are left");
  }
  return {};
}

/// Least bytes that an element takes in a file: a length, or a type and a count, with nothing behind it.
std::uint64_t least_bytes(ValueType element) {
  if (element == ValueType::string) return 8;
  if (element == ValueType::array) return 12;
  return size_of(element);
}

ValueProblem check_booleans(const Value& value) {
  for (std::size_t i = 0; i < value.bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(value.bytes[i]);
    if (byte > 1) return wrong("bool", byte, value.offset + i, "0 or 1");
  }
  return {};
}

ValueProblem read_array(Cursor& cursor, Value& value, int depth) {
  if (depth > max_array_depth) {
    return {cursor.at(), "array at byte " + std::to_string(cursor.at()) + " is nested " +
                             std::to_string(depth) + " deep, expected at most " +
                             std::to_string(max_array_depth)};
  }
  std::uint32_t element = 0;
  const std::uint64_t type_at = cursor.at();
  if (!cursor.take(element)) return ended(cursor, "array element type", sizeof element);
  if (element >= value_type_count) return wrong("array element type", element, type_at, "0 to 12");
  value.element = static_cast<ValueType>(element);
  const std::uint64_t count_at = cursor.at();
  if (!cursor.take(value.count)) return ended(cursor, "array length", sizeof value.count);
  value.offset = cursor.at();
  const std::uint64_t most = cursor.remaining() / least_bytes(value.element);
  if (value.count > most) {
    return wrong("array length", value.count, count_at,
                 "at most " + std::to_string(most) + " elements of " + std::string(name_of(value.element)) +
                     ", for which bytes are left");
  }
  if (const std::uint64_t size = size_of(value.element); size != 0) {
    cursor.take(value.count * size, value.bytes);  // fits: count <= remaining / size
    return value.element == ValueType::boolean ? check_booleans(value) : ValueProblem{};
  }
  Cursor walk = cursor;
  for (std::uint64_t i = 0; i < value.count; ++i) {
    Value inner;
    if (ValueProblem problem = read_value(walk, element, inner, depth); !problem.text.empty()) {
      problem.text = "element " + std::to_string(i) + ": " + problem.text;
      return problem;
    }
  }
  cursor.take(walk.at() - cursor.at(), value.bytes);
  return {};
}

}  // namespace

ValueProblem read_value(Cursor& cursor, std::uint32_t type, Value& value, int depth) {
  value.type = static_cast<ValueType>(type);
  if (value.type == ValueType::string) return read_string(cursor, value);
  if (value.type == ValueType::array) return read_array(cursor, value, depth + 1);
  value.offset = cursor.at();
  const std::uint64_t size = size_of(value.type);
  if (!cursor.take(size, value.bytes)) return ended(cursor, std::string(name_of(value.type)), size);
  return value.type == ValueType::boolean ? check_booleans(value) : ValueProblem{};
}

}  // namespace assay::gguf
