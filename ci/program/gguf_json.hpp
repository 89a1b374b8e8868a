#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ci/program/gguf_input.hpp"
#include "engine/llm/gguf/model.hpp"

namespace assay::program {

/// Writes the document of `gguf info --json` piece by piece, so that a large file needs no second copy of its
/// metadata in memory. Text that is no UTF-8 has U+FFFD where it is not; numbers that JSON lacks are the
/// strings "nan", "inf" and "-inf".
void write_gguf_json(const GgufInput& input, const Result<gguf::ModelDescription>& model,
                     const std::function<void(std::string_view)>& put);

/// "array of string": the type of a value.
std::string gguf_type_text(const gguf::Value& value);

/// A value that is no array, as JSON.
std::string gguf_scalar_json(const gguf::Value& value);

}  // namespace assay::program
