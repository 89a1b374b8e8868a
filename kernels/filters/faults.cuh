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

/// Operations of one step run the same bodies. Their own properties have to find these of their faults.
struct FaultOfFilter {
  const char* name;
  Fault fault;
};
constexpr FaultOfFilter faults_of_filters[] = {
    {"sampling.top_k.cuda_one_more", Fault::top_k_one_more},
    {"sampling.top_k.cuda_ties_by_block", Fault::ties_by_block},
    {"sampling.top_p.cuda_exclusive_sum", Fault::exclusive_sum},
    {"sampling.top_p.cuda_mass_rounded_down", Fault::mass_rounded_down},
    {"sampling.top_p.cuda_estimate_decides", Fault::estimate_decides},
    {"sampling.top_p.cuda_min_keep_ignored", Fault::min_keep_ignored},
    {"sampling.min_p.cuda_strict", Fault::min_p_strict},
    {"sampling.min_p.cuda_min_keep_ignored", Fault::min_keep_ignored},
    {"sampling.typical.cuda_without_entropy", Fault::typical_without_entropy},
    {"sampling.typical.cuda_min_keep_ignored", Fault::min_keep_ignored},
    {"sampling.temperature.cuda_twice", Fault::temperature_twice},
    {"sampling.temperature.cuda_greedy_last_maximum", Fault::greedy_last_maximum},
    {"sampling.repetition_penalty.cuda_wrong_sign", Fault::penalty_wrong_sign},
    {"sampling.repetition_penalty.cuda_each_time", Fault::penalty_each_time},
    {"sampling.repetition_penalty.cuda_frequency_once", Fault::frequency_once},
    {"sampling.repetition_penalty.cuda_last_n_from_the_front", Fault::last_n_from_the_front},
    {"sampling.logit_bias.cuda_once", Fault::bias_once},
    {"sampling.nucleus_filtering.cuda_exclusive_sum", Fault::exclusive_sum},
    {"sampling.nucleus_filtering.cuda_single_precision_weight", Fault::single_precision_weight},
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
  for (const FaultOfFilter& one : faults_of_filters)
    if (mutant(one.name)) faults.bits |= std::uint64_t{1} << static_cast<int>(one.fault);
#endif
  return faults;
}

}  // namespace assay::kernels::filters
