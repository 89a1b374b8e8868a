#pragma once

#include <memory>
#include <mutex>

#include "engine/vocabulary/specification.hpp"
#include "kernels/merge/rules.hpp"
#include "kernels/merge/token_trie.hpp"
#include "kernels/merge/word_cuts.hpp"

namespace assay::kernels::merge {

/// What is made of a description once, and shared by all who encode.
struct Model {
  explicit Model(const TokenizerDescription& description)
      : vocabulary(description.vocabulary),
        specification(description.specification),
        rules(vocabulary, specification),
        word_cuts(vocabulary) {}

  /// Made when first asked for: loading a model need not wait for it.
  const TokenTrie& trie() const {
    std::call_once(trie_once, [this] { made_trie = std::make_unique<TokenTrie>(vocabulary); });
    return *made_trie;
  }

  const Vocabulary& vocabulary;
  const Specification& specification;
  const Rules rules;
  const WordCuts word_cuts;  ///< for SentencePiece's model

 private:
  mutable std::once_flag trie_once;
  mutable std::unique_ptr<TokenTrie> made_trie;
};

}  // namespace assay::kernels::merge
