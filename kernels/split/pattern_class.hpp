#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::split {

/// Code points from first to last.
struct Range {
  std::uint32_t first, last;
};

/// The ranges of a bracketed class of a published pattern, ascending: so that the hundred of them are written
/// down once. Read when the project is compiled; understands single characters of ASCII, \x{..} and ranges of
/// both.
template <std::size_t Most>
struct PatternClass {
  std::array<Range, Most> ranges{};
  std::size_t count = 0;

  constexpr explicit PatternClass(std::string_view pattern) {
    std::size_t at = pattern.find('[') + 1;
    const auto read = [&] {
      if (pattern[at] != '\\') return static_cast<std::uint32_t>(pattern[at++]);
      std::uint32_t value = 0;
      for (at += 3; pattern[at] != '}'; ++at)
        value = value * 16 + static_cast<std::uint32_t>(pattern[at] <= '9' ? pattern[at] - '0'
                                                                           : (pattern[at] | 0x20) - 'a' + 10);
      ++at;
      return value;
    };
    while (pattern[at] != ']') {
      const std::uint32_t first = read();
      std::uint32_t last = first;
      if (pattern[at] == '-') {
        ++at;
        last = read();
      }
      ranges[count++] = {first, last};
    }
    std::sort(ranges.begin(), ranges.begin() + count,
              [](const Range& a, const Range& b) { return a.first < b.first; });
  }

  bool has(std::uint32_t code_point) const {
    const auto end = ranges.begin() + count;
    const auto after = std::upper_bound(ranges.begin(), end, code_point,
                                        [](std::uint32_t c, const Range& range) { return c < range.first; });
    if (after == ranges.begin()) return false;
    return mutant("tokenizer.pretokenize.last_of_range") ? code_point < (after - 1)->last
                                                         : code_point <= (after - 1)->last;
  }
};

}  // namespace assay::kernels::split
