#pragma once

#include <span>
#include <string>

#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// How decoding treats tokens that are no text of the model.
struct DecodeOptions {
  bool skip_special = false;  ///< leave out control and unknown tokens; else their own text is shown
};

/// Ids to text, token by token, so that what is handed out is always whole characters: the bytes of a
/// character that is not complete are held back. Bytes that are no UTF-8 become U+FFFD, one for each maximal
/// subpart (utf8.hpp). One leading space of the first token is left out where the specification says so.
class StreamDecoder {
 public:
  /// The tokenizer stays while this lives.
  explicit StreamDecoder(const TokenizerDescription& tokenizer, DecodeOptions options = {})
      : tokenizer_(tokenizer), options_(options) {}

  /// Appends the text that can be handed out after this token. `id` must be one of the vocabulary.
  void add(TokenId id, std::string& text);
  /// Appends what is left at the end, an incomplete character as U+FFFD, and begins anew.
  void finish(std::string& text);

 private:
  const TokenizerDescription& tokenizer_;
  DecodeOptions options_;
  std::string held_;  ///< an incomplete character, under four bytes
  bool at_start_ = true;
};

/// All at once.
std::string decode(const TokenizerDescription& tokenizer, std::span<const TokenId> ids,
                   DecodeOptions options = {});

}  // namespace assay::tokenizer
