#pragma once

#include <functional>
#include <vector>

#include "validation/golden_folder.hpp"
#include "validation/results.hpp"
#include "validation/runner.hpp"

namespace assay::validation {

/// Runs one golden case on one backend (cpu, cuda or reference) through engine/analysis and holds it to the
/// case's own tolerance: the average, every entry of a matrix, local values, radii and counts, surrogates and
/// p-value, the embedding that a search has to find, and the published digits. A case whose answer depends on
/// the order of ties or on the rounding of the normalisation is held to its wide tolerance too, but a
/// difference beyond it is reported as information and passes. A refused or throwing case fails.
CheckResult run_golden_case(const GoldenFolder& folder, const GoldenCase& item, Backend backend,
                            const RunOptions& options);

/// All cases on the backends, in the order of the manifest. Where a backend cannot be had its cases are
/// not_executed (failed where it is required).
std::vector<CheckResult> run_golden(const GoldenFolder& folder, const std::vector<Backend>& backends,
                                    const RunOptions& options, const Progress& progress = {});

}  // namespace assay::validation
