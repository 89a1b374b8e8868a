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

#include "kernels/blocks/decode_inl.hpp"
#include "kernels/blocks/dispatch.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::quant::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, 16>;

/// Blocks that lie side by side. Both ways compute the same bits.
void decode_run(BlockFormat format, const std::uint8_t* from, std::int64_t count, float* to, bool large) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(to) % (hn::Lanes(Floats()) * sizeof(float)) == 0 ||
                       mutant("quant.dequantize.large_taken_as_aligned");
  blocks::with_format(format, [&](auto tag) {
    if (large && aligned)
      blocks::HWY_NAMESPACE::decode<tag(), true>(from, count, to);
    else
      blocks::HWY_NAMESPACE::decode<tag(), false>(from, count, to);
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
