#pragma once

#include <memory>

#include "engine/vocabulary/segment_encoder.hpp"
#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// The CPU's engine for a tokenizer: exact, linear in the text, for any number of threads. It keeps the
/// description.
std::shared_ptr<const SegmentEncoder> make_cpu_engine(
    std::shared_ptr<const TokenizerDescription> description);

}  // namespace assay::tokenizer
