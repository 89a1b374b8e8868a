#pragma once

namespace assay::program {

/// The version of what `assay brief` prints: a comparison takes no other.
inline constexpr int brief_format = 1;

}  // namespace assay::program
