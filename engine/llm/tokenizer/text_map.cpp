#include "engine/llm/tokenizer/text_map.hpp"

#include <algorithm>

#include "engine/runtime/mutant.hpp"

namespace assay::tokenizer {

std::uint32_t TextMap::source_of(std::uint32_t made, bool ends) const {
  if (runs_.empty()) return made;
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), made,
                                      [](std::uint32_t at, const Run& run) { return at < run.made; });
  if (after == runs_.begin()) return runs_.front().source;
  // Several runs may begin there, of which all but the last are empty in the new text: what ends there ends
  // before what they replaced, unless it is nothing itself.
  const Run& run = *(after - 1);
  if (run.kept)
    return run.source + (made - run.made) + (mutant("tokenizer.encode.span_one_too_far") && ends ? 1 : 0);
  if (made == run.made) return run.source;
  return ends && after != runs_.end() && !mutant("tokenizer.encode.span_of_a_part") ? after->source
                                                                                    : run.source;
}

}  // namespace assay::tokenizer
