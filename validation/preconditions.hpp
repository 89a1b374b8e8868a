#pragma once

#include <map>
#include <string>

#include "engine/operation.hpp"
#include "validation/placement.hpp"

namespace assay::validation {

/// Runs an operation on the context's backend under the preconditions of harness.md (Correctness 1) and
/// returns its outputs on the host. The operation runs twice. Inputs are copies and outputs lie between guard
/// bands, both filled with one bit pattern in the first run and another in the second:
///   - an output element that holds the pattern of its run both times was never written;
///   - one that otherwise differs between the runs depends on memory the operation was not given, or on
///   timing;
///   - a guard band that changed was written out of bounds; an input that changed was written at all;
///   - what lies between rows that are placed apart is neither read (it differs between the runs) nor
///   written.
/// Throws Failed with one line for each of these; std::invalid_argument for a placement of what is no tensor
/// of the operation, or that parts the rows of an output; lets through what the operation throws.
std::map<std::string, Tensor> run_checked(Context& context, const Operation& operation,
                                          const Arguments& arguments, const Placements& placements = {});

}  // namespace assay::validation
