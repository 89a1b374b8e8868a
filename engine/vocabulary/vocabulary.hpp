#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime/result.hpp"

namespace assay {

/// The number of a token: its row in a model's embedding.
using TokenId = std::uint32_t;

/// Stands where there is no token. No vocabulary is large enough to have it.
inline constexpr TokenId no_token = 0xFFFFFFFF;

/// More tokens, merges or bytes than these are refused: published vocabularies have under 300,000 tokens and
/// 500,000 merges, and every number derived from the limits fits 32 bits.
inline constexpr std::size_t max_tokens = std::size_t{1} << 22;
inline constexpr std::size_t max_merges = std::size_t{1} << 23;
inline constexpr std::size_t max_token_bytes = std::size_t{1} << 16;

/// What a token is for. The values of GGUF's tokenizer.ggml.token_type; tokenizer.json has only the
/// difference between tokens of the model and added ones.
enum class TokenKind : std::uint8_t {
  normal = 1,        ///< text: the only kind that the model's merges lead to, and the only one `find` finds
  unknown = 2,       ///< stands for text that has no token
  control = 3,       ///< special: taken from text only where specials are parsed
  user_defined = 4,  ///< added: taken from text always
  unused = 5,        ///< padding of the embedding, such as [PAD151936]
  byte = 6           ///< byte fallback: one byte, <0x0A>
};

/// One merge of a byte-pair encoding: two adjacent tokens become one. Its rank is its index in the list.
struct Merge {
  TokenId left;
  TokenId right;
  TokenId result;
};

/// The tokens of a model with their real bytes: what decoding puts out. The byte-level alphabet (bytes as
/// letters, Radford et al. 2019) and SentencePiece's U+2581 for a space are undone before tokens come here.
/// One arena and flat arrays; immutable once built, so that any number of threads may read it.
class Vocabulary {
 public:
  std::size_t size() const { return kinds_.size(); }
  /// The bytes that a token stands for, not always whole characters. `id` must be below `size()`, here and
  /// below.
  std::string_view bytes_of(TokenId id) const {
    return std::string_view(arena_).substr(offsets_[id], offsets_[id + 1] - offsets_[id]);
  }
  TokenKind kind_of(TokenId id) const { return static_cast<TokenKind>(kinds_[id]); }
  /// SentencePiece's score: a merge to the token of the highest score comes first. 0 where there are none.
  float score_of(TokenId id) const { return scores_.empty() ? 0.0f : scores_[id]; }
  bool has_scores() const { return !scores_.empty(); }

  /// The normal token of exactly these bytes, the first one where several have them; `no_token` where none
  /// has.
  TokenId find(std::string_view bytes) const;
  /// The byte-fallback token of a byte, or `no_token`.
  TokenId byte_token(std::uint8_t byte) const { return byte_tokens_[byte]; }
  /// By falling priority; empty where merges follow from ranks or scores of tokens (MergeRule).
  std::span<const Merge> merges() const { return merges_; }

  /// Bytes of the longest normal token.
  std::size_t longest_normal() const { return longest_normal_; }
  /// Memory held, bytes.
  std::size_t memory() const;

 private:
  friend class VocabularyBuilder;

  std::string arena_;
  std::vector<std::uint32_t> offsets_{0};  ///< size() + 1
  std::vector<std::uint8_t> kinds_;
  std::vector<float> scores_;  ///< size(), or empty
  std::vector<Merge> merges_;
  /// A place of the hash: the token, and bits of its hash that tell most others apart without a look at them.
  struct Slot {
    TokenId id = no_token;
    std::uint32_t tag = 0;
  };
  std::vector<Slot> slots_;  ///< open addressing, a power of two, linear probing
  bool has_twins_ = false;   ///< some normal tokens have the same bytes
  std::array<TokenId, 256> byte_tokens_{};
  std::size_t longest_normal_ = 0;
};

/// Makes a vocabulary, token by token in the order of their ids.
class VocabularyBuilder {
 public:
  void reserve(std::size_t tokens, std::size_t bytes);
  /// Appends a token. The caller keeps the limits above. A `byte` token has one byte.
  void add(std::string_view bytes, TokenKind kind);
  /// Another kind for a token, once merges were resolved: an added token may be one that merges lead to.
  void set_kind(TokenId id, TokenKind kind);
  /// Scores of all tokens, in order.
  void set_scores(std::vector<float> scores) { made_.scores_ = std::move(scores); }
  void set_merges(std::vector<Merge> merges) { made_.merges_ = std::move(merges); }
  /// Bytes of tokens so far: they may not reach 2^32.
  std::size_t bytes() const { return made_.arena_.size(); }
  std::size_t size() const { return made_.size(); }
  std::string_view bytes_of(TokenId id) const { return made_.bytes_of(id); }
  TokenKind kind_of(TokenId id) const { return made_.kind_of(id); }
  /// What `Vocabulary::find` will say: for merges, which are given by the tokens' bytes. Valid once `index`
  /// was called.
  TokenId find(std::string_view bytes) const { return made_.find(bytes); }
  /// The same, at once where the guess is right: merges stand in files in the order of what they make.
  TokenId find(std::string_view bytes, TokenId guess) const {
    const bool right = guess < size() && !made_.has_twins_ && kind_of(guess) == TokenKind::normal &&
                       bytes_of(guess) == bytes;
    return right ? guess : find(bytes);
  }
  /// Indexes the tokens added so far.
  void index();
  /// The vocabulary, indexed.
  Vocabulary build();

 private:
  Vocabulary made_;
  bool indexed_ = false;
};

}  // namespace assay
