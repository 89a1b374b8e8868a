#pragma once

#include <map>
#include <string>
#include <vector>

#include "ci/program/command.hpp"
#include "ci/program/invocation.hpp"

namespace assay::program {

/// "k-history" -> "ASSAY_K_HISTORY".
std::string environment_name(const std::string& option);

/// Adds to what the flags gave what the environment and, after it, the configuration gives: flags win over
/// ASSAY_* variables, which win over the file. In the file a key stands at the top (for every command that
/// has such an option), in [te] or in [te.pair]; the innermost wins. Keys may be written with - or _; lists
/// are arrays. A key that no command knows, a section that is no command, and a file that is not TOML are
/// refused (Failure, exit 2).
void merge_settings(std::map<std::string, Given>& given, const Command& command,
                    const std::vector<Command>& commands);

}  // namespace assay::program
