#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "engine/runtime/result.hpp"

namespace assay::io {

/// The whole content of a file.
class FileBytes {
 public:
  FileBytes() = default;
  FileBytes(std::unique_ptr<char[]> memory, std::size_t size) : memory_(std::move(memory)), size_(size) {}
  std::string_view view() const { return {memory_.get(), size_}; }

 private:
  std::unique_ptr<char[]> memory_;
  std::size_t size_ = 0;
};

/// Largest file that is read: more than this is refused before memory is asked for.
inline constexpr std::size_t max_file_bytes = std::size_t{16} << 30;

/// Reads a file (pipes too) at once. Errors: missing, a directory, unreadable, too large.
Result<FileBytes> read_file(const std::string& path);

/// Text for a message: at most `limit` bytes, control and non-ASCII bytes as \xNN.
std::string printable(std::string_view text, std::size_t limit = 40);

}  // namespace assay::io
