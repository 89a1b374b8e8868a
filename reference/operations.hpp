#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/arguments.hpp"
#include "engine/operation.hpp"

namespace assay::reference {

/// The reference body of an operation: host arguments (resolved) in, host outputs out; outputs of every
/// floating-point type are f64 here, so that the truth is not rounded before the comparison.
using Body = void (*)(const Arguments&, const Outputs&);

/// The body of the operation of that name; nullptr where the name is unknown.
Body find(std::string_view operation);

/// Resolves, allocates (f64 in place of every floating-point type), runs, returns.
std::map<std::string, Tensor> run(const Operation& operation, const Arguments& arguments);

}  // namespace assay::reference
