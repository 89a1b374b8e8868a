// The steps of a sampling chain on one row, on the CPU. What is left of a row is kept by rising id; a step
// that drops tokens finds where the order of tokens is cut (cut.hpp) and closes the gaps.
#include "kernels/filters/filters.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "engine/runtime/mutant.hpp"
#include "kernels/distribution/exact_math.hpp"
#include "kernels/distribution/transforms.hpp"
#include "kernels/distribution/weight.hpp"
#include "kernels/filters/bin_cut.hpp"
#include "kernels/filters/cut.hpp"
#include "kernels/filters/keep.hpp"
#include "kernels/filters/long_row.hpp"
#include "kernels/filters/passes.hpp"
#include "kernels/filters/row_loop.hpp"

namespace assay::kernels::filters {

namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

/// What top_p, min_p and typical keep at least.
std::int64_t least_of(const Left& left, std::int64_t min_keep) {
  if (mutant("sampling.chain.min_keep_ignored")) min_keep = 1;
  return std::min(std::max<std::int64_t>(1, min_keep), left.count);
}

/// Where a token stands among what is left; -1 where it is not.
std::int64_t position_of(const Left& left, std::int32_t id) {
  if (id < 0) return -1;
  if (left.whole) return id < left.count ? id : -1;
  const std::int32_t* const end = left.ids + left.count;
  const std::int32_t* const found = std::lower_bound(static_cast<const std::int32_t*>(left.ids), end, id);
  return found != end && *found == id ? found - left.ids : -1;
}

/// What is left as a row in memory.
DividedRow source_of(const Left& left) {
  return {{DType::f32, reinterpret_cast<const std::byte*>(left.logits), left.count}, 1};
}

RawRow raw_row(const LogitRows& rows, std::int64_t row) {
  const std::int64_t start = row * rows.row_stride * static_cast<std::int64_t>(size_of(rows.dtype));
  return {rows.dtype, rows.data + start, rows.tokens};
}

}  // namespace

Left load_row(const LogitRows& rows, std::int64_t row, RowScratch& scratch) {
  widen_row(raw_row(rows, row), scratch.logits);
  Left left{scratch.logits, scratch.ids, rows.tokens, true};
  if (mutant("sampling.chain.last_token_dropped") && rows.tokens > 1) --left.count;
  if (rows.mask == nullptr || mutant("sampling.chain.mask_ignored")) return left;
  const std::int64_t mask_row = mutant("sampling.chain.mask_shifted") && row > 0 ? row - 1 : row;
  const std::uint32_t* const mask = rows.mask + mask_row * rows.words();
  keep_where(left, scratch, [&](std::int64_t at, float) { return (mask[at / 32] >> (at % 32) & 1u) != 0; });
  return left;
}

std::uint64_t weigh_left(const Left& left, RowScratch& scratch) {
  return weigh(left.logits, left.count, greatest(left.logits, left.count), scratch.weights);
}

std::int64_t first_maximum(const Left& left) {
  const float most = greatest(left.logits, left.count);
  if (most == minus_infinity) return -1;
  return std::find(left.logits, left.logits + left.count, most) - left.logits;
}

void keep_top_k(Left& left, std::int64_t k, RowScratch& scratch) {
  if (k > 0 && mutant("sampling.chain.top_k_one_more")) ++k;
  if (k <= 0 || k >= left.count) return;
  narrow_to_count(left, source_of(left), k, scratch);
  if (k >= left.count) return;
  const auto cut =
      find_cut<float>(left.values(), Ones(), static_cast<std::uint64_t>(k), room<float>(scratch));
  keep_prefix(left, scratch, cut, Ones(), logit_key);
}

void keep_top_p(Left& left, double p, std::int64_t min_keep, RowScratch& scratch) {
  if (p >= 1 || left.count == 0) return;
  const std::int64_t least = least_of(left, min_keep);
  if (keep_top_p_of_long(left, source_of(left), p, least, scratch)) return;
  const float maximum = greatest(left.logits, left.count);
  const std::uint64_t total = weigh(left.logits, left.count, maximum, scratch.weights);
  if (total > 0) {
    const std::uint64_t needed = mass_needed_of(p, total);
    const bool many = left.count >= worth_bins && std::isfinite(maximum);
    // What is 32 below the maximum weighs nothing.
    const auto cut =
        many ? find_cut_by_bins(left.values(), scratch.weights, needed, maximum - 32, maximum,
                                room<float>(scratch), reinterpret_cast<std::int32_t*>(scratch.keys))
             : find_cut<float>(left.values(), scratch.weights, needed, room<float>(scratch));
    const bool counts = least > 1 || mutant("sampling.chain.exclusive_sum");
    const std::int64_t length = counts ? length_of(left.values(), cut, scratch.weights) : 1;
    if (mutant("sampling.chain.exclusive_sum") && length > 1) return keep_top_k(left, length - 1, scratch);
    if (length >= least) {
      if (many)
        keep_cut_of_long(left, cut, scratch);
      else
        keep_prefix(left, scratch, cut, scratch.weights, logit_key);
      return;
    }
  }
  keep_top_k(left, least, scratch);
}

