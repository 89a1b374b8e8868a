#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "engine/runtime/result.hpp"

namespace assay::io {

/// A whole file, mapped read-only: pages are read when they are looked at, and nothing is copied. Views stay
/// valid while the object (or what it was moved to) lives. The kernel ends a process that reads a page which
/// another process has cut off the file since; that cannot be checked for here.
class MappedFile {
 public:
  MappedFile() = default;
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
    return *this;
  }

  /// Errors: missing, unreadable, no regular file (a pipe cannot be mapped), no address space left for it.
  static Result<MappedFile> open(const std::string& path);

  std::string_view view() const { return {static_cast<const char*>(memory_), size_}; }
  /// Lets go of the whole pages of a part of the view, for a file that is read through once: they no longer
  /// count as this process's memory, and are read again if they are looked at. What is no part is left alone.
  void release(std::string_view part) const;

 private:
  MappedFile(void* memory, std::size_t size) : memory_(memory), size_(size) {}

  void* memory_ = nullptr;  ///< null for an empty file
  std::size_t size_ = 0;    ///< bytes
};

}  // namespace assay::io
