// quant.quantize on the CPU. Of a block of 32 elements the codes are made in vectors of its elements; of a
// block of 256 the search for scales, which is nearly all of the work, in vectors of its parts, because the
// sums of a part have an order. Chunks of blocks go to the workers.
#include "kernels/quant/quantize.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/quant/quantize.cpp"
#include "hwy/foreach_target.h"  // compiles what follows once for each instruction set
// Highway's own headers come after it.
#include "hwy/highway.h"

#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "kernels/blocks/dispatch.hpp"
#include "kernels/blocks/encode_long.hpp"
#include "kernels/blocks/encode_long_inl.hpp"
#include "kernels/blocks/encode_short.hpp"
#include "kernels/blocks/encode_short_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::quant::HWY_NAMESPACE {

template <BlockFormat Format>
HWY_INLINE void encode_one(const float* from, std::uint8_t* to, const blocks::EncodeFaults& faults) {
  constexpr bool is_long = layout_of(Format).length == 256;
#if HWY_TARGET == HWY_SCALAR
  if constexpr (is_long)
    blocks::encode_long<Format>(from, to, faults);
  else
    blocks::encode_short<Format>(from, to, faults);
#else
  if constexpr (is_long)
    blocks::HWY_NAMESPACE::encode_long_block<Format>(from, to, faults);
  else
    blocks::HWY_NAMESPACE::encode_block<Format>(from, to, faults);
#endif
}

/// Blocks that lie side by side.
void encode_run(BlockFormat format, const float* from, std::int64_t count, std::uint8_t* to,
                const blocks::EncodeFaults& faults) {
  blocks::with_format(format, [&](auto tag) {
    if constexpr (is_encoded(tag())) {
      constexpr BlockLayout layout = layout_of(tag());
      for (std::int64_t block = 0; block < count; ++block)
        encode_one<tag()>(from + block * layout.length, to + block * layout.bytes, faults);
    }
  });
}

}  // namespace assay::kernels::quant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::quant {

HWY_EXPORT(encode_run);

void quantize_cpu(ThreadPool& pool, const QuantizeCall& given) {
  const blocks::EncodeFaults faults;
  QuantizeCall call = given;
  if (mutant("quant.quantize.ignored_row_stride"))
    call.row_stride = call.blocks_per_row * layout_of(call.format).length;
  call = joined(call);
  const BlockLayout& layout = layout_of(call.format);
  // A search takes some thousand times as long as a scale that is read off.
  const std::int64_t elements_of_chunk = layout.length == 256 ? 4096 : 32768;
  const std::int64_t count = call.rows * call.blocks_per_row;
  const std::int64_t grain = elements_of_chunk / layout.length;
  pool.parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    if (mutant("quant.quantize.lost_chunk_end") && end - begin == grain) --end;
    while (begin < end) {  // a run for each row that the chunk has part of
      const std::int64_t row = begin / call.blocks_per_row;
      const std::int64_t first = begin - row * call.blocks_per_row;
      const std::int64_t run = std::min(end - begin, call.blocks_per_row - first);
      const std::int64_t from_row = mutant("quant.quantize.rows_begin_again") ? 0 : row;
      HWY_DYNAMIC_DISPATCH(encode_run)
      (call.format, call.values + from_row * call.row_stride + first * layout.length, run,
       call.blocks + begin * layout.bytes, faults);
      begin += run;
    }
  });
}

}  // namespace assay::kernels::quant
#endif
