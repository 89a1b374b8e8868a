#pragma once

#include "reports/report.hpp"

namespace assay::reports {

/// One of the sentences that a report begins with, as plain text.
struct Headline {
  std::string subject;  // "Checked", "Measured", ...
  std::string text;
};

/// What a reader wants first: what was checked against what, how fast it is, what changed since the last
/// run, and whether the checks find planted faults. What a run has nothing of is said, not left out.
std::vector<Headline> overview(const ReportInput& input);

}  // namespace assay::reports
