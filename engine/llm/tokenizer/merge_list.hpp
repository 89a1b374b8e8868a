#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/vocabulary/vocabulary.hpp"

namespace assay::tokenizer {

/// Collects merges in the order of a file, by their tokens' texts.
class MergeList {
 public:
  /// Brings the letters of a token to its bytes: appends them, false where that cannot be.
  using Spelling = std::function<bool(std::string_view letters, std::string& bytes)>;

  /// `tokens` must be indexed; both it and what `spelling` refers to stay while this is used.
  MergeList(const VocabularyBuilder& tokens, Spelling spelling)
      : tokens_(tokens), spelling_(std::move(spelling)) {}

  void reserve(std::size_t merges) { merges_.reserve(merges); }
  std::size_t size() const { return merges_.size(); }
  /// Appends a merge. Returns what is wrong with it, or nothing.
  std::optional<std::string> add(std::string_view left, std::string_view right);
  /// The same of "left right": two texts and a space, as files write it.
  std::optional<std::string> add(std::string_view both);
  std::vector<Merge> take() { return std::move(merges_); }

 private:
  const VocabularyBuilder& tokens_;
  Spelling spelling_;
  std::vector<Merge> merges_;
  std::string bytes_;  ///< of the merge at hand
};

/// Text of a file in a message: in quotes, cut and escaped as io::printable does.
std::string quoted(std::string_view text);

}  // namespace assay::tokenizer
