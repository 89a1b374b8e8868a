#include "validation/chains/properties.hpp"

namespace assay::validation::chains {

void add_faults(Suite& suite) {
  const auto fault = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant({std::string("sampling.chain.") + id, fault_class, what});
  };
  fault("top_k_one_more", "off by one", "top_k keeps k + 1");
  fault("top_k_keeps_all_ties", "missing condition", "tokens equal to the last are all kept");
  fault("ties_from_the_end", "wrong order", "of equal tokens the last ids are kept");
  fault("exclusive_sum", "off by one", "top_p stops before the token that crosses");
  fault("mass_rounded_down", "rounding", "the mass that top_p needs is rounded down");
  fault("mass_scaled", "wrong scale", "the mass that top_p needs is an eighth too much");
  fault("min_keep_ignored", "missing condition", "top_p, min_p and typical keep fewer than min_keep");
  fault("min_p_strict", "strictness", "min_p drops the token at its bound");
  fault("min_p_of_sum", "wrong formula", "min_p is relative to the whole instead of the maximum");
  fault("typical_without_entropy", "missing term", "typical sorts by the distance from the maximum");
  fault("typical_sign", "wrong sign", "typical keeps the least typical first");
  fault("temperature_twice", "applied twice", "logits are divided by the temperature twice");
  fault("temperature_multiplies", "wrong operation", "logits are multiplied by the temperature");
  fault("greedy_last_maximum", "wrong order", "temperature 0 keeps the last maximum");
  fault("penalty_wrong_sign", "wrong sign", "negative logits are divided by the repetition penalty");
  fault("penalty_each_time", "applied twice", "the penalty is applied once for each time a token was seen");
  fault("frequency_once", "missing factor", "the frequency penalty ignores how often");
  fault("presence_subtracted_from_all", "missing condition",
        "the presence penalty hits the padding's neighbour, token 0");
  fault("last_n_from_the_front", "wrong end", "the oldest ids count instead of the latest");
  fault("bias_once", "lost", "of biases of one token the first alone is added");
  fault("mask_ignored", "missing mask", "tokens that the mask forbids are drawn");
  fault("mask_shifted", "off by one", "the mask of the row before is read");
  fault("last_token_dropped", "unhandled tail", "the last token of a row is not weighed");
  fault("nan_largest", "missing condition", "NaN is taken as +Inf");
  fault("minus_zero_less", "missing condition", "-0 is less than +0");
  fault("counter_reused", "reused seed", "every position draws the same bits");
  fault("row_in_the_seed", "wrong key", "the row's place in the batch enters the draw");
  fault("draw_shifted", "off by one", "the token after the one that the point falls on is drawn");
  fault("single_precision_weight", "low precision", "the exponential is taken in float");
  fault("infinity_unshared", "missing condition", "of tokens at +Inf only the first has a probability");
  fault("log_prob_of_maximum", "wrong index", "log_prob is that of the most likely token");
  fault("estimate_decides", "low precision", "the cut of a long row is made by its mass in single precision");
  fault("others_weigh_nothing", "lost part", "where that is in doubt the head of a row counts as all of it");
  fault("merged_ties_lost", "missing condition",
        "of tokens that a division made equal the greater ones are kept");
  fault("long_row_keeps_all_ties", "missing condition", "of a long row all tokens at the cut are kept");
  fault("long_row_undivided", "missing step",
        "a long row is cut as it lies in memory, whatever the temperature");
  fault("long_row_without_its_end", "unhandled tail",
        "the tokens behind a long row's last 64 are not looked at");
  const auto on_cuda = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant({std::string("sampling.chain.cuda_") + id, fault_class, what, Backend::cuda});
  };
  on_cuda("top_k_one_more", "off by one", "top_k keeps k + 1");
  on_cuda("ties_by_block", "tie by thread", "of equal tokens every warp counts its own as the first");
  on_cuda("exclusive_sum", "off by one", "top_p stops before the token that crosses");
  on_cuda("mass_rounded_down", "rounding", "the mass that top_p needs is a unit too small");
  on_cuda("estimate_decides", "low precision", "the cut is made by the estimated mass, 2e-4 off");
  on_cuda("min_keep_ignored", "missing condition", "top_p, min_p and typical keep fewer than min_keep");
  on_cuda("min_p_strict", "strictness", "min_p drops the token at its bound");
  on_cuda("typical_without_entropy", "missing term", "typical sorts by the distance from the maximum");
  on_cuda("temperature_twice", "applied twice", "logits are divided by the temperature twice");
  on_cuda("greedy_last_maximum", "wrong order", "temperature 0 keeps the last maximum");
  on_cuda("penalty_wrong_sign", "wrong sign", "negative logits are divided by the repetition penalty");
  on_cuda("penalty_each_time", "applied twice", "the penalty is applied once for each time a token was seen");
  on_cuda("frequency_once", "missing factor", "the frequency penalty ignores how often");
  on_cuda("last_n_from_the_front", "wrong end", "the oldest ids count instead of the latest");
  on_cuda("bias_once", "lost", "of biases of one token the first alone is added");
  on_cuda("mask_ignored", "missing mask", "tokens that the mask forbids are drawn");
  on_cuda("last_token_dropped", "unhandled tail", "the last token of a row is not read");
  on_cuda("nan_largest", "missing condition", "NaN is taken as +Inf");
  on_cuda("minus_zero_less", "missing condition", "-0 is less than +0");
  on_cuda("counter_reused", "reused counter", "every position draws the same bits");
  on_cuda("row_in_the_seed", "wrong key", "the row's place in the batch enters the draw");
  on_cuda("draw_shifted", "off by one", "the token after the one that the point falls on is drawn");
  on_cuda("single_precision_weight", "low precision", "the exponential is taken in float");
  on_cuda("log_prob_of_maximum", "wrong index", "log_prob is that of the most likely token");
  on_cuda("lost_block", "lost tile", "the bins of a cluster's last block are left out");
  on_cuda("order_not_restored", "stale order", "a list is not sorted again after its logits have changed");
  on_cuda("stale_maximum", "stale state", "the maximum is not divided by the temperature");
  on_cuda("lost_part_of_mass", "lost part", "the upper 15 bits of the masses of bins are left out");
  on_cuda("missing_barrier", "missing barrier", "bins are added up before all blocks have counted");
}

}  // namespace assay::validation::chains
