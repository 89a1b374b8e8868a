#pragma once

#include <cstdint>

#include "engine/runtime/philox.hpp"

namespace assay::analysis {

/// What a random stream is for. Streams of one seed never overlap, so that asking for surrogates
/// does not change the noise.
enum class RandomUse : std::uint32_t { noise = 1, permutation = 2, shift = 3, part = 4 };

/// Number of the Philox stream of a use; `index` is the column, or the surrogate.
constexpr std::uint64_t random_stream(RandomUse use, std::uint32_t index) {
  return static_cast<std::uint64_t>(use) << 32 | index;
}

/// A seed of its own for a part of a larger task, named by two numbers (a pair of columns).
inline std::uint64_t derived_seed(std::uint64_t seed, std::uint32_t first, std::uint32_t second) {
  return Philox(seed, random_stream(RandomUse::part, first), second).next_u64();
}

}  // namespace assay::analysis
