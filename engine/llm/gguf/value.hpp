#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace assay::gguf {

/// Types of metadata values, by their numbers in files (gguf.md of ggml).
enum class ValueType : std::uint32_t {
  uint8 = 0,
  int8 = 1,
  uint16 = 2,
  int16 = 3,
  uint32 = 4,
  int32 = 5,
  float32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  uint64 = 10,
  int64 = 11,
  float64 = 12
};

/// Types have the numbers 0 to 12.
inline constexpr std::uint32_t value_type_count = 13;

/// An array of numbers has depth 1, an array of those depth 2; deeper ones than this are refused.
inline constexpr int max_array_depth = 16;

/// "uint8", "bool", "string", ...
std::string_view name_of(ValueType type);

/// Bytes of a value of fixed size; 0 for strings and arrays.
std::uint64_t size_of(ValueType type);

/// One metadata value: a view of the file's bytes, which `File` checked when it was opened.
struct Value {
  ValueType type = ValueType::uint8;
  ValueType element = ValueType::uint8;  ///< of an array
  std::uint64_t count = 0;               ///< elements of an array
  std::string_view bytes;    ///< number: as stored; string: its text; array: its elements as stored
  std::uint64_t offset = 0;  ///< of `bytes` in the file

  /// An integer of any type that is not negative.
  std::optional<std::uint64_t> as_unsigned() const;
  /// A signed integer, or an unsigned one that fits.
  std::optional<std::int64_t> as_signed() const;
  /// float32 or float64.
  std::optional<double> as_real() const;
  std::optional<bool> as_flag() const;
  /// The bytes of a string, as they are: UTF-8 by the format, but nothing holds a file to that.
  std::optional<std::string_view> as_text() const;
};

/// Walks through the elements of an array, in order; of any other value there are none.
class Elements {
 public:
  explicit Elements(const Value& array)
      : rest_(array.type == ValueType::array ? array.bytes : std::string_view{}),
        element_(array.element),
        left_(array.type == ValueType::array ? array.count : 0),
        offset_(array.offset) {}
  /// The next element, or nothing after the last.
  std::optional<Value> next();

 private:
  std::string_view rest_;
  ValueType element_;
  std::uint64_t left_;
  std::uint64_t offset_;
};

}  // namespace assay::gguf
