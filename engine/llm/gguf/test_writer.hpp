#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/llm/gguf/tensor_type.hpp"
#include "engine/llm/gguf/value.hpp"

namespace assay::gguf {

/// Writes small files for tests, right ones and wrong ones: counts, lengths and offsets may be set to
/// anything, and what they belong to may be cut off.
class TestWriter {
 public:
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::uint64_t claimed_tensors = 0;   ///< beyond those that are there; the sum may wrap
  std::uint64_t claimed_metadata = 0;  ///< likewise
  std::uint64_t alignment = 32;        ///< of the data; the key is written by the caller

  template <typename T>
  static std::string stored(T number) {
    return {reinterpret_cast<const char*>(&number), sizeof number};
  }
  static std::string text(std::string_view content) {
    return stored<std::uint64_t>(content.size()) + std::string(content);
  }
  template <typename T>
  static std::string array(ValueType element, const std::vector<T>& values) {
    std::string bytes = array_head(element, values.size());
    for (const T& value : values) {
      if constexpr (std::is_arithmetic_v<T>)
        bytes += stored(value);
      else
        bytes += value;  // stored already
    }
    return bytes;
  }
  static std::string array_head(ValueType element, std::uint64_t count) {
    return stored(static_cast<std::uint32_t>(element)) + stored(count);
  }

  /// Adds an entry with bytes as stored.
  TestWriter& raw(std::string_view key, std::uint32_t type, std::string_view bytes) {
    metadata_ += text(key) + stored(type) + std::string(bytes);
    ++metadata_count_;
    return *this;
  }
  TestWriter& raw(std::string_view key, ValueType type, std::string_view bytes) {
    return raw(key, static_cast<std::uint32_t>(type), bytes);
  }
  TestWriter& set(std::string_view key, std::string_view value) {
    return raw(key, ValueType::string, text(value));
  }
  TestWriter& set(std::string_view key, std::uint32_t value) {
    return raw(key, ValueType::uint32, stored(value));
  }
  TestWriter& set(std::string_view key, float value) { return raw(key, ValueType::float32, stored(value)); }

  /// Adds a tensor whose data follow those of the one before, aligned.
  TestWriter& tensor(std::string_view name, const std::vector<std::uint64_t>& shape, TensorType type,
                     std::string_view data) {
    data_.resize((data_.size() + alignment - 1) / alignment * alignment, '\0');
    tensor_entry(name, shape, static_cast<std::uint32_t>(type), data_.size());
    data_ += data;
    return *this;
  }
  /// Adds the entry of a tensor alone.
  TestWriter& tensor_entry(std::string_view name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
                           std::uint64_t offset) {
    tensors_ += text(name) + stored(static_cast<std::uint32_t>(shape.size()));
    for (const std::uint64_t extent : shape) tensors_ += stored(extent);
    tensors_ += stored(type) + stored(offset);
    ++tensor_count_;
    return *this;
  }
  TestWriter& data(std::string_view bytes) {
    data_ += bytes;
    return *this;
  }

  std::string bytes() const {
    std::string file = magic + stored(version) + stored(tensor_count_ + claimed_tensors) +
                       stored(metadata_count_ + claimed_metadata) + metadata_ + tensors_;
    if (data_.empty()) return file;
    file.resize((file.size() + alignment - 1) / alignment * alignment, '\0');
    return file + data_;
  }

 private:
  std::uint64_t tensor_count_ = 0;
  std::uint64_t metadata_count_ = 0;
  std::string metadata_;
  std::string tensors_;
  std::string data_;
};

/// A value of every type, nested arrays among them.
inline void set_every_type(TestWriter& writer) {
  using T = TestWriter;
  writer.raw("a.u8", ValueType::uint8, T::stored<std::uint8_t>(255));
  writer.raw("a.i8", ValueType::int8, T::stored<std::int8_t>(-128));
  writer.raw("a.u16", ValueType::uint16, T::stored<std::uint16_t>(65535));
  writer.raw("a.i16", ValueType::int16, T::stored<std::int16_t>(-32768));
  writer.set("a.u32", std::uint32_t{4294967295});
  writer.raw("a.i32", ValueType::int32, T::stored<std::int32_t>(-2147483647 - 1));
  writer.set("a.f32", 0.5f);
  writer.raw("a.true", ValueType::boolean, "\x01");
  writer.raw("a.false", ValueType::boolean, std::string_view("\0", 1));
  writer.set("a.text", "two words");
  writer.raw("a.u64", ValueType::uint64, T::stored<std::uint64_t>(~std::uint64_t{0}));
  writer.raw("a.i64", ValueType::int64, T::stored<std::int64_t>(-9223372036854775807 - 1));
  writer.raw("a.f64", ValueType::float64, T::stored(0.1));
  writer.raw("a.none", ValueType::array, T::array<std::int32_t>(ValueType::int32, {}));
  writer.raw("a.numbers", ValueType::array, T::array<std::int16_t>(ValueType::int16, {-1, 0, 1}));
  writer.raw("a.texts", ValueType::array,
             T::array<std::string>(ValueType::string, {T::text(""), T::text("a")}));
  writer.raw(
      "a.rows", ValueType::array,
      T::array<std::string>(ValueType::array, {T::array<std::uint8_t>(ValueType::uint8, {1, 2}),
                                               T::array<std::string>(ValueType::string, {T::text("x")})}));
}

/// An array of an array of ... of one uint8, so deep.
inline std::string nested_array(int depth) {
  if (depth == 1) return TestWriter::array<std::uint8_t>(ValueType::uint8, {7});
  return TestWriter::array<std::string>(ValueType::array, {nested_array(depth - 1)});
}

}  // namespace assay::gguf
