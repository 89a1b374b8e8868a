#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "validation/suite.hpp"

/// Drafts that are verified again and again, of distributions that are known.
namespace assay::validation::speculation {

/// What the target has and what the draft has of the next token.
struct Pair {
  const char* name;
  std::vector<float> target, draft;
};

/// Pairs that are equal, disjoint, nested in either way, random, and of a flat draft.
std::vector<Pair> pairs(std::int64_t tokens);

/// Tokens of one step for each of `rows` seeds, drawn by sampling.categorical.
std::vector<std::int32_t> drafted_by_categorical(Probe& probe, const Tensor& logits, const Tensor& seed,
                                                 std::int64_t position);

/// (rows, steps, tokens), the same in each.
Tensor in_steps(const std::vector<float>& logits, std::int64_t rows, std::int64_t steps);

/// What came out of verifications.
struct Verified {
  std::vector<std::int32_t> tokens;  ///< (rows, steps + 1)
  std::vector<std::int32_t> accepted;
};

/// What comes out of `rows` verifications of a draft of so many steps, all of them of the same two
/// distributions. The draft is drawn under the same seeds and positions.
Verified verified(Probe& probe, const Pair& pair, std::uint64_t seed, std::int64_t first, std::int64_t rows,
                  std::int64_t steps);

/// `count` categories, made of rows by `category_of(tokens of a row, accepted)`.
template <typename CategoryOf>
std::vector<std::int64_t> categories(Probe& probe, const Pair& pair, std::uint64_t seed, std::int64_t count,
                                     std::int64_t steps, const CategoryOf& category_of) {
  constexpr std::int64_t at_once = 20'000;
  std::vector<std::int64_t> made;
  for (std::int64_t first = 0; first < count; first += at_once) {
    const std::int64_t rows = at_once < count - first ? at_once : count - first;
    const Verified got = verified(probe, pair, seed, first, rows, steps);
    for (std::int64_t row = 0; row < rows; ++row)
      made.push_back(
          category_of(got.tokens.data() + row * (steps + 1), got.accepted[static_cast<std::size_t>(row)]));
  }
  return made;
}

}  // namespace assay::validation::speculation
