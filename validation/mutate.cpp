#include "validation/mutate.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include <nlohmann/json.hpp>

#include "validation/parallel_work.hpp"
#include "validation/worker.hpp"

namespace assay::validation {

namespace {

struct Target {
  const Mutant* mutant;
  std::string operation;
};

// The operations whose properties may catch a fault in this one: its own first, then what is built on it.
std::vector<std::string> operations_to_ask(const std::string& operation) {
  std::vector<std::string> asked = {operation};
  if (operation.starts_with("te.") && operation != "te.ksg") asked.push_back("te.ksg");
  return asked;
}

MutantResult run_mutant(const Target& target, const std::vector<Suite>& suites, const MutateOptions& options,
                        const RunOptions& run) {
  MutantResult result;
  result.mutant = *target.mutant;
  result.operation = target.operation;
  Worker worker({options.program, {{"ASSAY_MUTANT", target.mutant->id}}});
  bool reached = false;
  bool executed = false;
  for (const Job& job : jobs_for(suites, target.operation, target.mutant->backend)) {
    const CheckResult check = worker.run(job, run, options.timeout);
    reached = reached || check.mutant_reached;
    executed = executed || (check.verdict != Verdict::not_executed && check.verdict != Verdict::unsupported);
    result.cases += check.cases;
    result.elapsed_ms += check.elapsed_ms;
    if (!is_red(check.verdict)) continue;
    result.status = check.verdict == Verdict::crashed   ? MutantStatus::crashed
                    : check.verdict == Verdict::timeout ? MutantStatus::timeout
                                                        : MutantStatus::caught;
    result.property = job.operation + "/" + job.property->name;
    result.message = check.message.substr(0, check.message.find('\n'));
    return result;
  }
  result.status = !executed ? MutantStatus::not_executed
                  : reached ? MutantStatus::missed
                            : MutantStatus::not_reached;
  return result;
}

}  // namespace

std::vector<Job> jobs_for(const std::vector<Suite>& suites, const std::string& operation, Backend backend) {
  std::vector<Job> jobs;
  for (const std::string& asked : operations_to_ask(operation)) {
    // Exactly this operation: a name without wildcards matches itself alone.
    for (Job& job : select_jobs(suites, asked, {backend})) jobs.push_back(std::move(job));
  }
  return jobs;
}

std::string_view name_of(MutantStatus status) {
  constexpr std::string_view names[] = {"caught",  "missed",  "not_reached",
                                        "crashed", "timeout", "not_executed"};
  return names[static_cast<std::size_t>(status)];
}

bool counts_as_caught(MutantStatus status) {
  return status == MutantStatus::caught || status == MutantStatus::crashed || status == MutantStatus::timeout;
}

std::int64_t MutationReport::caught() const {
  return std::count_if(mutants.begin(), mutants.end(),
                       [](const auto& result) { return counts_as_caught(result.status); });
}

std::int64_t MutationReport::total() const {
  return std::count_if(mutants.begin(), mutants.end(),
                       [](const auto& result) { return result.status != MutantStatus::not_executed; });
}

bool MutationReport::ok() const {
  return total() > 0 && caught() == total() &&
         std::all_of(controls.begin(), controls.end(),
                     [](const auto& control) { return control.verdict == Verdict::pass; });
}

MutationReport mutate(const std::vector<Suite>& suites, const MutateOptions& options,
                      const std::function<void(const MutantResult&, std::size_t, std::size_t)>& progress) {
  std::vector<Target> targets;
  for (const Suite& suite : suites) {
    for (const Mutant& mutant : suite.mutants()) {
      if (matches(mutant.id, options.pattern) || matches(suite.operation(), options.pattern)) {
        targets.push_back({&mutant, suite.operation()});
      }
    }
  }
  MutationReport report;
  if (targets.empty()) {
    report.vacuous =
        options.pattern.empty() ? "no mutants are registered" : "no mutant matches '" + options.pattern + "'";
    return report;
  }
  RunOptions run = options.run;
  run.controls = false;
  run.shrink_seconds = 0;
  run.require_cuda = false;  // that a device is missing is no red of a fault's making
  run.threads = std::max(1u, run.threads);
  report.mutants.resize(targets.size());

  std::size_t done = 0;
  std::mutex guard;
  parallel_work(targets.size(), options.parallel, [&](std::size_t i) {
    MutantResult result = run_mutant(targets[i], suites, options, run);
    const std::lock_guard lock(guard);
    report.mutants[i] = std::move(result);
    if (progress) progress(report.mutants[i], ++done, targets.size());
  });

  // The same program, seed and cases without a fault: what was red above has to be green here.
  std::set<std::pair<std::string, Backend>> blamed;
  for (const MutantResult& result : report.mutants) {
    if (counts_as_caught(result.status)) blamed.emplace(result.property, result.mutant.backend);
  }
  Worker control({options.program, {{"ASSAY_MUTANT", ""}}});
  for (const Suite& suite : suites) {
    for (const Property& property : suite.properties()) {
      for (const Backend backend : {Backend::cpu, Backend::cuda}) {
        if (blamed.find({suite.operation() + "/" + property.name, backend}) == blamed.end()) continue;
        CheckResult check = control.run({suite.operation(), &property, backend}, run, options.timeout);
        check.kind = CheckKind::mutant_control;
        check.against = "the program without a planted fault";
        report.controls.push_back(std::move(check));
      }
    }
  }
  return report;
}

void to_json(nlohmann::json& json, const MutationReport& report) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> classes;
  nlohmann::json mutants = nlohmann::json::array();
  for (const MutantResult& result : report.mutants) {
    mutants.push_back({{"id", result.mutant.id},
                       {"operation", result.operation},
                       {"class", result.mutant.fault_class},
                       {"backend", name_of(result.mutant.backend)},
                       {"status", name_of(result.status)},
                       {"property", result.property},
                       {"cases", result.cases},
                       {"what", result.mutant.what},
                       {"message", result.message},
                       {"elapsed_ms", result.elapsed_ms}});
    if (result.status == MutantStatus::not_executed) continue;
    auto& [caught, total] = classes[result.mutant.fault_class];
    caught += counts_as_caught(result.status);
    ++total;
  }
  nlohmann::json by_class = nlohmann::json::object();
  for (const auto& [name, counts] : classes)
    by_class[name] = {{"caught", counts.first}, {"total", counts.second}};
  json = {{"caught", report.caught()},  {"total", report.total()}, {"ok", report.ok()},
          {"by_class", by_class},       {"mutants", mutants},      {"vacuous", report.vacuous},
          {"controls", report.controls}};
}

}  // namespace assay::validation
