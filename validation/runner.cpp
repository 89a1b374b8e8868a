#include "validation/runner.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <numeric>

#include <fmt/format.h>
#include <rapidcheck.h>

#include "engine/runtime/error.hpp"
#include "engine/runtime/fixed_schedule.hpp"
#include "engine/runtime/mutant.hpp"
#include "validation/probe.hpp"

namespace assay::validation {

namespace {

using Clock = std::chrono::steady_clock;
using rc::detail::CaseResult;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// RapidCheck reports to a listener; ours says nothing anywhere.
class Silent final : public rc::detail::TestListener {
 public:
  void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
  void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
  void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
};

// `follow`: the shrink path of a replay is walked. RapidCheck must not be told that shrinking is off then.
enum class Shrinking { off, limited, follow };

// What is true of a run of cases beside RapidCheck's own result.
struct Outcome {
  rc::detail::TestResult result = rc::detail::SuccessResult();
  std::optional<std::string> unavailable;  // the backend is not there
  bool failed_by_assertion = false;        // as against an exception that no assertion threw
  bool sticky = false;                     // the device is lost to this process
  double shrink_seconds = 0;               // from the first failure to the smallest
  bool shrunk_to_end = true;               // the time for shrinking did not run out
};

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

/// What a failure says, in one line.
std::string said(const std::string& failure) {
  return one_line(failure.substr(0, failure.find(picture_follows)));
}
/// The picture that it brings, on lines of its own.
std::string drawn_below(const std::string& failure) {
  const auto end = failure.find(picture_follows);
  return end == std::string::npos ? "" : "\n" + failure.substr(end + 1);
}

/// "te.ksg/chain_rule" of "te.ksg/chain_rule/cpu".
std::string without_backend(const std::string& name) {
  return name.substr(0, name.rfind('/'));
}

Outcome run_cases(const std::string& name, const std::function<void(Probe&)>& body, Context& context,
                  Backend backend, Record& record, bool tamper, int cases, const RunOptions& options,
                  Shrinking shrinking) {
  Outcome outcome;
  std::optional<Clock::time_point> first_failure;
  const auto one_case = [&] {
    // Drawn before anything else, so that a replay finds the same seed; not shrunk, because a seed has no
    // order.
    const auto seed =
        *rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()))
             .as("case seed");
    // Past the time for shrinking every candidate counts as no counterexample: the smallest so far is the
    // result.
    if (shrinking == Shrinking::limited && first_failure &&
        seconds_since(*first_failure) > options.shrink_seconds) {
      outcome.shrunk_to_end = false;
      return;
    }
    record.tables.clear();
    record.plots.clear();
    if (record.trace) record.trace.emplace();
    CaseProbe probe(context, backend, seed, record, tamper);
    const auto fail = [&](const std::string& reason, bool by_assertion) {
      outcome.failed_by_assertion = by_assertion;
      if (!first_failure) first_failure = Clock::now();
      throw CaseResult(CaseResult::Type::Failure, reason);
    };
    try {
      body(probe);
    } catch (const Failed& failure) {
      fail(failure.what(), true);
    } catch (const CaseResult& result) {
      if (result.type == CaseResult::Type::Failure) fail(result.description, true);
      throw;
    } catch (const rc::GenerationFailure&) {
      throw;
    } catch (const BackendUnavailable& error) {
      outcome.unavailable = error.what();
      throw CaseResult(CaseResult::Type::Failure, error.what());
    } catch (const DeviceError& error) {
      outcome.sticky = outcome.sticky || error.sticky();
      fail(error.what(), false);
    } catch (const std::exception& error) {
      fail(std::string("exception: ") + error.what(), false);
    }
  };
  rc::detail::TestParams parameters;
  parameters.seed = options.seed;
  parameters.maxSuccess = cases;
  parameters.disableShrinking = shrinking == Shrinking::off;
  rc::detail::TestMetadata metadata;
  metadata.id = name;
  metadata.description = name;
  std::unordered_map<std::string, rc::detail::Reproduce> reproduce;
  if (!options.reproduce.empty()) {
    // What was drawn does not depend on the backend that it failed on.
    for (const auto& [recorded, step] : rc::detail::configFromString(options.reproduce).reproduce)
      if (without_backend(recorded) == without_backend(name)) reproduce.emplace(name, step);
    if (reproduce.empty()) throw std::invalid_argument("the replay string holds no case of " + name);
  }
  Silent silent;
  std::optional<FixedSchedule> schedule;
  if (options.fixed_schedule) schedule.emplace();
  outcome.result = rc::detail::checkTestable(one_case, metadata, parameters, silent, reproduce);
  if (first_failure) outcome.shrink_seconds = seconds_since(*first_failure);
  return outcome;
}

