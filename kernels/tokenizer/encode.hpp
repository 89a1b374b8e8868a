#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/vocabulary/specification.hpp"

namespace assay::kernels::tokenizer {

/// CPU backend of tokenizer.encode; `ids` and `ends` have an element for each byte of valid UTF-8.
void encode(const TokenizerDescription& tokenizer, std::string_view text, std::span<std::int32_t> ids,
            std::span<std::int32_t> ends);

}  // namespace assay::kernels::tokenizer
