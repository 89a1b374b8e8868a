// Steps without a draw on the CPU: what is left of each row is written down as the call asks for it.
#include "kernels/filters/apply.hpp"

#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "kernels/distribution/draw.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::filters {

namespace {

void write_probabilities(const Left& left, std::int64_t tokens, float* out, RowScratch& scratch) {
  std::fill_n(out, tokens, 0.0F);
  std::uint64_t total = weigh_left(left, scratch);
  if (mutant("sampling.nucleus_filtering.relative_to_maximum") && total > 0)
    total = std::uint64_t{1} << distribution::weight_bits;
  if (mutant("sampling.nucleus_filtering.single_precision_sum")) {
    float sum = 0;
    for (std::int64_t at = 0; at < left.count; ++at) sum += static_cast<float>(scratch.weights[at]);
    total = static_cast<std::uint64_t>(sum);
  }
  for (std::int64_t at = 0; at < left.count; ++at) {
    const std::int64_t place = mutant("sampling.nucleus_filtering.by_position") ? at : left.id(at);
    out[place] = distribution::probability_of(scratch.weights[at], total);
  }
}

}  // namespace

void write_row(const FilterCall& call, std::int64_t row, const Left& left, RowScratch& scratch) {
  const std::int64_t tokens = call.in.tokens;
  if (call.kept != nullptr) call.kept[row] = static_cast<std::int32_t>(left.count);
  if (call.left != nullptr) write_mask(left, tokens, call.left + row * call.in.words());
  if (call.left_logits != nullptr) write_logits(left, tokens, call.left_logits + row * tokens);
  if (call.probabilities != nullptr)
    write_probabilities(left, tokens, call.probabilities + row * tokens, scratch);
}

void apply_cpu(ThreadPool& pool, const FilterCall& call, std::span<std::byte> scratch) {
  for_each_row(pool, call.in, scratch, [&](std::int64_t row, Left left, RowScratch& own) {
    apply_steps(left, call.steps, call.parameters, row, own);
    write_row(call, row, left, own);
  });
}

}  // namespace assay::kernels::filters
