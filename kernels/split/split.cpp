#include "kernels/split/split.hpp"
#include "engine/runtime/mutant.hpp"

#include "kernels/split/pieces.hpp"

namespace assay::kernels::split {

void split(std::span<const SplitStep> steps, std::string_view text, std::vector<std::uint32_t>& ends) {
  ends.clear();
  if (text.empty()) return;
  const auto* begin = reinterpret_cast<Place>(text.data());
  ends.push_back(static_cast<std::uint32_t>(text.size()));
  std::vector<std::uint32_t> before;
  for (const SplitStep step : steps) {
    ends.swap(before);
    ends.clear();
    with_step(step, [&]<SplitStep Step>() {
      Place from = begin;
      for (const std::uint32_t end : before) {
        for_each_piece<Step>(from, begin + end, [&](Place, Place stop) {
          ends.push_back(static_cast<std::uint32_t>(stop - begin));
        });
        if (!mutant("tokenizer.pretokenize.steps_from_the_start")) from = begin + end;
      }
    });
  }
}

}  // namespace assay::kernels::split
