#include "engine/llm/tokenizer/cpu_engine.hpp"

#include "kernels/merge/encoder.hpp"

namespace assay::tokenizer {

std::shared_ptr<const SegmentEncoder> make_cpu_engine(
    std::shared_ptr<const TokenizerDescription> description) {
  std::unique_ptr<SegmentEncoder> encoder = kernels::merge::make_encoder(*description);
  // The encoder refers to the description: whoever holds the one holds both.
  return {encoder.release(),
          [description = std::move(description)](const SegmentEncoder* engine) { delete engine; }};
}

}  // namespace assay::tokenizer
