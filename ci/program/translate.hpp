#pragma once

#include <vector>

#include "benchmarks/measurement.hpp"
#include "benchmarks/suite.hpp"
#include "reports/record.hpp"
#include "validation/results.hpp"
#include "validation/suite.hpp"

namespace assay::program {

/// What the layers found, as the records that are stored. `replay` is the name of the replay file, "" if
/// none.
reports::Check check_of(const validation::CheckResult& result, const std::string& replay = "");
reports::Benchmark benchmark_of(const benchmarks::Measurement& measurement, std::uint64_t seed);

/// All operations of this build with their properties and benchmark cases.
std::vector<reports::OperationInfo> operation_infos(const std::vector<validation::Suite>& properties,
                                                    const std::vector<benchmarks::Suite>& sizes);

std::string_view name_of(CudaBody body);
/// "cpu", "cuda" where there is a body, "reference".
std::vector<std::string> backends_of(const Operation& operation);

}  // namespace assay::program
