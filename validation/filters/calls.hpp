#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "validation/logits/distributions.hpp"
#include "validation/logits/rows.hpp"

namespace assay::validation::filters {

/// Adds the input of that name that a step takes (engine/filters/parameters.hpp): a legal value for each row,
/// by the rows' seed, often at the edge of its range.
void add_parameter(HostArguments& arguments, const logits::Rows& rows, std::string_view name);

/// One call of an operation that takes rows and such parameters.
struct Call {
  std::string operation;
  logits::Rows rows;
  std::int64_t min_keep = 1;   ///< where the operation has it
  std::uint64_t left_out = 0;  ///< bit i: optional input i of the operation is absent

  HostArguments arguments() const;
};
std::ostream& operator<<(std::ostream& out, const Call& call);

Call draw(std::string_view operation, const logits::Limits& limits = {});

}  // namespace assay::validation::filters
