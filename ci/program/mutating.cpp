#include "ci/program/mutating.hpp"

#include <algorithm>
#include <filesystem>

#include "ci/program/backend_choice.hpp"
#include "ci/program/checking.hpp"
#include "ci/program/environment.hpp"
#include "ci/program/failure.hpp"
#include "validation/worker.hpp"

namespace assay::program {
namespace {

namespace fs = std::filesystem;

std::optional<reports::MutantStatus> status_of(validation::MutantStatus status) {
  if (status == validation::MutantStatus::not_executed) return std::nullopt;
  return reports::parse_mutant_status(validation::name_of(status));
}

}  // namespace

std::vector<validation::Suite> with_mutants_on(const std::vector<validation::Suite>& suites,
                                               const std::vector<Backend>& backends) {
  std::vector<validation::Suite> chosen;
  for (const validation::Suite& suite : suites) {
    validation::Suite& made = chosen.emplace_back(suite.operation());
    for (const auto& property : suite.properties()) made.property(property);
    for (const auto& mutant : suite.mutants()) {
      if (std::find(backends.begin(), backends.end(), mutant.backend) != backends.end()) made.mutant(mutant);
    }
  }
  return chosen;
}

std::string mutant_program(const Console& console, bool build) {
  const fs::path folder = fs::path(validation::this_program()).parent_path();
  const fs::path program = folder / "assay-mutants";
  std::error_code ignored;
  if (build && !fs::exists(program, ignored) && fs::exists(folder / "CMakeCache.txt", ignored)) {
    console.note("building " + program.string());
    output_of({"cmake", "--build", folder.string(), "--target", "assay-mutants"});
  }
  return fs::exists(program, ignored) ? program.string() : "";
}

validation::MutationReport run_mutants(const Invocation& invocation, const std::string& program,
                                       const std::string& pattern,
                                       const std::vector<validation::Suite>& suites) {
  validation::MutateOptions options;
  options.program = program;
  options.pattern = pattern;
  options.run = validation::options_from_environment();
  options.run.seed = invocation.seed();
  options.run.device = static_cast<int>(invocation.integer("device", 0, 1 << 20));
  options.parallel = threads_of(invocation);
  ProgressLine line(invocation.console(), "planted faults");
  return validation::mutate(with_mutants_on(suites, wanted_backends(invocation)), options,
                            [&](const validation::MutantResult& result, std::size_t done, std::size_t total) {
                              line.update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total),
                                          result.mutant.id);
                            });
}

std::vector<reports::Mutant> mutant_records(const validation::MutationReport& report) {
  std::vector<reports::Mutant> records;
  for (const validation::MutantResult& result : report.mutants) {
    const auto status = status_of(result.status);
    if (!status) continue;
    reports::Mutant record;
    record.id = result.mutant.id;
    record.operation = result.operation;
    record.category = result.mutant.fault_class;
    record.backend = assay::name_of(result.mutant.backend);
    record.status = *status;
    record.property = result.property;
    record.cases = result.cases;
    record.change = result.mutant.what;
    record.elapsed_ms = result.elapsed_ms;
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace assay::program
