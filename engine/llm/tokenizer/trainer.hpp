#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/llm/tokenizer/added_tokens.hpp"
#include "engine/llm/tokenizer/merge_learner.hpp"
#include "engine/llm/tokenizer/normaliser.hpp"
#include "engine/llm/tokenizer/pre_tokenizer_names.hpp"
#include "engine/runtime/result.hpp"

namespace assay::tokenizer {

/// A tokenizer.json, and what it holds.
struct TrainedFile {
  std::string text;
  std::size_t tokens = 0;
  std::size_t merges = 0;
};

/// Trains a byte-level BPE tokenizer: documents are split as one of the published pre-tokenizers does, merges
/// are learnt from their pieces (merge_learner.hpp). Special tokens come first of all ids; where a document
/// has one, it is cut there and nothing is learnt from it.
class Trainer {
 public:
  /// `special`: different and not empty.
  Trainer(const PreTokenizer& pre, const std::vector<std::string>& special);
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Counts the pieces of a document and returns their number. Refused, with `name` and the offset: text that
  /// is no UTF-8; 2^31 bytes and more, which is to come in parts.
  Result<std::size_t> add(const std::string& name, std::string_view document);

  const PieceCounts& pieces() const { return pieces_; }

  /// The tokenizer.json of what is learnt from the documents so far, as HF tokenizers reads it, with
  /// `options.tokens` tokens in all, or fewer where pairs run out. `options.first_byte` is not looked at.
  TrainedFile tokenizer_json(LearningOptions options) const;

 private:
  const PreTokenizer& pre_;
  Specification specification_;
  AddedTokens special_;
  Normaliser normaliser_;
  PieceCounts pieces_;
};

}  // namespace assay::tokenizer
