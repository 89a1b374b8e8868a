#pragma once

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::fragments {

/// Planted faults, handed to a kernel by value; constants in the usual build, where an empty argument is
/// left.
struct Faults {
#ifdef ASSAY_MUTANTS
  bool halves_swapped, first_scale_for_both, minimum_missing, minimum_added, low_part_lost, sign_lost,
      fifth_bit_lost, lost_slice, lost_block, stale_stage, missing_barrier, skew_ignored, tail_not_cleared,
      infinity_left, bias_missing, first_vector_for_all, activation_part_lost, sums_of_first_stage,
      lanes_not_joined, run_begins_again;
#else
  static constexpr bool halves_swapped = false, first_scale_for_both = false, minimum_missing = false,
                        minimum_added = false, low_part_lost = false, sign_lost = false,
                        fifth_bit_lost = false, lost_slice = false, lost_block = false, stale_stage = false,
                        missing_barrier = false, skew_ignored = false, tail_not_cleared = false,
                        infinity_left = false, bias_missing = false, first_vector_for_all = false,
                        activation_part_lost = false, sums_of_first_stage = false, lanes_not_joined = false,
                        run_begins_again = false;
#endif
};

inline Faults selected_faults() {
#ifdef ASSAY_MUTANTS
  return {mutant("dense.gemv.cuda_halves_swapped"),       mutant("dense.gemv.cuda_first_scale_for_both"),
          mutant("dense.gemv.cuda_minimum_missing"),      mutant("dense.gemv.cuda_minimum_added"),
          mutant("dense.gemv.cuda_low_part_lost"),        mutant("dense.gemv.cuda_sign_lost"),
          mutant("dense.gemv.cuda_fifth_bit_lost"),       mutant("dense.gemv.cuda_lost_slice"),
          mutant("dense.gemv.cuda_lost_block"),           mutant("dense.gemv.cuda_stale_stage"),
          mutant("dense.gemv.cuda_missing_barrier"),      mutant("dense.gemv.cuda_skew_ignored"),
          mutant("dense.gemv.cuda_tail_not_cleared"),     mutant("dense.gemv.cuda_infinity_left"),
          mutant("dense.gemv.cuda_bias_missing"),         mutant("dense.gemv.cuda_first_vector_for_all"),
          mutant("dense.gemv.cuda_activation_part_lost"), mutant("dense.gemv.cuda_sums_of_first_stage"),
          mutant("dense.gemv.cuda_lanes_not_joined"),     mutant("dense.gemv.cuda_run_begins_again")};
#else
  return {};
#endif
}

}  // namespace assay::kernels::fragments
