#pragma once

#include <memory>

#include "engine/vocabulary/segment_encoder.hpp"
#include "engine/vocabulary/specification.hpp"

namespace assay::kernels::merge {

/// An encoder of what `description` says, which must outlive it. Any number of threads may call it; each call
/// takes arrays that one at a time may use, so there are as many of them as calls at once (about 2.5 MB
/// each).
std::unique_ptr<SegmentEncoder> make_encoder(const TokenizerDescription& description);

}  // namespace assay::kernels::merge