void keep_min_p(Left& left, double p, std::int64_t min_keep, RowScratch& scratch) {
  if (!(p > 0) || left.count == 0) return;
  double bound = static_cast<double>(greatest(left.logits, left.count)) + distribution::log_of(p);
  if (mutant("sampling.chain.min_p_of_sum"))
    if (const std::uint64_t total = weigh_left(left, scratch); total > 0)
      bound += distribution::log_of(static_cast<double>(total) * 0x1p-45);
  const std::int64_t least = least_of(left, min_keep);
  const bool strict = mutant("sampling.chain.min_p_strict");
  const auto reaches = [&](float logit) {
    return strict ? static_cast<double>(logit) > bound : static_cast<double>(logit) >= bound;
  };
  if (std::count_if(left.logits, left.logits + left.count, reaches) < least)
    return keep_top_k(left, least, scratch);
  keep_where(left, scratch, [&](std::int64_t, float logit) { return reaches(logit); });
}

void keep_typical(Left& left, double p, std::int64_t min_keep, RowScratch& scratch) {
  if (p >= 1 || left.count == 0) return;
  const std::uint64_t total = weigh_left(left, scratch);
  const std::int64_t least = least_of(left, min_keep);
  if (total == 0) return keep_top_k(left, least, scratch);
  const float maximum = greatest(left.logits, left.count);
  std::uint64_t surprise = 0;
  for (std::int64_t at = 0; at < left.count; ++at)
    surprise += distribution::surprise_at(distribution::distance_below(maximum, left.logits[at]));
  const double center = mutant("sampling.chain.typical_without_entropy")
                            ? 0
                            : static_cast<double>(surprise) / static_cast<double>(total);
  const double sign = mutant("sampling.chain.typical_sign") ? 1 : -1;
  // |-ln p - H| = |distance - center|: the logarithm of the whole cancels. The nearest first.
  const auto key_of = [&](std::int64_t, float logit) {
    return sign * std::fabs(distribution::distance_below(maximum, logit) - center);
  };
  for (std::int64_t at = 0; at < left.count; ++at) scratch.keys[at] = key_of(at, left.logits[at]);
  const std::span<const double> keys(scratch.keys, static_cast<std::size_t>(left.count));
  const std::uint64_t needed = std::max<std::uint64_t>(1, distribution::mass_needed(p, total));
  const auto cut = find_cut<double>(keys, scratch.weights, needed, room<double>(scratch));
  if (length_of(keys, cut, scratch.weights) >= least)
    return keep_prefix(left, scratch, cut, scratch.weights, key_of);
  const auto by_count =
      find_cut<double>(keys, Ones(), static_cast<std::uint64_t>(least), room<double>(scratch));
  keep_prefix(left, scratch, by_count, Ones(), key_of);
}

void apply_temperature(Left& left, float temperature) {
  if (temperature > 0) {
    if (mutant("sampling.chain.temperature_multiplies")) temperature = 1 / temperature;
    const int times = mutant("sampling.chain.temperature_twice") ? 2 : 1;
    for (int time = 0; time < times; ++time) divide(left.logits, left.count, temperature);
    return;
  }
  std::int64_t first = first_maximum(left);
  if (first >= 0 && mutant("sampling.chain.greedy_last_maximum"))
    for (std::int64_t at = first; at < left.count; ++at)
      if (left.logits[at] == left.logits[first]) first = at;
  for (std::int64_t at = 0; at < left.count; ++at)
    if (at != first) left.logits[at] = minus_infinity;
}

void apply_bias(Left& left, const std::int32_t* ids, const float* biases, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = position_of(left, ids[i]);
    if (mutant("sampling.chain.bias_once") && std::find(ids, ids + i, ids[i]) != ids + i) continue;
    if (at >= 0) left.logits[at] = distribution::with_bias(left.logits[at], biases[i]);
  }
}

void penalise(float& logit, std::uint64_t seen, const Penalties& penalties) {
  const float repetition = mutant("sampling.chain.penalty_wrong_sign") && logit < 0 ? 1 / penalties.repetition
                                                                                    : penalties.repetition;
  const float times = mutant("sampling.chain.frequency_once") ? 1.0F : static_cast<float>(seen);
  logit = distribution::with_penalties(logit, times, repetition, penalties.frequency, penalties.presence);
}

