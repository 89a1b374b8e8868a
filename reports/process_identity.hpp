#pragma once

#include <string>

/// Who is writing a run, so that a run whose writer has died can be told from one that is still being
/// written.
namespace assay::reports {

/// This process as "host|boot|pid namespace|pid|start time".
std::string own_identity();

/// True only where the process certainly no longer exists: it ran on this host before the last boot, or in
/// this boot and pid namespace and is gone (a later process with the same number has another start time).
bool is_gone(const std::string& identity);

}  // namespace assay::reports
