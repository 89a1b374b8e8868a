#pragma once

#include "ci/program/command.hpp"

namespace assay::program {

Command describe_doctor();
Command describe_list();
Command describe_run();
Command describe_validate();
Command describe_replay();
Command describe_sample();
Command describe_bench();
Command describe_brief();
Command describe_compare();
Command describe_aa();
Command describe_gate();
Command describe_history();
Command describe_baseline_promote();
Command describe_baseline_show();
Command describe_mutate();
Command describe_calibrate_false_reds();
Command describe_calibrate_replays();
Command describe_calibrate_budget();
Command describe_calibrate_exploits();
Command describe_calibrate_mechanical();
Command describe_calibrate_filters();
Command describe_explain();
Command describe_report();
Command describe_nightly();
Command describe_te_pair();
Command describe_te_mi();
Command describe_te_cmi();
Command describe_te_ais();
Command describe_te_network();
Command describe_te_embed();
Command describe_te_generate();
Command describe_tokenize();
Command describe_detokenize();
Command describe_gguf_info();
Command describe_gguf_dump();
Command describe_gguf_quantize();

}  // namespace assay::program
