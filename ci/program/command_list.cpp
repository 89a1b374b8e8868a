#include "ci/program/application.hpp"
#include "ci/program/commands.hpp"

namespace assay::program {

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      describe_doctor(),
      describe_list(),
      describe_run(),
      describe_validate(),
      describe_replay(),
      describe_bench(),
      describe_brief(),
      describe_compare(),
      describe_aa(),
      describe_gate(),
      describe_history(),
      describe_baseline_promote(),
      describe_baseline_show(),
      describe_mutate(),
      describe_calibrate_false_reds(),
      describe_calibrate_replays(),
      describe_calibrate_budget(),
      describe_calibrate_exploits(),
      describe_calibrate_mechanical(),
      describe_calibrate_filters(),
      describe_explain(),
      describe_report(),
      describe_nightly(),
      describe_te_pair(),
      describe_te_mi(),
      describe_te_cmi(),
      describe_te_ais(),
      describe_te_network(),
      describe_te_embed(),
      describe_te_generate(),
      describe_sample(),
      describe_tokenize(),
      describe_detokenize(),
      describe_gguf_info(),
      describe_gguf_dump(),
      describe_gguf_quantize(),
  };
  return all;
}

}  // namespace assay::program
