#pragma once

#include <functional>
#include <string>

#include "ci/program/backend_choice.hpp"

namespace assay::program {

/// Answers a file of sampling cases, one JSON document a line, in order: {"id", "selected"} for a chain that
/// ends in `greedy`, else {"id", "n_survivors", "survivors": [{"id", "p"}, ...]}, by falling p, ties by
/// rising id, at most 256 listed. A bad line gives {"error"} in its place and the rest goes on. `print` gets
/// each line. Returns how many lines were bad. Throws Failure (2) where the file cannot be read.
///
/// A case: {"id", "logits": [numbers or "-inf"] or "n_vocab" and "logits_gen": {"kind": "splitmix64", "seed",
/// "scale"}, "history": [ids], "chain": [{"op", ...}]} with op penalties {last_n, repeat, freq, present},
/// top_k {k}, top_p and min_p {p, min_keep}, typical {p, min_keep}, temp {t}, greedy.
int answer_sampling_cases(const std::string& path, ChosenBackend& chosen,
                          const std::function<void(const std::string&)>& print);

}  // namespace assay::program
