#include "validation/calibrate.hpp"

#include <algorithm>
#include <set>

#include "validation/parallel_work.hpp"

namespace assay::validation {

namespace {

bool absent(Verdict verdict) {
  return verdict == Verdict::not_executed || verdict == Verdict::unsupported;
}

}  // namespace

std::string family_of(std::string_view operation) {
  return std::string(operation.substr(0, operation.find('.')));
}

std::vector<Job> random_jobs(const std::vector<Suite>& suites, std::string_view pattern,
                             const std::vector<Backend>& backends) {
  std::vector<Job> jobs;
  for (const Suite& suite : suites) {
    if (!matches(suite.operation(), pattern)) continue;
    const Operation* operation = find_operation(suite.operation());
    for (const Property& property : suite.properties()) {
      if (property.cases <= 1 || property.long_running) continue;
      for (const Backend backend : backends) {
        const auto& named = property.backends;
        const bool wanted = named.empty() ? operation == nullptr || operation->has(backend)
                                          : std::find(named.begin(), named.end(), backend) != named.end();
        if (wanted) jobs.push_back({suite.operation(), &property, backend});
      }
    }
  }
  return jobs;
}

std::vector<CaseGoal> share_cases(const std::vector<Job>& jobs, std::int64_t cases) {
  std::map<std::pair<std::string, Backend>, std::set<std::string>> operations;  // of a family
  std::map<std::pair<std::string, Backend>, double> asked;                      // of an operation
  for (const Job& job : jobs) {
    operations[{family_of(job.operation), job.backend}].insert(job.operation);
    asked[{job.operation, job.backend}] += job.property->cases;
  }
  std::vector<CaseGoal> goals;
  for (const Job& job : jobs) {
    const auto sharing = static_cast<double>(operations.at({family_of(job.operation), job.backend}).size());
    const double share = job.property->cases / asked.at({job.operation, job.backend}) / sharing;
    // Rounded up, so that the sum is no less than what was asked for.
    const auto own = static_cast<std::int64_t>(share * static_cast<double>(cases)) + 1;
    goals.push_back({job, std::min(own, cases), 0});
  }
  return goals;
}

std::vector<FalseRedCount> count_false_reds(
    const std::vector<CaseGoal>& goals, const WorkerCommand& program, const CalibrateOptions& options,
    const std::function<void(const FalseRedCount&)>& done,
    const std::function<void(std::int64_t, std::int64_t, const std::string&)>& progress) {
  std::vector<FalseRedCount> counts(goals.size());
  std::int64_t total = 0, ran = 0;
  for (const CaseGoal& goal : goals) total += goal.cases;
  std::mutex guard;
  parallel_work(goals.size(), options.parallel, [&](std::size_t i) {
    const CaseGoal& goal = goals[i];
    FalseRedCount& count = counts[i];
    count.job = goal.job;
    count.turns = goal.first_turn;
    Worker worker(program);
    while (count.cases < goal.cases) {
      RunOptions run = options.run;
      run.controls = false;
      run.cases =
          static_cast<int>(std::min<std::int64_t>(goal.job.property->cases, goal.cases - count.cases));
      run.seed = seed_of_turn(options.run.seed, static_cast<std::uint64_t>(count.turns));
      CheckResult result = worker.run(goal.job, run, options.timeout);
      if (absent(result.verdict)) break;
      ++count.turns;
      // A crash says nothing of how many cases went before it: it is one.
      const std::int64_t cases = std::max<std::int64_t>(result.cases, 1);
      count.cases += cases;
      count.elapsed_ms += result.elapsed_ms;
      count.utilisation = std::max(count.utilisation, result.utilisation.value_or(0));
      if (result.verdict != Verdict::pass) {
        ++count.reds;
        if (count.message.empty()) count.message = result.message.substr(0, result.message.find('\n'));
        if (result.replay) count.replays.push_back(std::move(*result.replay));
      }
      const std::lock_guard lock(guard);
      ran += cases;
      if (progress) progress(ran, total, goal.job.name());
    }
    const std::lock_guard lock(guard);
    if (done && count.cases > 0) done(count);
  });
  return counts;
}

}  // namespace assay::validation
