#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/vocabulary/vocabulary.hpp"

namespace assay {

/// What text is before its symbols are merged.
enum class TokenizerModel : std::uint8_t {
  byte_level_bpe,  ///< pieces of the split, each a sequence of bytes (GPT-2, Llama-3, Qwen2, GPT-OSS, Falcon)
  sentencepiece_bpe  ///< the whole text, a sequence of characters; bytes where a character has no token
                     ///< (Llama, Phi-3)
};

/// Which adjacent symbols become one first; the leftmost of equals. Repeated until none is left.
enum class MergeRule : std::uint8_t {
  pair_rank,   ///< the pair of the lowest index in Vocabulary::merges (tokenizer.json, GGUF)
  token_rank,  ///< the pair whose joint bytes are the normal token of the lowest id (.tiktoken)
  token_score  ///< the pair whose joint bytes are the normal token of the highest score (SentencePiece)
};

/// One step of the pre-tokenizer. Each step is applied to every piece of the step before as to a text of its
/// own: the matches of its pattern become pieces, and so does what lies between them.
/// engine/vocabulary/split_patterns.hpp has the patterns as they were published.
enum class SplitStep : std::uint8_t {
  gpt2,                        ///< GPT-2, also Phi-2, MPT, ByteLevel with use_regex
  llama3,                      ///< Llama-3 (cl100k with three digits)
  qwen2,                       ///< Qwen2, DeepSeek-R1-Distill-Qwen
  gpt4o,                       ///< o200k: GPT-4o, GPT-OSS
  number,                      ///< \p{N}: Digits with individual_digits; StarCoder, Refact, DeepSeek-Coder
  numbers,                     ///< \p{N}+: Digits; DeepSeek-LLM
  digit_triple,                ///< [0-9][0-9][0-9]: Falcon
  punctuation,                 ///< Punctuation, isolated: one \p{P} or ASCII symbol
  punctuation_run,             ///< Punctuation, contiguous: Falcon
  punctuation_run_default,     ///< llama.cpp's "default": as Falcon, without the backtick
  line_break,                  ///< [\r\n]: DeepSeek
  deepseek_coder_letters,      ///< \s?\p{L}+
  deepseek_coder_punctuation,  ///< \s?\p{P}+
  deepseek_cjk,                ///< [一-龥ࠀ-一가-퟿]+
  deepseek_llm_letters,        ///< \s?[A-Za-z and listed other letters]+
  deepseek_llm_punctuation,    ///< \s?[!-/:-~ and full-width ones]+
  deepseek_llm_trailing_space  ///< \s+$
};

/// Where a space is put before text. A segment is what lies between added tokens; an empty one gets none.
enum class SpacePrefix : std::uint8_t {
  never,
  every_segment,  ///< Prepend; SentencePiece's Llama and Phi-3
  unless_space,   ///< every segment that does not begin with one: ByteLevel's add_prefix_space, Metaspace
                  ///< "always"
  first_unless_space,  ///< the same, only where the segment begins the text: Metaspace "first"
};

/// A token that is looked for in the text before anything else is done to it: the leftmost, of those the
/// longest.
struct AddedToken {
  TokenId id = no_token;
  std::string content;       ///< its text
  bool special = false;      ///< looked for only where special tokens are parsed; the others always
  bool lstrip = false;       ///< takes the white space before it
  bool rstrip = false;       ///< takes the white space after it
  bool single_word = false;  ///< only between what are no letters, digits or underscores
  bool normalized = false;   ///< looked for in the normalised text
};

/// All that a tokenizer file says besides its tokens.
struct Specification {
  TokenizerModel model = TokenizerModel::byte_level_bpe;
  MergeRule merge_rule = MergeRule::pair_rank;
  std::vector<SplitStep> split;  ///< byte-level only; empty: a segment is one piece
  bool nfc = false;              ///< text is brought to Unicode's normalisation form C first
  bool ignore_merges = false;    ///< a piece that is a token is taken whole (Llama-3, .tiktoken)
  bool byte_fallback = false;    ///< characters without a token become byte tokens
  bool fuse_unknown = false;     ///< adjacent characters without token or bytes become one unknown token
  SpacePrefix space_prefix = SpacePrefix::never;
  std::vector<AddedToken> added;  ///< contents are different and not empty

  TokenId bos = no_token;
  TokenId eos = no_token;
  /// For characters (byte-level: bytes) without a token. Where there is none either, they are left out before
  /// the merging, as HF tokenizers does: Falcon has no tokens for some control characters.
  TokenId unknown = no_token;
  TokenId padding = no_token;
  std::vector<TokenId> before;  ///< what `add_special` puts before the ids of a text
  std::vector<TokenId> after;   ///< and after them

  bool strip_first_space = false;  ///< decoding takes one leading space off the first token (SentencePiece)
};

/// What a tokenizer is: immutable, shared by everything that encodes and decodes with it.
struct TokenizerDescription {
  Vocabulary vocabulary;
  Specification specification;
};

}  // namespace assay
