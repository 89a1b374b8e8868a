#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace assay::kernels::blocks {

/// What the codes of IQ4_NL and IQ4_XS stand for (ggml-common.h, kvalues_iq4nl).
inline constexpr std::int8_t iq4_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};

/// Twice what the codes of MXFP4 stand for (ggml-common.h, kvalues_mxfp4).
inline constexpr std::int8_t mxfp4_levels[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// Half of what the scales of MXFP4 stand for, 2^(scale - 128), beside levels that are twice what theirs do.
/// The two smallest are subnormal.
inline constexpr std::array<float, 256> mxfp4_scales = [] {
  std::array<float, 256> made = {};
  for (std::uint32_t scale = 0; scale < 256; ++scale)
    made[scale] = std::bit_cast<float>(scale < 2 ? 0x00200000u << scale : (scale - 1) << 23);
  return made;
}();

}  // namespace assay::kernels::blocks
