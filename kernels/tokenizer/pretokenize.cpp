// The scanners of kernels/split, their cuts written as flags.
#include "kernels/tokenizer/pretokenize.hpp"

#include <algorithm>
#include <vector>

#include "kernels/split/split.hpp"

namespace assay::kernels::tokenizer {

void pretokenize(std::span<const SplitStep> split, std::string_view text, std::span<std::uint8_t> ends) {
  std::fill(ends.begin(), ends.end(), std::uint8_t{0});
  if (text.empty()) return;
  std::vector<std::uint32_t> cuts;
  split::split(split, text, cuts);
  for (const std::uint32_t cut : cuts) ends[cut - 1] = 1;
}

}  // namespace assay::kernels::tokenizer
