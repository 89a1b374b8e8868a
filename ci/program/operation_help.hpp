#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "engine/operation.hpp"

namespace assay::program {

/// An operation's inputs, outputs and parameters as it describes itself.
std::string operation_help(const Operation& operation);
nlohmann::ordered_json operation_json(const Operation& operation);

/// The names of all operations.
std::vector<std::string> operation_names();

}  // namespace assay::program
