#pragma once

#include <cstdint>
#include <iosfwd>

#include <rapidcheck.h>

#include "engine/vocabulary/specification.hpp"

namespace assay::validation::tokens {

/// A recipe for a small tokenizer of any model and rule. Its tokens grow from the texts that are drawn beside
/// it: pairs of symbols that stand together become tokens, several pairs the same one, some never reached;
/// ranks are as they were made, or shuffled; scores have ties.
struct Recipe {
  TokenizerModel model = TokenizerModel::byte_level_bpe;
  MergeRule rule = MergeRule::pair_rank;
  int tokens = 8;  ///< that are no single symbols
  int split = 0;   ///< index into published_splits()
  bool ignore_merges = false;
  bool lacks_symbols = false;  ///< some symbols have no token
  bool fuse_unknown = false;
  bool byte_fallback = true;
  bool shuffled = false;  ///< merges stand in no sensible order
  std::uint64_t seed = 0;

  TokenizerDescription description() const;
};
std::ostream& operator<<(std::ostream& out, const Recipe& recipe);

/// The sequences of steps that models are published with, and none.
const std::vector<std::vector<SplitStep>>& published_splits();

/// Up to `most` tokens besides single symbols. Shrinks to fewer tokens and fewer peculiarities.
rc::Gen<Recipe> recipes(int most);

}  // namespace assay::validation::tokens
