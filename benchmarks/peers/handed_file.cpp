#include "benchmarks/peers/handed_file.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <system_error>

namespace assay::benchmarks::peers {

HandedFile::HandedFile(const std::string& prefix, const std::vector<std::span<const std::byte>>& parts) {
  std::string name = (std::filesystem::temp_directory_path() / (prefix + "XXXXXX")).string();
  const int descriptor = mkstemp(name.data());
  if (descriptor < 0) throw std::runtime_error("no temporary file could be made: " + name);
  path_ = name;
  std::FILE* file = fdopen(descriptor, "wb");
  bool written = file != nullptr;
  for (const std::span<const std::byte> part : parts)
    written = written && std::fwrite(part.data(), 1, part.size(), file) == part.size();
  if (file != nullptr)
    written = std::fclose(file) == 0 && written;
  else
    ::close(descriptor);
  if (written) return;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
  throw std::runtime_error(name + " could not be written");
}

HandedFile::~HandedFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace assay::benchmarks::peers
