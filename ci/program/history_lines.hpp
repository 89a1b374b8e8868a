#pragma once

#include <string>

#include "ci/program/invocation.hpp"

/// The stored runs as JSON lines: what `assay history --export` and `--import` do. Both return an exit code.
namespace assay::program {

/// Writes runs to `path`, in the order in which they began: all of the store, or those that --run, --commit
/// and --limit leave. Nothing to write is exit 6, and no file.
int export_runs(const Invocation& invocation, const std::string& path);

/// Adds the runs of a file to the store; those that are stored already are left as they are. A bad line
/// refuses all.
int import_runs(const Invocation& invocation, const std::string& path);

}  // namespace assay::program
