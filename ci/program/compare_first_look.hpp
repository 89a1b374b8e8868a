#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "ci/program/comparing.hpp"

/// The first process of each of two programs: which cases there are, whether their answers are right, how
/// long they take. Its times are not used.
namespace assay::program {

ProcessOptions process_options(const ComparisonPlan& plan);

/// One JSON object, which a checkpoint keeps: "start_seconds" of a process that measures nothing, whether
/// both take "turns", "missing" measures, "seconds" in all, and "cases": each with its "name" and "presence",
/// and "left_out", "wrong", "invalid", or "answers" and "launches" of both, "samples", "resolutions",
/// "planted_steps".
nlohmann::json look_at_both(const ComparisonPlan& plan, const ProcessOptions& options);

/// Its cases without measurements, in its order.
std::vector<reports::ComparedCase> cases_in(const nlohmann::json& first_look);

}  // namespace assay::program
