// Blocks that lie side by side decoded on the CPU, whatever the format.
#if defined(ASSAY_KERNELS_BLOCKS_DECODE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_BLOCKS_DECODE_INL
#undef ASSAY_KERNELS_BLOCKS_DECODE_INL
#else
#define ASSAY_KERNELS_BLOCKS_DECODE_INL
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "engine/runtime/mutant.hpp"
#include "engine/tensors/block_format.hpp"
#include "kernels/blocks/decode.hpp"
#include "kernels/blocks/long_blocks_inl.hpp"
#include "kernels/blocks/short_blocks_inl.hpp"
#include "kernels/filters/widen_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::blocks::HWY_NAMESPACE {

/// Formats of one element a block: whole vectors, and the last one filled up.
template <typename Element, bool Streamed>
void widen(const std::uint8_t* from, std::int64_t count, float* to) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  Element elements[16] = {};
  std::int64_t at = 0;
  for (; at + lanes <= count; at += lanes) {
    // Through memory that is aligned for the type; the compiler makes one load of it.
    std::memcpy(elements, from + at * std::int64_t{sizeof(Element)},
                static_cast<std::size_t>(lanes) * sizeof(Element));
    put<Streamed>(filters::HWY_NAMESPACE::widened(elements), to + at);
  }
  if (at == count || mutant("quant.dequantize.unhandled_tail")) return;
  std::memcpy(elements, from + at * std::int64_t{sizeof(Element)},
              static_cast<std::size_t>(count - at) * sizeof(Element));
  float tail[16];
  put<false>(filters::HWY_NAMESPACE::widened(elements), tail);
  std::copy(tail, tail + (count - at), to + at);
}

template <BlockFormat Format, bool Streamed>
void decode(const std::uint8_t* from, std::int64_t count, float* to) {
  constexpr BlockLayout layout = layout_of(Format);
  if constexpr (Format == BlockFormat::f32) {
    widen<float, Streamed>(from, count, to);
  } else if constexpr (Format == BlockFormat::f16) {
    widen<Half, Streamed>(from, count, to);
  } else if constexpr (Format == BlockFormat::bf16) {
    widen<BFloat16, Streamed>(from, count, to);
  } else {
#if HWY_TARGET == HWY_SCALAR
    for (std::int64_t block = 0; block < count; ++block) {
      for (int at = 0; at < layout.length; at += 4) {
        const Four four = four_of<Format, 1>(from + block * layout.bytes, at);
        std::copy(four.values, four.values + 4, to + block * layout.length + at);
      }
    }
#else
    const std::int64_t step = layout.bytes - (mutant("quant.dequantize.blocks_a_byte_short") ? 1 : 0);
    for (std::int64_t block = 0; block < count; ++block)
      Decode<Format, Streamed>::block(from + block * step, to + block * layout.length);
#endif
  }
}

}  // namespace assay::kernels::blocks::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
