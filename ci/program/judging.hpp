#pragma once

#include <optional>
#include <string>

#include "ci/program/invocation.hpp"
#include "reports/gate.hpp"
#include "reports/store.hpp"

namespace assay::program {

/// A judged run.
struct Judgement {
  reports::RunRecord run;
  std::optional<reports::RunRecord> baseline;
  reports::GateResult result;
};

/// The stored run of that reference (an id, a prefix, "latest"). Throws Failure: 6 where no run is stored, 2
/// where the reference fits none.
reports::RunRecord stored_run(const reports::Store& store, const std::string& reference);

/// Judges a run against its baseline; a run is never compared with itself.
Judgement judge(const reports::Store& store, reports::RunRecord run, const std::string& baseline,
                const reports::GateOptions& options);

/// reports/out in the project's folder.
std::string default_report_folder();

/// Where recorded runs of devices lie in the sources: reports/records, or nothing.
std::string records_folder();

}  // namespace assay::program
