// The encoder of kernels/merge, made for one call: its tables take longer to build than a short text takes.
// Who has many texts keeps one (engine/llm/tokenizer/cpu_engine.hpp).
#include "kernels/tokenizer/encode.hpp"

#include <algorithm>
#include <memory>

#include "kernels/merge/encoder.hpp"

namespace assay::kernels::tokenizer {

void encode(const TokenizerDescription& tokenizer, std::string_view text, std::span<std::int32_t> ids,
            std::span<std::int32_t> ends) {
  std::vector<TokenId> found;
  std::vector<std::uint32_t> found_ends;
  merge::make_encoder(tokenizer)->encode(text, found, &found_ends);
  std::fill(std::copy(found.begin(), found.end(), ids.begin()), ids.end(), -1);
  std::fill(std::copy(found_ends.begin(), found_ends.end(), ends.begin()), ends.end(), -1);
}

}  // namespace assay::kernels::tokenizer
