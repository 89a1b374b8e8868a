#include "ci/program/gguf_input.hpp"

#include "ci/program/failure.hpp"
#include "fmt/format.h"

namespace assay::program {

GgufInput open_gguf(const std::string& path) {
  std::vector<std::string> warnings;
  Result<gguf::ModelFiles> all = gguf::ModelFiles::open(path);
  if (!all) {
    gguf::File file = value_or_fail(gguf::File::open(path));
    warnings.push_back("only the one file is shown: " + all.error().message);
    all = gguf::ModelFiles::alone(std::move(file));
  }
  for (const gguf::File& part : all.value().parts()) {
    if (part.trailing_bytes() == 0) continue;
    warnings.push_back(fmt::format("{}: {} bytes after the last tensor belong to nothing", part.path(),
                                   part.trailing_bytes()));
  }
  return {std::move(all).value(), std::move(warnings)};
}

}  // namespace assay::program
