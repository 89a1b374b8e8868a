#include "benchmarks/peers/driver_file.hpp"

#include <stdexcept>
#include <system_error>

namespace assay::benchmarks::peers {

std::filesystem::path driver_file(const std::string& name) {
  std::error_code ignored;
  for (const std::filesystem::path& root :
       {std::filesystem::path(ASSAY_SOURCE_DIR), std::filesystem::current_path(ignored)}) {
    const std::filesystem::path path = root / "benchmarks/peers" / name;
    if (std::filesystem::exists(path, ignored)) return path;
  }
  throw std::runtime_error("the source tree with " + name + " is not there");
}

}  // namespace assay::benchmarks::peers
