// sampling.chain on the CPU: a row is taken through the steps, and one token of what is left is drawn.
#include "kernels/sampling/chain.hpp"

#include <limits>

#include "engine/runtime/mutant.hpp"
#include "kernels/distribution/draw.hpp"
#include "kernels/distribution/weight.hpp"
#include "kernels/filters/passes.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::sampling {

namespace {

using namespace filters;

void run_row(const ChainCall& call, std::int64_t row, RowScratch& scratch) {
  auto [left, taken] = start_row(call.in, row, call.steps, call.parameters, scratch);
  apply_steps(left, call.steps, call.parameters, row, scratch, taken);
  const std::uint64_t total = weigh_left(left, scratch);
  call.kept[row] = static_cast<std::int32_t>(left.count);
  if (total == 0) {
    call.token[row] = -1;
    call.log_prob[row] = -std::numeric_limits<float>::infinity();
  } else {
    auto seed = static_cast<std::uint64_t>(call.seed[row]),
         position = static_cast<std::uint64_t>(call.position[row]);
    if (mutant("sampling.chain.counter_reused")) position = 0;
    if (mutant("sampling.chain.row_in_the_seed")) seed += static_cast<std::uint64_t>(row);
    const std::uint64_t random = distribution::draw_bits(seed, position);
    const std::int64_t at = token_at(left, scratch.weights, distribution::point_in(random, total));
    call.token[row] = left.id(at);
    const float maximum = greatest(left.logits, left.count);
    const float drawn = mutant("sampling.chain.log_prob_of_maximum") ? maximum : left.logits[at];
    call.log_prob[row] = distribution::log_prob_of(distribution::distance_below(maximum, drawn), total);
  }
  if (call.left == nullptr) return;
  write_mask(left, call.in.tokens, call.left + row * call.in.words());
  write_logits(left, call.in.tokens, call.left_logits + row * call.in.tokens);
}

}  // namespace

void chain_cpu(ThreadPool& pool, const ChainCall& call, std::span<std::byte> scratch) {
  for_each_scratch(pool, call.in, scratch,
                   [&](std::int64_t row, RowScratch& own) { run_row(call, row, own); });
}

}  // namespace assay::kernels::sampling
