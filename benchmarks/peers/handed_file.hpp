#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace assay::benchmarks::peers {

/// A temporary file with these bytes, one part after the other, for another program to read; gone with this
/// object. Throws std::runtime_error where it cannot be written.
class HandedFile {
 public:
  HandedFile(const std::string& prefix, const std::vector<std::span<const std::byte>>& parts);
  ~HandedFile();
  HandedFile(const HandedFile&) = delete;
  HandedFile& operator=(const HandedFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace assay::benchmarks::peers
