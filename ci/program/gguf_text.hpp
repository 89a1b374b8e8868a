#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "ci/program/gguf_input.hpp"
#include "engine/llm/gguf/model.hpp"

namespace assay::program {

/// What `gguf info` says to a person: the model, the metadata, sizes by type, tensors by kind (blocks of the
/// same shape and type are one line) or, with `each_tensor`, one by one. Control bytes of the file are
/// escaped.
void write_gguf_text(const GgufInput& input, const Result<gguf::ModelDescription>& model, bool each_tensor,
                     const std::function<void(std::string_view)>& put);

}  // namespace assay::program
