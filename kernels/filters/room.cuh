#pragma once

#include "kernels/filters/peers.cuh"

namespace assay::kernels::filters {

constexpr int bins = 256;
constexpr float bins_per_unit = 32;  ///< where bins are distances from the maximum: they reach 8 below it
constexpr int most_few = 1024;       ///< tokens that one block can go on with as a list

/// Where a list is cut: entries of a greater key, and of this key those whose id is not beyond the last.
struct ListCut {
  std::uint32_t key;
  std::uint32_t last_id;
  Word above;   ///< mass of the greater keys
  Word needed;  ///< of the entries of this key
  int length;   ///< of the prefix; 0: not known
  Word mass;    ///< of the prefix; 0: not known
};

/// Where two prefixes end (listed.cuh).
struct NearCut {
  ListCut cut;
  bool found;
  bool alike;  ///< at the same entry
};

/// Shared memory of a block beside its part of the row.
struct Room {
  Exchange exchange;
  union {
    Word list[most_few];  ///< of the first block: few.cuh
    struct {
      std::uint32_t counted[3][bins];  ///< this block's; masses in three parts of 15 bits
      Word merged[bins];               ///< the row's
    } of_bins;
    std::uint32_t times[2 * most_few];  ///< occurrences of neighbouring tokens
    float greatest[block_threads];      ///< logits of groups of threads: bound.cuh
  };
  int found_bin;
  Word found_before;
  std::uint32_t bound;
  int verdict;
  std::uint32_t appended;  ///< to the list
  NearCut near_cut;
};

/// Bytes of the part: also scratch of a list.
constexpr std::size_t bytes_of_part(std::int64_t segment) {
  const std::size_t held = static_cast<std::size_t>(segment) * block_warps * sizeof(float);
  const std::size_t scratch = most_few * (sizeof(Word) + sizeof(double));
  return held > scratch ? held : scratch;
}

}  // namespace assay::kernels::filters
