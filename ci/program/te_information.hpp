#pragma once

#include "ci/program/invocation.hpp"

namespace assay::program {

/// Mutual information of --x and --y, given --z where `conditional`.
int run_information(Invocation& invocation, bool conditional);

}  // namespace assay::program
