#pragma once

#include <cstdint>

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::filters {

/// Planted faults of the CUDA bodies, in the order of their names below.
enum class Fault : std::uint8_t {
  top_k_one_more,
  ties_by_block,
  exclusive_sum,
  mass_rounded_down,
  estimate_decides,
  min_keep_ignored,
  min_p_strict,
  typical_without_entropy,
  temperature_twice,
  greedy_last_maximum,
  penalty_wrong_sign,
  penalty_each_time,
  frequency_once,
  last_n_from_the_front,
  bias_once,
  mask_ignored,
  last_token_dropped,
  nan_largest,
  minus_zero_less,
  counter_reused,
  row_in_the_seed,
  draw_shifted,
  single_precision_weight,
  log_prob_of_maximum,
  lost_block,
  order_not_restored,
  stale_maximum,
  lost_part_of_mass,
  missing_barrier,
  count
};

constexpr const char* fault_names[static_cast<int>(Fault::count)] = {
    "sampling.chain.cuda_top_k_one_more",
    "sampling.chain.cuda_ties_by_block",
    "sampling.chain.cuda_exclusive_sum",
    "sampling.chain.cuda_mass_rounded_down",
    "sampling.chain.cuda_estimate_decides",
    "sampling.chain.cuda_min_keep_ignored",
    "sampling.chain.cuda_min_p_strict",
    "sampling.chain.cuda_typical_without_entropy",
    "sampling.chain.cuda_temperature_twice",
    "sampling.chain.cuda_greedy_last_maximum",
    "sampling.chain.cuda_penalty_wrong_sign",
    "sampling.chain.cuda_penalty_each_time",
    "sampling.chain.cuda_frequency_once",
    "sampling.chain.cuda_last_n_from_the_front",
    "sampling.chain.cuda_bias_once",
    "sampling.chain.cuda_mask_ignored",
    "sampling.chain.cuda_last_token_dropped",
    "sampling.chain.cuda_nan_largest",
    "sampling.chain.cuda_minus_zero_less",
    "sampling.chain.cuda_counter_reused",
    "sampling.chain.cuda_row_in_the_seed",
    "sampling.chain.cuda_draw_shifted",
    "sampling.chain.cuda_single_precision_weight",
    "sampling.chain.cuda_log_prob_of_maximum",
    "sampling.chain.cuda_lost_block",
    "sampling.chain.cuda_order_not_restored",
    "sampling.chain.cuda_stale_maximum",
    "sampling.chain.cuda_lost_part_of_mass",
    "sampling.chain.cuda_missing_barrier",
};

/// Handed to the kernel by value; in the usual build a constant that says no to every question.
struct Faults {
#ifdef ASSAY_MUTANTS
  std::uint64_t bits = 0;
  __host__ __device__ bool operator()(Fault fault) const {
    return (bits >> static_cast<int>(fault) & 1u) != 0;
  }
#else
  __host__ __device__ constexpr bool operator()(Fault) const {
    return false;
  }
#endif
};

inline Faults selected_faults() {
  Faults faults;
#ifdef ASSAY_MUTANTS
  for (int i = 0; i < static_cast<int>(Fault::count); ++i)
    if (mutant(fault_names[i])) faults.bits |= std::uint64_t{1} << i;
#endif
  return faults;
}

}  // namespace assay::kernels::filters
