#pragma once

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::blocks {

/// Planted faults of what encodes a block, by value because device code cannot ask `mutant`; constants in the
/// usual build.
struct EncodeFaults {
#ifdef ASSAY_MUTANTS
  bool last_of_equals = mutant("quant.quantize.last_of_equals");
  bool sign_of_peak_lost = mutant("quant.quantize.sign_of_peak_lost");
  bool rounded_down = mutant("quant.quantize.rounded_down");
  bool top_code_not_cut = mutant("quant.quantize.top_code_not_cut");
  bool q8_0_ties_to_even = mutant("quant.quantize.q8_0_ties_to_even");
  bool scale_of_one_level_more = mutant("quant.quantize.scale_of_one_level_more");
  bool minimum_not_stored = mutant("quant.quantize.minimum_not_stored");
  bool fifth_bits_swapped = mutant("quant.quantize.fifth_bits_swapped");
  bool halves_swapped = mutant("quant.quantize.halves_swapped");
  bool mxfp4_scale_of_six = mutant("quant.quantize.mxfp4_scale_of_six");
  bool mxfp4_log_not_rounded = mutant("quant.quantize.mxfp4_log_not_rounded");
  bool mxfp4_ties_away = mutant("quant.quantize.mxfp4_ties_away");
  bool search_ends_early = mutant("quant.quantize.search_ends_early");
  bool search_starts_over = mutant("quant.quantize.search_starts_over");
  bool weights_missing = mutant("quant.quantize.weights_missing");
  bool positive_minimum_kept = mutant("quant.quantize.positive_minimum_kept");
  bool codes_of_the_search = mutant("quant.quantize.codes_of_the_search");
  bool scale_not_narrowed = mutant("quant.quantize.scale_not_narrowed");
  bool q4_k_high_bits_lost = mutant("quant.quantize.q4_k_high_bits_lost");
  bool q6_k_scale_of_127 = mutant("quant.quantize.q6_k_scale_of_127");
  bool q6_k_small_parts_kept = mutant("quant.quantize.q6_k_small_parts_kept");
#else
  static constexpr bool last_of_equals = false, sign_of_peak_lost = false, rounded_down = false,
                        top_code_not_cut = false, q8_0_ties_to_even = false, scale_of_one_level_more = false,
                        minimum_not_stored = false, fifth_bits_swapped = false, halves_swapped = false,
                        mxfp4_scale_of_six = false, mxfp4_log_not_rounded = false, mxfp4_ties_away = false,
                        search_ends_early = false, search_starts_over = false, weights_missing = false,
                        positive_minimum_kept = false, codes_of_the_search = false,
                        scale_not_narrowed = false, q4_k_high_bits_lost = false, q6_k_scale_of_127 = false,
                        q6_k_small_parts_kept = false;
#endif
};

}  // namespace assay::kernels::blocks
