#pragma once

#include <string>
#include <vector>

#include "reports/waivers.hpp"

namespace assay::program {

/// Reads a file of waivers:
///
///     [[waiver]]
///     case = "te.ksg/n=1000,k=4/cpu"     # as the gate names it
///     reason = "#12: slower since the new scheduler, under work"
///     expires = 2026-01-31                # the last day on which it holds, in UTC
///
/// Throws Failure (exit 2) with the file and the line for what is no TOML, a key that is unknown or missing,
/// an empty reason, a case that is waived twice, and a waiver that expired before `today` ("2026-01-31").
std::vector<reports::Waiver> read_waivers(const std::string& path, const std::string& today);

}  // namespace assay::program
