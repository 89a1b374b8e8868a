#pragma once

#include "reports/store.hpp"

namespace assay::reports {

/// The run to compare `run` with.
///
/// Without a reference: the baseline of the run's branch, environment and mode, else that of
/// `default_branch`, else nothing. A reference is a branch that the store has runs of, a run id or a prefix
/// of one, or "latest", which here means the newest complete run before this one; a reference that fits
/// nothing is bad input (StoreError). A branch may have no baseline in this environment and mode (a machine
/// with another processor): then there is nothing, as in a first run. A run that a reference names is
/// returned whatever its environment: the gate refuses the comparison and says why.
std::optional<RunRecord> baseline_for(const Store& store, const Run& run, const std::string& reference = "",
                                      const std::string& default_branch = "main");

/// Refuses (StoreError, bad input) a reference that fits nothing, before anything is measured for it.
void check_baseline_reference(const Store& store, const std::string& reference);

}  // namespace assay::reports
