#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/vocabulary/specification.hpp"

namespace assay::kernels::split {

/// Replaces `ends` by the ends of the pieces of `text`, bytes, ascending, the last one its size: each step
/// splits every piece of the step before as a text of its own (engine/vocabulary/split_patterns.hpp says
/// how). No step: one piece. Text of less than 2^32 bytes; bytes that are no UTF-8 count as symbols. Linear
/// in the text.
void split(std::span<const SplitStep> steps, std::string_view text, std::vector<std::uint32_t>& ends);

}  // namespace assay::kernels::split
