#pragma once

#include "ci/program/invocation.hpp"
#include "engine/llm/tokenizer/tokenizer.hpp"

namespace assay::program {

/// `assay tokenize --round-trips N`: encodes and decodes N random texts on all threads and says how many came
/// back changed; exit 3 where one did. A text has up to 40 characters of every part of Unicode; with NFC it
/// has to come back in that form. One in sixteen is decoded as a stream too, cut after each token in turn.
int check_round_trips(Invocation& invocation, const tokenizer::Tokenizer& tokenizer);

}  // namespace assay::program