Replay replay_of(const Job& job, const RunOptions& options, int cases,
                 const rc::detail::FailureResult& failure) {
  Replay replay;
  replay.operation = job.operation;
  replay.property = job.property->name;
  replay.backend = name_of(job.backend);
  replay.version = options.version;
  replay.seed = options.seed;
  replay.cases = cases;
  replay.size = failure.reproduce.size;
  replay.threads = options.threads;
  replay.fixed_schedule = options.fixed_schedule;
  rc::detail::Configuration configuration;
  configuration.reproduce.emplace(job.name(), failure.reproduce);
  replay.reproduce = rc::detail::configToMinimalString(configuration);
  replay.message = said(failure.description);
  replay.counterexample = failure.counterExample;
  return replay;
}

// Whether RapidCheck calls a drawn value by its C++ type because it was given no name.
bool is_type(const std::string& name) {
  constexpr std::array plain = {"bool", "int", "long", "unsigned long", "long long", "double", "float"};
  return name.find("::") != std::string::npos || name.find('<') != std::string::npos ||
         std::find(plain.begin(), plain.end(), name) != plain.end();
}

std::string describe(const rc::detail::FailureResult& failure) {
  std::string drawn;
  for (const auto& [name, value] : failure.counterExample) {
    if (name == "case seed") continue;
    drawn += (drawn.empty() ? "" : "; ") + (is_type(name) ? value : name + " = " + value);
  }
  return said(failure.description) + (drawn.empty() ? "" : " (smallest case: " + one_line(drawn) + ")") +
         drawn_below(failure.description);
}

std::optional<Context> context_for(Backend backend, const RunOptions& options) {
  if (backend == Backend::cuda) return Context::cuda(options.device, options.threads);
  return Context::cpu(options.threads);
}

/// The recorded case once more; nothing where it does not fail. Fills in what the replay says of it.
std::optional<rc::detail::FailureResult> follow(Replay& replay, const Job& job, Context& context,
                                                const RunOptions& options) {
  RunOptions again = options;
  again.reproduce = replay.reproduce;
  Record record;
  record.trace.emplace();
  const Outcome outcome = run_cases(job.name(), job.property->body, context, job.backend, record, false,
                                    replay.cases, again, Shrinking::follow);
  if (!outcome.result.is<rc::detail::FailureResult>()) return std::nullopt;
  auto shown = outcome.result.get<rc::detail::FailureResult>();
  replay.message = one_line(shown.description);
  replay.counterexample = shown.counterExample;
  replay.fingerprint = record.trace->fingerprint();
  replay.inputs = record.trace->inputs();
  replay.elements = record.trace->elements();
  replay.non_zeros = record.trace->non_zeros();
  return shown;
}

