#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ci/program/invocation.hpp"
#include "reports/record.hpp"
#include "validation/mutate.hpp"

namespace assay::program {

/// The program that carries the planted faults: beside this one, or built there by cmake where this one lies
/// in a build folder. Empty where there is none.
std::string mutant_program(const Console& console, bool build);

/// The same suites with only the mutants of these backends.
std::vector<validation::Suite> with_mutants_on(const std::vector<validation::Suite>& suites,
                                               const std::vector<Backend>& backends);

/// Runs the planted faults. Throws Failure.
validation::MutationReport run_mutants(const Invocation& invocation, const std::string& program,
                                       const std::string& pattern,
                                       const std::vector<validation::Suite>& suites);

std::vector<reports::Mutant> mutant_records(const validation::MutationReport& report);

}  // namespace assay::program
