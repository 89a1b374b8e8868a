#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace assay::gguf {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in the file");

/// A place in bytes that never moves past their end.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes, std::uint64_t at = 0) : bytes_(bytes), at_(at) {}

  std::uint64_t at() const { return at_; }
  std::uint64_t remaining() const { return bytes_.size() - at_; }

  /// Reads a little-endian number. False, and nothing moved, where fewer bytes are left.
  template <typename T>
  bool take(T& value) {
    if (remaining() < sizeof(T)) return false;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }
  /// Takes that many bytes as they are.
  bool take(std::uint64_t count, std::string_view& taken) {
    if (remaining() < count) return false;
    taken = bytes_.substr(at_, count);
    at_ += count;
    return true;
  }

 private:
  std::string_view bytes_;
  std::uint64_t at_;
};

}  // namespace assay::gguf