/// A new failure, as it is recorded: with a fixed schedule where it comes under one, so that a fault whose
/// answer hangs on which thread came first fails alike in every replay. Where the shrunk case does not, the
/// property is run and shrunk again under one; where that finds nothing, the failure is recorded as it came.
/// RapidCheck evaluates the smallest case once more for its words, which a shrinking cut short would get
/// wrong; following the replay has no such limit, and shows at once whether the failure comes again. Nothing
/// where it does not.
std::optional<rc::detail::FailureResult> settle(Replay& replay, const Job& job, Context& context,
                                                const RunOptions& options) {
  // A replay is followed as it is, so that nothing hides a difference from what was recorded.
  if (!options.reproduce.empty() || options.fixed_schedule) return follow(replay, job, context, options);
  RunOptions fixed = options;
  fixed.fixed_schedule = true;
  Replay settled = replay;
  settled.fixed_schedule = true;
  settled.threads = context.pool().threads();
  auto shown = follow(settled, job, context, fixed);
  if (!shown && options.shrink_seconds > 0) {
    Record record;
    const Outcome outcome = run_cases(job.name(), job.property->body, context, job.backend, record, false,
                                      replay.cases, fixed, Shrinking::limited);
    if (outcome.result.is<rc::detail::FailureResult>()) {
      settled = replay_of(job, fixed, replay.cases, outcome.result.get<rc::detail::FailureResult>());
      settled.threads = context.pool().threads();
      settled.shrink_seconds = replay.shrink_seconds + outcome.shrink_seconds;
      settled.shrunk_to_end = outcome.shrunk_to_end;
      shown = follow(settled, job, context, fixed);
    }
  }
  if (!shown) return follow(replay, job, context, options);
  replay = std::move(settled);
  return shown;
}

// The negative control: has to fail, and by an assertion. Returns why it is not one; empty where it is.
std::string check_control(const Job& job, Context& context, int cases, const RunOptions& options) {
  Record record;
  const Property& property = *job.property;
  const bool own = static_cast<bool>(property.negative_control);
  const std::function<void(Probe&)>& body = own ? property.negative_control : property.body;
  RunOptions plain = options;
  plain.reproduce.clear();
  const Outcome outcome =
      run_cases(job.name(), body, context, job.backend, record, !own, cases, plain, Shrinking::off);
  const char* which = own ? "its negative control" : "outputs with one element changed";
  if (outcome.unavailable)
    return fmt::format("the property could not run {}: {}", which, *outcome.unavailable);
  if (!outcome.result.is<rc::detail::FailureResult>()) return fmt::format("the property accepted {}", which);
  if (outcome.failed_by_assertion) return {};
  return fmt::format("the property met {} with something else than an assertion: {}", which,
                     one_line(outcome.result.get<rc::detail::FailureResult>().description));
}

int cases_of(const Property& property, const RunOptions& options) {
  if (property.cases <= 1) return 1;
  if (options.cases) return std::max(1, *options.cases);
  return std::max(1, static_cast<int>(property.cases * options.cases_scale));
}

}  // namespace

RunOptions options_from_environment() {
  RunOptions options;
  const char* require = std::getenv("ASSAY_REQUIRE");
  options.require_cuda =
      require != nullptr && std::string_view(require).find("cuda") != std::string_view::npos;
  return options;
}

std::uint64_t seed_of_turn(std::uint64_t seed, std::uint64_t turn) {
  return seed + turn * 0x9E3779B97F4A7C15u;  // Weyl's sequence by the golden ratio: no two turns are alike
}

std::string Job::name() const {
  return operation + "/" + property->name + "/" + std::string(name_of(backend));
}

