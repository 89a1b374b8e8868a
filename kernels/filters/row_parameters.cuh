#pragma once

// The parameters of one row on the device, and whether they are legal.
#include "engine/runtime/status_word.hpp"
#include "kernels/distribution/transforms.hpp"
#include "kernels/distribution/weight.hpp"
#include "kernels/filters/faults.cuh"
#include "kernels/filters/peers.cuh"
#include "kernels/filters/steps.hpp"

namespace assay::kernels::filters {

struct RowParameters {
  float temperature, repetition, presence, frequency;
  double top_p, min_p, typical;
  std::int64_t top_k, last_n, min_keep;
  const std::int32_t* previous;
  std::int64_t previous_length;
  const std::int32_t* bias_ids;
  const float* biases;
  std::int64_t bias_count;
  double log_min_p;      ///< where min_p is above 0
  std::uint64_t random;  ///< bits of the row's draw, where there is one
};

template <typename T>
__device__ T of_row(const T* values, std::int64_t row, T otherwise) {
  return values == nullptr ? otherwise : values[row];
}

/// All but the two below, which take longer.
__device__ inline void set_parameters(RowParameters& one, const StepParameters& all, std::int64_t row) {
  // All on their way before the first is written.
  const float temperature = of_row(all.temperature, row, 1.0f),
              repetition = of_row(all.repetition, row, 1.0f), presence = of_row(all.presence, row, 0.0f),
              frequency = of_row(all.frequency, row, 0.0f);
  const double top_p = of_row(all.top_p, row, 1.0), min_p = of_row(all.min_p, row, 0.0),
               typical = of_row(all.typical, row, 1.0);
  const std::int32_t top_k = of_row(all.top_k, row, 0);
  const std::int64_t last_n = all.last_n == nullptr ? all.previous_length : std::int64_t{all.last_n[row]};
  one.temperature = temperature;
  one.repetition = repetition;
  one.presence = presence;
  one.frequency = frequency;
  one.top_p = top_p;
  one.min_p = min_p;
  one.typical = typical;
  one.top_k = top_k;
  one.last_n = last_n;
  one.min_keep = all.min_keep;
  one.previous = all.previous + row * all.previous_length;
  one.previous_length = all.previous_length;
  one.bias_ids = all.bias_ids + row * all.bias_count;
  one.biases = all.biases + row * all.bias_count;
  one.bias_count = all.bias_count;
}
__device__ inline void set_logarithm(RowParameters& one, const StepParameters& all, std::int64_t row) {
  const double p = of_row(all.min_p, row, 0.0);
  one.log_min_p = p > 0 ? distribution::log_of(p) : 0;
}

/// Looks at a row's parameters with all threads of a block. The answer is the same for all.
__device__ __noinline__ inline bool are_legal(const RowParameters& one, int tokens,
                                              volatile std::uint32_t* status) {
  bool good = isfinite(one.temperature) && one.repetition > 0 && isfinite(one.repetition) &&
              isfinite(one.presence) && isfinite(one.frequency) && !isnan(one.top_p) && one.min_p <= 1 &&
              !isnan(one.typical);
  for (std::int64_t i = threadIdx.x; i < one.previous_length; i += block_threads)
    good = good && one.previous[i] < tokens;
  for (std::int64_t i = threadIdx.x; i < one.bias_count; i += block_threads)
    good = good && one.bias_ids[i] < tokens && !isnan(one.biases[i]);
  if (!good) *status = static_cast<std::uint32_t>(DeviceStatus::value_out_of_range);
  // Of what stands in `one` all threads think alike.
  if (one.previous_length == 0 && one.bias_count == 0) return good;
  return __syncthreads_and(good ? 1 : 0) != 0;
}

/// The part of `previous` that counts.
struct Seen {
  std::int64_t begin, end;
};
__device__ inline Seen seen_of(const RowParameters& one, Faults faults) {
  const std::int64_t count = min(one.last_n, one.previous_length);
  if (faults(Fault::last_n_from_the_front)) return {0, count};
  return {one.previous_length - count, one.previous_length};
}

__device__ inline float penalised(float logit, std::uint32_t times, const RowParameters& one, Faults faults) {
  float repetition = one.repetition;
  if (faults(Fault::penalty_wrong_sign) && logit < 0) repetition = 1 / repetition;
  const float counted = faults(Fault::frequency_once) ? 1.0f : static_cast<float>(times);
  const std::uint32_t rounds = faults(Fault::penalty_each_time) ? times : 1;
  for (std::uint32_t round = 0; round < rounds; ++round)
    logit = distribution::with_penalties(logit, counted, repetition, one.frequency, one.presence);
  return logit;
}

/// What a prefix has to weigh to hold p of the whole.
__device__ __noinline__ inline Word mass_for(double p, Word total, Faults faults) {
  const Word needed = distribution::mass_needed(p, total);
  if (faults(Fault::mass_rounded_down) && needed > 1) return needed - 1;
  return needed > 0 ? needed : 1;
}

__device__ inline double center_of(Word surprise, Word total) {
  return static_cast<double>(surprise) / static_cast<double>(total);
}

/// The nearer to the center the greater. |-ln p - H| = |distance - center|: the logarithm of the whole
/// cancels.
__device__ inline Word typical_key(float maximum, float logit, double center) {
  const double away = fabs(distribution::distance_below(maximum, logit) - center);
  return ~static_cast<Word>(__double_as_longlong(away));
}

}  // namespace assay::kernels::filters
