#pragma once

#include <cstdint>
#include <vector>

#include "validation/logits/rows.hpp"

/// Calls of sampling.speculative_verify.
namespace assay::validation::speculation {

inline constexpr const char* operation = "sampling.speculative_verify";

/// What the draft's logits are, beside the target's.
enum class Kin : std::uint8_t { same, shifted, near, other };
inline constexpr int kins = 4;

/// One call: rows of target logits, and what the draft has of them. Draft tokens, seeds and lengths follow
/// from the rows' seed.
struct Call {
  logits::Rows rows;  ///< `rows.rows` of (steps + 1) rows
  std::int64_t calls = 1;
  std::int64_t steps = 1;
  Kin kin = Kin::same;
  bool lengths = false;

  std::vector<double> draft_values(const std::vector<double>& target) const;
  /// A token that the draft may well have drawn, any other, or the first.
  std::int32_t token(const std::vector<double>& draft, std::int64_t at) const;
  HostArguments arguments() const;
};

Call call_of(logits::Rows rows, std::int64_t calls, std::int64_t steps, Kin kin);
Call draw();

}  // namespace assay::validation::speculation