CheckResult run_property(const Job& job, const RunOptions& options) {
  const auto start = Clock::now();
  CheckResult result;
  result.operation = job.operation;
  result.property = job.property->name;
  result.backend = name_of(job.backend);
  result.seed = options.seed;
  const auto finish = [&](Verdict verdict, std::string message) {
    result.verdict = verdict;
    result.message = std::move(message);
    result.elapsed_ms = seconds_since(start) * 1e3;
    result.mutant_reached = mutant_reached();
    return std::move(result);
  };
  const Operation* operation = find_operation(job.operation);
  if (operation != nullptr && !operation->has(job.backend)) {
    return finish(Verdict::unsupported, "the operation has no body for this backend");
  }
  const auto absent = [&](const std::string& why) {
    const bool required = job.backend == Backend::cuda && options.require_cuda;
    return finish(required ? Verdict::fail : Verdict::not_executed, required ? "required, but " + why : why);
  };
  std::optional<Context> context;
  try {
    context = context_for(job.backend, options);
  } catch (const BackendUnavailable& error) {
    return absent(error.what());
  }
  Record record;
  const int cases = cases_of(*job.property, options);
  const Shrinking shrinking = !options.reproduce.empty()   ? Shrinking::follow
                              : options.shrink_seconds > 0 ? Shrinking::limited
                                                           : Shrinking::off;
  const Outcome outcome = run_cases(job.name(), job.property->body, *context, job.backend, record, false,
                                    cases, options, shrinking);
  result.assertions = record.assertions;
  result.samples = std::move(record.samples);
  result.notes = std::move(record.notes);
  result.tables = std::move(record.tables);
  result.plots = std::move(record.plots);
  keep_worst(result, 200);
  if (record.used_reference) {
    result.kind = CheckKind::oracle;
    result.against = "reference";
  }
  if (outcome.unavailable) return absent(*outcome.unavailable);

  Verdict verdict = Verdict::pass;
  std::string message;
  if (outcome.result.is<rc::detail::SuccessResult>()) {
    result.cases = outcome.result.get<rc::detail::SuccessResult>().numSuccess;
  } else if (outcome.result.is<rc::detail::FailureResult>()) {
    const auto& failure = outcome.result.get<rc::detail::FailureResult>();
    verdict = Verdict::fail;
    result.cases = failure.numSuccess + 1;
    result.replay = replay_of(job, options, cases, failure);
    result.replay->shrink_seconds = outcome.shrink_seconds;
    result.replay->shrunk_to_end = outcome.shrunk_to_end;
    if (const auto shown = settle(*result.replay, job, *context, options)) {
      message = describe(*shown);
    } else {
      message =
          describe(failure) + " (it did not fail again when replayed: it does not depend on the input alone)";
    }
  } else if (outcome.result.is<rc::detail::GaveUpResult>()) {
    const auto& gave_up = outcome.result.get<rc::detail::GaveUpResult>();
    verdict = Verdict::vacuous;
    result.cases = gave_up.numSuccess;
    message = "RapidCheck gave up: " + one_line(gave_up.description);
  } else {
    const std::string& problem = outcome.result.get<rc::detail::Error>().description;
    // What RapidCheck says where a replayed case does not fail any more.
    const bool passes_now = !options.reproduce.empty() && problem == "Reproduced result is not a failure";
    verdict = passes_now ? Verdict::pass : Verdict::fail;
    result.cases = passes_now ? 1 : 0;
    if (!passes_now) message = "RapidCheck: " + one_line(problem);
  }
  if (verdict == Verdict::pass && result.assertions == 0) {
    verdict = Verdict::vacuous;
    message = fmt::format("{} cases ran and none asserted anything", result.cases);
  }
  if (verdict == Verdict::pass && options.controls) {
    // The control ends at its first failure, so it may have all the cases of the property: a user's --cases 2
    // says how much of the data is to be seen, not how often the property may miss a fault.
    const int control_cases = std::max(cases, job.property->cases);
    const std::string why = check_control(job, *context, control_cases, options);
    if (!why.empty()) {
      verdict = Verdict::fail;
      message = why;
    }
  }
  if (outcome.sticky) message += " (the device is lost to this process)";
  return finish(verdict, std::move(message));
}

