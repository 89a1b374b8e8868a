#pragma once

#include <functional>
#include <vector>

#include "engine/tensors/block_format.hpp"

namespace assay::validation {

/// What a block of special numbers is, by the contract: worked out by hand.
struct SpecialBlock {
  const char* what;
  BlockFormat format;
  std::function<float(int)> element;
  std::vector<int> first;  ///< bytes that the block begins with
  int rest;                ///< what all others are
};

/// Zeros, NaN, infinities and extreme scales in every format that values are encoded to.
std::vector<SpecialBlock> special_blocks();

}  // namespace assay::validation
