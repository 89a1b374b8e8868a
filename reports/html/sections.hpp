#pragma once

#include "reports/report.hpp"

/// The sections of the page, one file each. What takes a RunRecord serves the run at hand and recorded ones
/// alike; what takes the whole input compares.
namespace assay::reports::html {

std::string banner(const ReportInput& input);
std::string findings(const ReportInput& input);     // what is not green, worst first
std::string comparison(const ReportInput& input);   // ratios against the baseline
std::string changes(const ReportInput& input);      // since the last run
std::string history(const ReportInput& input);      // medians over runs
std::string utilisation(const ReportInput& input);  // of bounds, now and over runs
std::string environment(const ReportInput& input);  // and what changed in it
std::string recorded(const ReportInput& input);     // runs made on other devices
std::string calibration(const ReportInput& input);  // the harness measured on itself

std::string operations(const RunRecord& record);
std::string checks(const RunRecord& record);
std::string benchmarks(const RunRecord& record);
std::string roofline(const RunRecord& record);
std::string sizes(const RunRecord& record);  // time over every axis of the cases, with peers and predictions
std::string choices(const RunRecord& record);  // both sides of what an operation chooses by size
std::string accuracy(const RunRecord& record);
std::string mutants(const RunRecord& record);

/// The style sheet and the script of the page.
std::string_view style();
std::string_view script();

}  // namespace assay::reports::html
