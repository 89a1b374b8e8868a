#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace assay::validation {

/// Where a tensor of a call lies in memory, as against on a 4 KiB boundary with its rows side by side.
struct Placement {
  std::int64_t offset = 0;   ///< elements that it begins after such a boundary
  std::int64_t row_gap = 0;  ///< elements between rows of the last axis; of inputs of rank 2 and more only
  bool operator==(const Placement&) const = default;
};

/// By the name of the input or output; what is not named has the default.
using Placements = std::map<std::string, Placement, std::less<>>;

}  // namespace assay::validation
