#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/llm/tokenizer/added_tokens.hpp"
#include "engine/llm/tokenizer/normaliser.hpp"
#include "engine/runtime/result.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "engine/vocabulary/segment_encoder.hpp"
#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// What is done with text that is no UTF-8.
enum class InvalidUtf8 : std::uint8_t {
  replace,  ///< U+FFFD for each maximal subpart (Unicode 15, section 3.9), as HF's callers do
  bytes,  ///< its bytes are encoded as one piece; for byte-level vocabularies that have a token for each byte
  refuse
};

struct EncodeOptions {
  bool parse_special =
      true;  ///< special tokens in the text become their ids; added ones that are not special always do
  bool add_special = false;  ///< BOS and EOS, as the file says
  InvalidUtf8 invalid = InvalidUtf8::replace;
  /// Parts of the text in which special tokens are text all the same (what a user wrote), ascending. Where
  /// text that is no UTF-8 is replaced, they are parts of the text after that.
  std::span<const TextSpan> plain = {};
  bool offsets = false;  ///< also where in the text each token comes from
};

struct Encoding {
  std::vector<TokenId> ids;
  std::vector<TextSpan> spans;  ///< one an id where offsets were asked for, else empty
};

/// A tokenizer with an engine that splits and merges. Immutable: any number of threads may use one, if they
/// may use its engine.
class Tokenizer {
 public:
  Tokenizer(std::shared_ptr<const TokenizerDescription> description,
            std::shared_ptr<const SegmentEncoder> engine);

  const TokenizerDescription& description() const { return *description_; }

  /// Ids of a text of less than 2^31 bytes. Refused: a longer text; where asked for, text that is no UTF-8,
  /// with the offset of the first such byte; `InvalidUtf8::bytes` where the vocabulary cannot.
  Result<Encoding> encode(std::string_view text, const EncodeOptions& options = {}) const;

  /// Each text for itself, on all workers of the pool; in the order of the texts, and equal to one at a time.
  std::vector<Result<Encoding>> encode_all(ThreadPool& pool, std::span<const std::string_view> texts,
                                           const EncodeOptions& options = {}) const;

 private:
  class Call;

  std::shared_ptr<const TokenizerDescription> description_;
  std::shared_ptr<const SegmentEncoder> engine_;
  Normaliser normaliser_;
  AddedTokens plain_added_;       ///< looked for in the text as it is
  AddedTokens normalized_added_;  ///< in the normalised text
  bool has_all_bytes_ = false;
};

}  // namespace assay::tokenizer
