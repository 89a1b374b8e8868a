// sampling.categorical on the CPU: integer weights are added up once by rising id; each draw is a point of
// the total, found by bisection.
#include "kernels/sampling/categorical.hpp"

#include <algorithm>
#include <limits>

#include "engine/runtime/mutant.hpp"
#include "kernels/distribution/draw.hpp"
#include "kernels/filters/passes.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::sampling {

namespace {

using namespace filters;

void run_row(const CategoricalCall& call, std::int64_t row, const Left& left, RowScratch& scratch) {
  std::int32_t* const token = call.token + row * call.draws;
  float* const log_prob = call.log_prob + row * call.draws;
  const float maximum = greatest(left.logits, left.count);
  const std::uint64_t total = weigh(left.logits, left.count, maximum, scratch.weights);
  if (total == 0) {
    std::fill_n(token, call.draws, -1);
    std::fill_n(log_prob, call.draws, -std::numeric_limits<float>::infinity());
    return;
  }
  std::uint64_t* const sums = scratch.weights;  // of all tokens up to each, itself included
  for (std::int64_t at = 1; at < left.count; ++at) sums[at] += sums[at - 1];
  auto seed = static_cast<std::uint64_t>(call.seed[row]);
  if (mutant("sampling.categorical.row_in_the_seed")) seed += static_cast<std::uint64_t>(row);
  for (std::int64_t draw = 0; draw < call.draws; ++draw) {
    auto position = static_cast<std::uint64_t>(call.position[row]);
    if (!mutant("sampling.categorical.counter_reused")) position += static_cast<std::uint64_t>(draw);
    if (mutant("sampling.categorical.counter_doubled")) position += static_cast<std::uint64_t>(draw);
    const std::uint64_t point = distribution::point_in(distribution::draw_bits(seed, position), total);
    std::int64_t at = std::upper_bound(sums, sums + left.count, point) - sums;
    if (mutant("sampling.categorical.draw_shifted") && at > 0) --at;
    token[draw] =
        mutant("sampling.categorical.position_for_id") ? static_cast<std::int32_t>(at) : left.id(at);
    const float drawn = mutant("sampling.categorical.log_prob_of_maximum") ? maximum : left.logits[at];
    log_prob[draw] = distribution::log_prob_of(distribution::distance_below(maximum, drawn), total);
  }
}

}  // namespace

void categorical_cpu(ThreadPool& pool, const CategoricalCall& call, std::span<std::byte> scratch) {
  LogitRows in = call.in;
  if (mutant("sampling.categorical.mask_ignored")) in.mask = nullptr;
  for_each_row(pool, in, scratch, [&](std::int64_t row, Left left, RowScratch& own) {
    if (mutant("sampling.categorical.last_token_dropped") && left.count > 1) --left.count;
    run_row(call, row, left, own);
  });
}

}  // namespace assay::kernels::sampling
