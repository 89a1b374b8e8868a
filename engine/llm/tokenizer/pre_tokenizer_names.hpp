#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// What a GGUF file's tokenizer.ggml.pre stands for, which also names the pattern of files that carry none
/// (.tiktoken, vocab.json). From llama.cpp's table (llama-vocab.cpp, commit 00ad355e), with what the original
/// tokenizers do besides and GGUF does not carry.
struct PreTokenizer {
  std::string_view name;
  std::vector<SplitStep> split;
  bool nfc = false;            ///< the original tokenizer.json normalises
  bool ignore_merges = false;  ///< a piece that is a token is taken whole
  bool add_bos = false;        ///< where the file does not say
};

/// The one of that name, or nullptr.
const PreTokenizer* find_pre_tokenizer(std::string_view name);

/// "gpt-2, llama-bpe, ...", for messages.
std::string pre_tokenizer_names();

/// The steps of a regular expression of a tokenizer.json (Split), where it is one of the published ones; else
/// nothing.
std::optional<SplitStep> find_pattern(std::string_view regex);

/// Whether the matches of a step's pattern leave nothing between them, whatever the text.
bool covers_all_text(SplitStep step);

}  // namespace assay::tokenizer
