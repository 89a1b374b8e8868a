#pragma once

#include <string>
#include <vector>

#include "engine/llm/gguf/model_files.hpp"

namespace assay::program {

/// A model file and what is odd about it without being wrong.
struct GgufInput {
  gguf::ModelFiles files;
  std::vector<std::string> warnings;  ///< a line each
};

/// Opens a model with all its parts, or, where another part is missing or bad, the named file alone with a
/// warning. Throws Failure (bad input) where the named file itself is refused.
GgufInput open_gguf(const std::string& path);

}  // namespace assay::program
