#pragma once

#include "validation/suite.hpp"

namespace assay::validation::speculation {

/// Properties of sampling.speculative_verify: what comes out has the target's distribution.
void add_distribution_properties(Suite& suite);

}  // namespace assay::validation::speculation
