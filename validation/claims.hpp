#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "validation/suite.hpp"

namespace assay::validation {

/// How a call is made: on whatever body is looked at, under the preconditions.
using Call = std::function<std::map<std::string, Tensor>(const HostArguments&)>;

/// Holds that ten runs of a call give the same bits: each is run from memory that held something else.
void expect_deterministic(Probe& probe, const Call& call, const HostArguments& arguments);

/// Holds that parts of a call have the same bits wherever they are computed: each claim for itself and then
/// all of them at once. A part that `probe.seed()` chooses is computed alone, first among fewer, last among
/// fewer and, where parts may be put into any order, in a call in which they are turned round and repeated.
void expect_batch_invariant(Probe& probe, const Call& call, const HostArguments& arguments,
                            const std::vector<BatchClaim>& claims);

/// Gives a suite the properties of what its operation claims (engine/operation.hpp): `claim_deterministic`
/// and `claim_batch_invariant`. A suite that draws no calls of an operation that claims something gets them
/// too, and they fail and say so.
void add_claim_properties(Suite& suite, const Operation& operation);

}  // namespace assay::validation
