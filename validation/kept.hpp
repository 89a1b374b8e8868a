#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include <rapidcheck.h>

namespace assay::validation {

/// Which elements of a tensor are left as they were made; all others are set to 0.
struct Kept {
  /// Flat indices, rising; none: all elements. Indices beyond the tensor mean nothing.
  std::optional<std::vector<std::int64_t>> only = {};

  void apply(std::vector<double>& values) const;
  bool operator==(const Kept&) const = default;
};
/// "all", "none", "elements 0 to 3, 17"
std::ostream& operator<<(std::ostream& out, const Kept& kept);

/// "0 to 3, 17" of rising numbers; a long list is cut.
std::string ranges_of(const std::vector<std::int64_t>& rising);

/// Flat indices of the values that are not 0 (NaN among them), rising.
std::vector<std::int64_t> held_by(const std::vector<double>& values);

/// What to try in place of `held` where fewer elements may do, most drastic first: none; halves, quarters,
/// ... of them, down to single elements, and from quarters on all but those (Zeller, Hildebrandt 2002, IEEE
/// Trans. Softw. Eng. 28, 183). Of very many elements only so much is listed as a moment is enough for: the
/// large parts, which come first anyway.
std::vector<std::vector<std::int64_t>> fewer(const std::vector<std::int64_t>& held);

/// All of `elements`; shrinks to fewer. Drawn last, after the shape and the values that it applies to.
rc::Gen<Kept> kept_of(std::int64_t elements);

}  // namespace assay::validation