bool matches(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return true;
  if (const auto comma = pattern.find(','); comma != std::string_view::npos) {
    return (comma > 0 && matches(name, pattern.substr(0, comma))) ||
           (comma + 1 < pattern.size() && matches(name, pattern.substr(comma + 1)));
  }
  // Backtracks to the last '*' only, which is enough: an earlier one can always stop at its first match.
  std::size_t i = 0, j = 0, star = std::string_view::npos, resume = 0;
  while (i < name.size()) {
    if (j < pattern.size() && (pattern[j] == '?' || pattern[j] == name[i])) {
      ++i, ++j;
    } else if (j < pattern.size() && pattern[j] == '*') {
      star = j++;
      resume = i;
    } else if (star != std::string_view::npos) {
      j = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<std::ptrdiff_t>(j), pattern.end(),
                     [](char c) { return c == '*'; });
}

std::vector<Job> select_jobs(const std::vector<Suite>& suites, std::string_view pattern,
                             const std::vector<Backend>& backends, bool long_running) {
  std::vector<Job> jobs;
  for (const Suite& suite : suites) {
    if (!matches(suite.operation(), pattern)) continue;
    const Operation* operation = find_operation(suite.operation());
    for (const Property& property : suite.properties()) {
      if (property.long_running && !long_running) continue;
      for (const Backend backend : backends) {
        const bool wanted = property.backends.empty()
                                ? backend == Backend::cpu || (backend == Backend::cuda &&
                                                              operation != nullptr && operation->has(backend))
                                : std::find(property.backends.begin(), property.backends.end(), backend) !=
                                      property.backends.end();
        if (wanted) jobs.push_back({suite.operation(), &property, backend});
      }
    }
  }
  return jobs;
}

namespace {

std::vector<std::size_t> one_after_the_other(const std::vector<Job>& jobs) {
  std::vector<std::size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

/// One job of every operation and backend, then a second one of each: a budget that ends early has looked at
/// all of them.
std::vector<std::size_t> in_turns(const std::vector<Job>& jobs) {
  std::map<std::pair<std::string, Backend>, int> seen;
  std::vector<int> turn;
  for (const Job& job : jobs) turn.push_back(seen[{job.operation, job.backend}]++);
  std::vector<std::size_t> order = one_after_the_other(jobs);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return turn[a] < turn[b]; });
  return order;
}

}  // namespace

std::vector<CheckResult> run_jobs(const std::vector<Job>& jobs, const RunOptions& options,
                                  std::optional<std::chrono::duration<double>> budget, const Runner& runner,
                                  const Progress& progress) {
  const auto start = Clock::now();
  std::vector<CheckResult> results(jobs.size());
  const auto left = [&] { return budget->count() - seconds_since(start); };
  std::size_t done = 0;
  for (const std::size_t i : budget ? in_turns(jobs) : one_after_the_other(jobs)) {
    const Job& job = jobs[i];
    if (budget && left() <= 0) {
      results[i].operation = job.operation;
      results[i].property = job.property->name;
      results[i].backend = name_of(job.backend);
      results[i].seed = options.seed;
      results[i].message = "the budget left no time for it";
    } else {
      RunOptions first = options;
      if (budget) first.cases_scale = 0.1;
      results[i] = runner(job, first);
    }
    if (progress) progress(results[i], ++done, jobs.size());
  }
  if (!budget) return results;
  // Further turns with fresh seeds: fixed checks (one case) stay at their one run, and a red needs no second.
  std::vector<double> last_seconds(jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) last_seconds[i] = results[i].elapsed_ms * 1e-3;
  for (std::uint64_t turn = 1;; ++turn) {
    bool ran = false;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (jobs[i].property->cases <= 1 || results[i].verdict != Verdict::pass || last_seconds[i] > left())
        continue;
      RunOptions next = options;
      next.cases_scale = 0.1;
      next.controls = false;
      next.seed = seed_of_turn(options.seed, turn);
      CheckResult again = runner(jobs[i], next);
      last_seconds[i] = again.elapsed_ms * 1e-3;
      merge(results[i], std::move(again));
      ran = true;
    }
    if (!ran) return results;
  }
}

}  // namespace assay::validation
