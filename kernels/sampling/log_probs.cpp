// sampling.log_probs on the CPU: the mass of a row, the rank of the chosen token by counting, then the first
// n of the order by selection, and those alone are sorted.
#include "kernels/sampling/log_probs.hpp"

#include <algorithm>
#include <limits>

#include "engine/runtime/mutant.hpp"
#include "kernels/distribution/draw.hpp"
#include "kernels/filters/passes.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::sampling {

namespace {

using namespace filters;

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

/// What a row's probabilities come from.
struct Mass {
  float maximum;
  std::uint64_t total;

  float log_prob(float logit) const {
    if (total == 0) return minus_infinity;
    if (mutant("sampling.log_probs.not_normalised"))
      return distribution::log_prob_of(distribution::distance_below(maximum, logit),
                                       std::uint64_t{1} << distribution::weight_bits);
    return distribution::log_prob_of(distribution::distance_below(maximum, logit), total);
  }
};

struct Entry {
  float logit;
  std::int32_t id;
};

bool before(const Entry& a, const Entry& b) {
  if (a.logit != b.logit) return a.logit > b.logit;
  return mutant("sampling.log_probs.ties_by_falling_id") ? a.id > b.id : a.id < b.id;
}

void choose(const LogProbsCall& call, std::int64_t row, const Left& left, const Mass& mass) {
  call.chosen_log_prob[row] = minus_infinity;
  call.chosen_rank[row] = -1;
  const std::int32_t id = call.chosen[row];
  std::int64_t place = -1;
  for (std::int64_t at = 0; at < left.count; ++at)
    if (left.id(at) == id) place = at;
  if (place < 0 && id >= 0 && left.count > 0 && mutant("sampling.log_probs.forbidden_ranked")) place = 0;
  if (place < 0) return;
  const Entry chosen{left.logits[place], left.id(place)};
  std::int32_t rank = mutant("sampling.log_probs.rank_from_one") ? 1 : 0;
  for (std::int64_t at = 0; at < left.count; ++at) {
    const Entry other{left.logits[at], left.id(at)};
    const bool counts =
        mutant("sampling.log_probs.rank_without_ties") ? other.logit > chosen.logit : before(other, chosen);
    rank += counts ? 1 : 0;
  }
  call.chosen_rank[row] = rank;
  call.chosen_log_prob[row] = mass.log_prob(chosen.logit);
}

void run_row(const LogProbsCall& call, std::int64_t row, Left left, RowScratch& scratch) {
  Mass mass{greatest(left.logits, left.count), 0};
  mass.total = weigh(left.logits, left.count, mass.maximum, scratch.weights);
  if (call.chosen != nullptr) choose(call, row, left, mass);
  std::int64_t n = call.n;
  if (mutant("sampling.log_probs.one_less") && n > 1) --n;
  keep_top_k(left, n, scratch);
  if (mutant("sampling.log_probs.mass_of_the_first"))
    mass.total = weigh(left.logits, left.count, mass.maximum, scratch.weights);
  auto* const first = reinterpret_cast<Entry*>(scratch.items);
  for (std::int64_t at = 0; at < left.count; ++at) first[at] = {left.logits[at], left.id(at)};
  std::sort(first, first + left.count, before);
  std::int32_t* const ids = call.ids + row * call.n;
  float* const log_probs = call.log_probs + row * call.n;
  for (std::int64_t place = 0; place < call.n; ++place) {
    const bool there = place < left.count;
    ids[place] = there ? first[place].id : -1;
    log_probs[place] = there ? mass.log_prob(first[place].logit) : minus_infinity;
  }
}

}  // namespace

void log_probs_cpu(ThreadPool& pool, const LogProbsCall& call, std::span<std::byte> scratch) {
  LogitRows in = call.in;
  if (mutant("sampling.log_probs.mask_ignored")) in.mask = nullptr;
  for_each_row(pool, in, scratch,
               [&](std::int64_t row, Left left, RowScratch& own) { run_row(call, row, left, own); });
}

}  // namespace assay::kernels::sampling
