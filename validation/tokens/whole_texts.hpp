#pragma once

#include "validation/suite.hpp"

namespace assay::validation::tokens {

/// Properties of what is around splitting and merging (engine/llm/tokenizer), on the CPU.

/// Texts with added tokens of any flags, normalisation and spaces in front have the reference's ids.
void whole_texts_match(Probe& probe);
void other_texts_match(Probe& probe);

/// The parts of the text that tokens come from, normalised, are the tokens' bytes.
void spans_are_the_tokens(Probe& probe);
void other_spans_are_the_tokens(Probe& probe);

/// Ten million random strings, encoded and decoded by a byte-level tokenizer, are what they were.
void ten_million_strings_come_back(Probe& probe);
void another_string_comes_back(Probe& probe);

}  // namespace assay::validation::tokens