void apply_penalties(Left& left, const std::int32_t* previous, std::int64_t length,
                     const Penalties& penalties, RowScratch& scratch) {
  if (penalties.last_n <= 0) return;
  std::int64_t first = std::max<std::int64_t>(0, length - penalties.last_n);
  if (mutant("sampling.chain.last_n_from_the_front")) {
    length = std::min(length, penalties.last_n);
    first = 0;
  }
  std::uint64_t* const times = scratch.weights;  // by id
  for (std::int64_t i = first; i < length; ++i)
    if (previous[i] >= 0) times[previous[i]] = 0;
  for (std::int64_t i = first; i < length; ++i)
    if (previous[i] >= 0) ++times[previous[i]];
  for (std::int64_t i = first; i < length; ++i) {
    if (previous[i] < 0 || times[previous[i]] == 0) continue;
    const std::int64_t at = position_of(left, previous[i]);
    if (at >= 0) penalise(left.logits[at], times[previous[i]], penalties);
    if (!mutant("sampling.chain.penalty_each_time"))
      times[previous[i]] = 0;  // once, however often it stands there
  }
  if (mutant("sampling.chain.presence_subtracted_from_all") && left.count > 0)
    left.logits[0] = distribution::with_bias(left.logits[0], -penalties.presence);
}

Started start_row(const LogitRows& rows, std::int64_t row, const Steps& steps,
                  const StepParameters& parameters, RowScratch& scratch) {
  if (rows.mask == nullptr && rows.tokens >= long_row && steps.count > 0) {
    DividedRow source{raw_row(rows, row)};
    int step = 0;
    if (steps.list[0] == Step::temperature && !mutant("sampling.chain.long_row_undivided"))
      source.temperature = parameters.temperature[row];
    if (steps.list[0] == Step::temperature) ++step;
    Left left{scratch.logits, scratch.ids, rows.tokens, true};
    if (source.temperature > 0 && step < steps.count) {
      const Step next = steps.list[step];
      if (next == Step::top_k && start_with_top_k(left, source, parameters.top_k[row], scratch))
        return {left, step + 1};
      if (next == Step::top_p && parameters.top_p[row] < 1 &&
          keep_top_p_of_long(left, source, parameters.top_p[row], least_of(left, parameters.min_keep),
                             scratch))
        return {left, step + 1};
    }
  }
  return {load_row(rows, row, scratch), 0};
}

void apply_steps(Left& left, const Steps& steps, const StepParameters& parameters, std::int64_t row,
                 RowScratch& scratch, int first) {
  const std::int64_t min_keep = parameters.min_keep;
  for (int step = first; step < steps.count; ++step) {
    switch (steps.list[step]) {
      case Step::penalties:
        apply_penalties(left, parameters.previous + row * parameters.previous_length,
                        parameters.previous_length,
                        {parameters.repetition == nullptr ? 1.0F : parameters.repetition[row],
                         parameters.presence == nullptr ? 0.0F : parameters.presence[row],
                         parameters.frequency == nullptr ? 0.0F : parameters.frequency[row],
                         parameters.last_n == nullptr ? parameters.previous_length : parameters.last_n[row]},
                        scratch);
        break;
      case Step::bias:
        apply_bias(left, parameters.bias_ids + row * parameters.bias_count,
                   parameters.biases + row * parameters.bias_count, parameters.bias_count);
        break;
      case Step::temperature:
        apply_temperature(left, parameters.temperature[row]);
        break;
      case Step::top_k:
        keep_top_k(left, parameters.top_k[row], scratch);
        break;
      case Step::top_p:
        keep_top_p(left, parameters.top_p[row], min_keep, scratch);
        break;
      case Step::min_p:
        keep_min_p(left, parameters.min_p[row], min_keep, scratch);
        break;
      case Step::typical:
        keep_typical(left, parameters.typical[row], min_keep, scratch);
        break;
    }
  }
}

std::int64_t token_at(const Left& left, const std::uint64_t* weights, std::uint64_t point) {
  std::uint64_t sum = 0;
  for (std::int64_t at = 0; at < left.count; ++at) {
    sum += weights[at];
    if (point < sum) return mutant("sampling.chain.draw_shifted") && at + 1 < left.count ? at + 1 : at;
  }
  return -1;
}

void write_logits(const Left& left, std::int64_t tokens, float* out) {
  std::fill_n(out, tokens, minus_infinity);
  for (std::int64_t at = 0; at < left.count; ++at) out[left.id(at)] = left.logits[at];
}

void write_mask(const Left& left, std::int64_t tokens, std::uint32_t* words) {
  std::fill_n(words, (tokens + 31) / 32, 0u);
  for (std::int64_t at = 0; at < left.count; ++at) words[left.id(at) / 32] |= 1u << (left.id(at) % 32);
}

}  // namespace assay::kernels::filters
