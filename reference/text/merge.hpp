#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/vocabulary/specification.hpp"

namespace assay::reference {

/// Byte-pair encoding as it is defined (Sennrich, Haddow, Birch 2016, algorithm 1, applied; Kudo and
/// Richardson 2018 for scores): of all adjacent symbols that have a merge, the first by the tokenizer's
/// MergeRule becomes one, the leftmost of equals; again, until there is none. Each round looks at every pair.
class MergeLoop {
 public:
  explicit MergeLoop(const TokenizerDescription& tokenizer);

  struct Symbol {
    std::string_view text;
    TokenId id = no_token;  ///< none: a character or byte without a token
  };
  /// The symbols that a piece comes to. Their texts are parts of the piece, in order.
  std::vector<Symbol> operator()(std::string_view piece) const;

 private:
  /// What two symbols become and how early; lower is earlier. No token: they stay two.
  std::pair<double, TokenId> joined(const Symbol& left, const Symbol& right) const;

  const TokenizerDescription& tokenizer_;
  std::map<std::pair<TokenId, TokenId>, std::pair<double, TokenId>> ranks_;
};

/// Bytes of the character that begins valid UTF-8.
std::size_t character_size(std::string_view text);

}  // namespace assay::reference
