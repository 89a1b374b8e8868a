// sampling.argmax on the CPU: the maximum of a row in whole vectors, then its first place.
#include "kernels/sampling/argmax.hpp"

#include <limits>

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::sampling {

namespace {

using namespace filters;

void run_row(const ArgmaxCall& call, std::int64_t row, const Left& left) {
  std::int64_t at = first_maximum(left);
  if (at < 0 && left.count > 0 && mutant("sampling.argmax.minus_infinity_taken")) at = 0;
  if (at >= 0 && mutant("sampling.argmax.last_maximum"))
    for (std::int64_t i = at; i < left.count; ++i)
      if (left.logits[i] == left.logits[at]) at = i;
  if (at < 0) {
    call.token[row] = -1;
    call.logit[row] = -std::numeric_limits<float>::infinity();
    return;
  }
  const bool by_position = mutant("sampling.argmax.position_for_id");
  call.token[row] = by_position ? static_cast<std::int32_t>(at) : left.id(at);
  call.logit[row] = left.logits[at];
}

}  // namespace

void argmax_cpu(ThreadPool& pool, const ArgmaxCall& call, std::span<std::byte> scratch) {
  LogitRows in = call.in;
  if (mutant("sampling.argmax.mask_ignored")) in.mask = nullptr;
  if (mutant("sampling.argmax.ignored_row_stride")) in.row_stride = in.tokens;
  for_each_row(pool, in, scratch, [&](std::int64_t row, Left left, RowScratch&) {
    if (mutant("sampling.argmax.last_token_dropped") && left.count > 1) --left.count;
    run_row(call, row, left);
  });
}

}  // namespace assay::kernels::sampling
