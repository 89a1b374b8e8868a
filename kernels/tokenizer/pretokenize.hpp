#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/vocabulary/specification.hpp"

namespace assay::kernels::tokenizer {

/// CPU backend of tokenizer.pretokenize: `ends` has a byte for each of valid UTF-8.
void pretokenize(std::span<const SplitStep> split, std::string_view text, std::span<std::uint8_t> ends);

}  // namespace assay::kernels::tokenizer
