#pragma once

#include <vector>

#include "ci/program/command.hpp"
#include "ci/program/invocation.hpp"

namespace assay::program {

/// The options of `assay tokenize --train`.
std::vector<Option> training_options();

/// Learns a tokenizer from the files of --train and writes it to --out; the exit code.
int train_tokenizer(Invocation& invocation);

}  // namespace assay::program
