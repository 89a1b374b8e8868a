#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "validation/logits/rows.hpp"

/// Calls of sampling.chain.
namespace assay::validation::chains {

inline constexpr const char* operation = "sampling.chain";

inline constexpr const char* steps[] = {"penalties", "bias",  "temperature", "top_k",
                                        "top_p",     "min_p", "typical"};

/// One call: rows, an order of steps, and parameters that follow from the seed.
struct Call {
  logits::Rows rows;
  std::vector<int> order;  ///< indices into `steps`
  std::int64_t min_keep = 1;

  std::string order_text() const;
  HostArguments arguments() const;
};
std::ostream& operator<<(std::ostream& out, const Call& call);

Call call_of(logits::Rows rows, std::vector<int> order);
/// Draws up to five steps in any order, the same one more than once too.
Call draw(const logits::Limits& limits = {});

}  // namespace assay::validation::chains
