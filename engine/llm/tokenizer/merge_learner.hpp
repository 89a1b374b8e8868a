#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/vocabulary/vocabulary.hpp"

namespace assay::tokenizer {

/// How often each piece of a corpus occurs: all that byte-pair encoding learns from. Ordered, so that nothing
/// depends on a hash.
using PieceCounts = std::map<std::string, std::uint64_t, std::less<>>;

struct LearningOptions {
  std::size_t tokens = 32000;     ///< of the vocabulary in all, at most max_tokens
  std::uint64_t least_count = 2;  ///< pairs that occur less often are not merged
  TokenId first_byte = 0;         ///< special tokens before the bytes
  /// Called now and then: (tokens so far, of how many).
  std::function<void(std::size_t, std::size_t)> progress;
};

/// What was learnt. Ids: the 256 bytes from `first_byte` on, in the order of their letters (byte_order), then
/// each token that a merge made for the first time.
struct LearntMerges {
  std::vector<std::string> tokens;  ///< bytes of the tokens from `first_byte` on
  std::vector<Merge> merges;        ///< in rank order
};

/// The bytes in the order of the letters that files write them with: that of HF tokenizers' alphabet.
std::vector<std::uint8_t> byte_order();

/// Byte-pair encoding learnt from pieces (Sennrich, Haddow, Birch 2016, algorithm 1, on bytes): again and
/// again the pair of neighbours that occurs most often becomes one token, the pair of the lower ids where
/// several do, until there are as many tokens as asked for or no pair occurs often enough. The counts of
/// pairs are kept up to date where a merge changes them, so that a step costs as much as it changes. The same
/// merges as HF tokenizers' BpeTrainer.
LearntMerges learn_merges(const PieceCounts& pieces, const LearningOptions& options);

}  // namespace assay::tokenizer
