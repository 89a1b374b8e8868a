#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// A part of a text: an added token with the white space that it takes, or what lies between two of them.
struct TextPart {
  std::size_t begin = 0;  ///< bytes
  std::size_t end = 0;
  TokenId token = no_token;  ///< none: text
};

/// The part of a text that a token comes from, bytes. Of what was replaced (NFC, U+FFFD, U+2581) it is the
/// whole; of tokens that the text does not have (BOS, a space in front) it is empty.
struct TextSpan {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const TextSpan&) const = default;
};

/// Finds added tokens in text: the leftmost, of those that begin there the longest, then behind it again.
/// From HF tokenizers (added_vocabulary.rs) are the flags' meanings.
class AddedTokens {
 public:
  /// `texts` are what is looked for, one a token: their contents, or those normalised. Empty ones are left
  /// out.
  AddedTokens(std::span<const AddedToken> tokens, std::span<const std::string> texts);

  bool empty() const { return nodes_.size() == 1; }
  /// Appends the parts of a text. Special tokens count as text unless `specials`, and where they reach into
  /// one of the `plain` parts, which ascend.
  void split(std::string_view text, bool specials, std::span<const TextSpan> plain,
             std::vector<TextPart>& parts) const;

 private:
  struct Node {
    std::vector<std::pair<std::uint8_t, std::uint32_t>> next;  ///< by rising byte
    std::uint32_t token = no_token;                            ///< index in tokens_
  };
  /// The longest token that the text begins with, as an index, and its bytes.
  std::optional<std::pair<std::uint32_t, std::size_t>> longest(std::string_view text, bool specials) const;
  bool fits(const AddedToken& token, std::string_view text, std::size_t begin, std::size_t end) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;
  std::array<bool, 256> begins_{};  ///< whether a token begins with that byte
};

}  // namespace assay::tokenizer
