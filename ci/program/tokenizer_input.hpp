#pragma once

#include <vector>

#include "ci/program/command.hpp"
#include "ci/program/invocation.hpp"
#include "engine/llm/tokenizer/tokenizer.hpp"

namespace assay::program {

/// --tokenizer and --pre.
std::vector<Option> tokenizer_options();

/// The tokenizer that those name, with the engine of --backend. Throws Failure (bad input);
/// BackendUnavailable (exit 7) for a backend that is not there.
tokenizer::Tokenizer open_tokenizer(const Invocation& invocation);

}  // namespace assay::program
