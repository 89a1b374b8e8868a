#pragma once

#include <cstdint>
#include <string>

#include "engine/arguments.hpp"
#include "engine/vocabulary/specification.hpp"

namespace assay::benchmarks::tokens {

/// Text like English: words of a made language with a vocabulary of 4,096, their frequencies as Zipf has
/// them, commas, full stops, numbers and paragraphs. By the seed.
std::string english(std::size_t bytes, std::uint64_t seed);

/// (n) u8
Tensor tensor_of(std::string_view bytes);

/// A byte-level tokenizer with a token for each of those words, with a space before it and without, grown
/// from their beginnings one letter at a time; split as Llama-3's.
TokenizerDescription english_tokenizer();

}  // namespace assay::benchmarks::tokens
