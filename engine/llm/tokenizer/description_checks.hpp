#pragma once

#include <optional>
#include <string>

#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// What every encoder relies on, whatever file a tokenizer came from: each byte or character comes to some
/// token. Returns what is missing, or nothing. Made of it: every symbol that begins the merging has an id.
std::optional<std::string> what_is_missing(const TokenizerDescription& tokenizer);

}  // namespace assay::tokenizer
