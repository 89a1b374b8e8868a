// quant.dequantize on the CPU. A block's codes are unpacked to bytes, widened and scaled, in vectors
// (kernels/ blocks); chunks of blocks go to the workers. What is too large for the caches is written past
// them: a value that is written the usual way is first read from memory, which nearly doubles the traffic.
#include "kernels/quant/dequantize.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/quant/dequantize.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
// Highway's own headers come after it.
#include "hwy/cache_control.h"
#include "hwy/highway.h"

#include <algorithm>
#include <cstring>

#include "kernels/blocks/decode.hpp"
#include "kernels/blocks/dispatch.hpp"
#include "kernels/blocks/long_blocks_inl.hpp"
#include "kernels/blocks/short_blocks_inl.hpp"
#include "kernels/filters/widen_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::quant::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, 16>;

/// Writes past the caches where `Streamed`; `to` is then aligned to a vector.
template <bool Streamed>
HWY_INLINE void put(hn::Vec<Floats> values, float* to) {
  if constexpr (Streamed)
    hn::Stream(values, Floats(), to);
  else
    hn::StoreU(values, Floats(), to);
}

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
        const blocks::Four four = blocks::four_of<Format, 1>(from + block * layout.bytes, at);
        std::copy(four.values, four.values + 4, to + block * layout.length + at);
      }
    }
#else
    const std::int64_t step = layout.bytes - (mutant("quant.dequantize.blocks_a_byte_short") ? 1 : 0);
    for (std::int64_t block = 0; block < count; ++block)
      blocks::HWY_NAMESPACE::Decode<Format, Streamed>::block(from + block * step, to + block * layout.length);
#endif
  }
}

/// Blocks that lie side by side. Both ways compute the same bits.
void decode_run(BlockFormat format, const std::uint8_t* from, std::int64_t count, float* to, bool large) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(to) % (hn::Lanes(Floats()) * sizeof(float)) == 0 ||
                       mutant("quant.dequantize.large_taken_as_aligned");
  blocks::with_format(format, [&](auto tag) {
    if (large && aligned)
      decode<tag(), true>(from, count, to);
    else
      decode<tag(), false>(from, count, to);
  });
  if (large) hwy::FlushStream();
}

}  // namespace assay::kernels::quant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::quant {

HWY_EXPORT(decode_run);

void dequantize_cpu(ThreadPool& pool, const DequantizeCall& given) {
  const DequantizeCall call =
      mutant("quant.dequantize.ignored_row_stride")
          ? joined({given.format, given.blocks, given.blocks_per_row * layout_of(given.format).bytes,
                    given.values, given.rows, given.blocks_per_row})
          : joined(given);
  const BlockLayout& layout = layout_of(call.format);
  constexpr std::int64_t elements_of_chunk = 32768;      // less is not worth waking a worker for
  constexpr std::int64_t large = std::int64_t{1} << 21;  // 8 MiB of values
  const std::int64_t count = call.rows * call.blocks_per_row;
  const bool is_large = count * layout.length >= large;
  const std::int64_t grain = elements_of_chunk / layout.length;
  pool.parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    if (mutant("quant.dequantize.lost_chunk_end") && end - begin == grain) --end;
    while (begin < end) {  // a run for each row that the chunk has part of
      const std::int64_t row = begin / call.blocks_per_row;
      const std::int64_t first = begin - row * call.blocks_per_row;
      const std::int64_t run = std::min(end - begin, call.blocks_per_row - first);
      const std::uint8_t* from = call.blocks + row * call.row_stride + first * layout.bytes;
      if (mutant("quant.dequantize.rows_begin_again")) from = call.blocks + first * layout.bytes;
      HWY_DYNAMIC_DISPATCH(decode_run)(call.format, from, run, call.values + begin * layout.length, is_large);
      begin += run;
    }
  });
}

}  // namespace assay::kernels::quant
#endif
