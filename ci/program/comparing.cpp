#include "ci/program/comparing.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <type_traits>

#include "ci/program/compare_checkpoint.hpp"
#include "ci/program/compare_first_look.hpp"
#include "ci/program/counting.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/load_meter.hpp"
#include "ci/program/program_identity.hpp"
#include "fmt/format.h"
#include "reports/statistics.hpp"

namespace assay::program {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// splitmix64 (Steele, Lea, Flood 2014) of a seed and two counters: whether a block begins with the
/// candidate.
bool candidate_first(std::uint64_t seed, bool fresh, std::uint64_t block) {
  std::uint64_t z = seed + 0x9e3779b97f4a7c15ULL * (2 * block + (fresh ? 2 : 1));
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return ((z ^ (z >> 31)) & 1) != 0;
}

class Comparer {
 public:
  Comparer(const ComparisonPlan& plan, const Console& console, const std::string& title)
      : plan_(plan), console_(console), title_(title) {
    options_ = process_options(plan);
    const CodeIdentity identity = compare_code(plan.base.path, plan.candidate.path);
    identical_ = identity.equal;
    made_.identity = identity.how;
  }

  Comparison run() {
    CompareCheckpoint checkpoint(plan_.checkpoint, header());
    for (const json& step : checkpoint.steps()) take(step);
    if (!checkpoint.steps().empty())
      console_.note(fmt::format("{}: goes on after {} blocks", plan_.checkpoint, made_.blocks));
    if (checkpoint.steps().empty()) {
      console_.note("checking the answers of both programs");
      const json first = look_at_both(plan_, options_);
      checkpoint.append(first);
      take(first);
    }
    refuse_what_cannot_reject();
    const double longest =
        reports::longest_seconds(made_.cases, plan_.rule, {plan_.budget, made_.seconds, process_seconds_});
    if (longest > 0)
      console_.note(fmt::format("{} at most, and as much again for what changes", duration_text(longest)));
    ProgressLine line(console_, title_);
    std::string stopped;
    for (;;) {
      const reports::Budget budget{plan_.budget, made_.seconds, process_seconds_};
      const reports::Plan next = reports::plan_comparison(made_.cases, plan_.rule, identical_, budget);
      stopped = next.stopped;
      if (!next.next) break;
      show(line, *next.next);
      const json step = measure(*next.next);
      checkpoint.append(step);
      take(step);
    }
    made_.result = reports::judge_comparison(made_.cases, plan_.rule, identical_, stopped);
    made_.others = others_.empty() ? 0 : reports::median(others_);
    return std::move(made_);
  }

 private:
  json header() const {
    const auto side = [](const ComparedProgram& program) {
      return json{{"code", code_digest(program.path)}, {"environment", program.environment}};
    };
    return json{{"comparison", 1},
                {"base", side(plan_.base)},
                {"candidate", side(plan_.candidate)},
                {"operations", plan_.pattern},
                {"arguments", options_.arguments},
                {"measures", plan_.measures},
                {"longest", plan_.longest_call},
                {"blocks", plan_.rule.blocks},
                {"identity", plan_.rule.identity}};
  }

  void take(const json& step) {
    made_.seconds += step.value("seconds", 0.0);
    if (step.contains("first"))
      take_first(step);
    else
      take_block(step);
  }

  void take_first(const json& step) {
    process_seconds_ = step.value("start_seconds", 0.0);
    turns_ = step.value("turns", false);
    made_.missing = step.value("missing", made_.missing);
    made_.cases = cases_in(step);
    for (const json& entry : step.at("cases")) {
      if (!entry.contains("answers")) continue;
      const std::string name = entry.at("name");
      answers_[name] = {entry["answers"][0], entry["answers"][1]};
      samples_[name] = entry["samples"];
    }
  }

  void take_block(const json& step) {
    const bool fresh = step.at("fresh");
    ++made_.blocks;
    others_.push_back(step.value("others", 0.0));
    for (reports::ComparedCase& item : made_.cases) {
      const auto entry = step.at("cases").find(item.name);
      if (entry == step.at("cases").end()) continue;
      if (entry->is_string()) {
        item.invalid = *entry;
        continue;
      }
      for (auto& [measure, series] : item.measures) {
        (fresh ? series.fresh_base : series.base).push_back(entry->at(measure)[0]);
        (fresh ? series.fresh_candidate : series.candidate).push_back(entry->at(measure)[1]);
      }
    }
  }

  /// Too few blocks for the family: nothing could ever be rejected, so nothing would be said.
  void refuse_what_cannot_reject() const {
    std::size_t series = 0;
    for (const reports::ComparedCase& item : made_.cases)
      if (item.presence == reports::Presence::both && item.left_out.empty()) series += item.measures.size();
    if (series == 0) return;
    const std::size_t fewest = reports::fewest_blocks(series, plan_.rule);
    if (plan_.rule.blocks < fewest)
      throw Failure(
          ExitCode::usage,
          fmt::format("--blocks: {} can reject nothing among {} cases x measures (2^-{} is above {:g} / {}), "
                      "expected at least {}",
                      plan_.rule.blocks, series, plan_.rule.blocks, plan_.rule.family_rate, 2 * series,
                      fewest));
  }

  json measure(const reports::NextBlock& block) {
    std::vector<std::string> names;
    for (const std::size_t at : block.cases) names.push_back(made_.cases[at].name);
    const bool swapped = candidate_first(plan_.seed, block.fresh, block.index);
    const LoadMeter load;
    const auto start = Clock::now();
    std::vector<ProcessOnce> of_base, of_candidate;
    const std::array<bool, 4> candidates{swapped, !swapped, !swapped, swapped};
    std::vector<ProcessOnce> measured;
    if (turns_) {
      measured = run_block(candidates, names);
    } else {
      for (const bool candidate : candidates)
        measured.push_back(run_alone(candidate ? plan_.candidate : plan_.base, names));
    }
    for (std::size_t i = 0; i < candidates.size(); ++i)
      (candidates[i] ? of_candidate : of_base).push_back(std::move(measured[i]));
    json step{{"fresh", block.fresh}, {"block", block.index}, {"order", swapped ? "BAAB" : "ABBA"}};
    step["cases"] = json::object();
    for (const std::string& name : names) step["cases"][name] = values_of(name, of_base, of_candidate);
    step["seconds"] = seconds_since(start);
    step["others"] = load.others();
    return step;
  }

  /// All four at once, in turns.
  std::vector<ProcessOnce> run_block(const std::array<bool, 4>& candidates,
                                     const std::vector<std::string>& names) const {
    std::vector<const ComparedProgram*> programs;
    for (const bool candidate : candidates) programs.push_back(candidate ? &plan_.candidate : &plan_.base);
    std::vector<std::string> lines;
    for (const std::string& name : names) lines.push_back(name + '\t' + std::to_string(samples_.at(name)));
    return again_once([&] { return run_in_turns(programs, options_, lines, {"--longest", "0"}); });
  }

  ProcessOnce run_alone(const ComparedProgram& program, const std::vector<std::string>& names) const {
    return again_once([&] { return run_process(program, options_, names, {"--longest", "0"}); });
  }

  /// What fails is tried once more: failing twice ends the comparison.
  template <typename Run>
  std::invoke_result_t<Run> again_once(const Run& run) const {
    try {
      return run();
    } catch (const Failure& failure) {
      if (failure.code() != ExitCode::invalid) throw;
      console_.warn(std::string(failure.what()) + "; trying once more");
      return run();
    }
  }

  /// [base, candidate] by measure, or why they cannot be used.
  json values_of(const std::string& name, const std::vector<ProcessOnce>& base,
                 const std::vector<ProcessOnce>& candidate) const {
    const auto item = std::find_if(made_.cases.begin(), made_.cases.end(),
                                   [&](const reports::ComparedCase& one) { return one.name == name; });
    json out = json::object();
    for (const bool of_candidate : {false, true}) {
      const auto& processes = of_candidate ? candidate : base;
      const std::string who = of_candidate ? "candidate" : "base";
      const auto& answers = answers_.at(name);
      for (const auto& [measure, series] : item->measures) {
        std::vector<double> medians;
        for (const ProcessOnce& process : processes) {
          const auto found = process.cases.find(name);
          if (found == process.cases.end()) return "the " + who + " did not measure it";
          const CaseOnce& one = found->second;
          if (!one.failure.empty()) return who + ": " + one.failure;
          if (one.answer != (of_candidate ? answers.second : answers.first))
            return "the answer of the " + who + " differs from that of its first process";
          const auto value = one.medians.find(measure);
          if (value == one.medians.end() || !(value->second > 0) || !std::isfinite(value->second))
            return "the " + who + " gave no " + measure;
          medians.push_back(value->second);
        }
        out[measure].push_back(reports::median(medians));
      }
    }
    return out;
  }

  void show(ProgressLine& line, const reports::NextBlock& block) const {
    const auto total = static_cast<std::int64_t>(
        block.index < plan_.rule.interim() && !block.fresh ? plan_.rule.interim() : plan_.rule.blocks);
    line.update(static_cast<std::int64_t>(block.index), total,
                fmt::format("{}block {} of {}, {} cases", block.fresh ? "to confirm, " : "", block.index + 1,
                            total, block.cases.size()));
  }

  const ComparisonPlan& plan_;
  const Console& console_;
  std::string title_;
  ProcessOptions options_;
  Comparison made_;
  bool identical_ = false;
  bool turns_ = false;  // both programs' processes take turns
  double process_seconds_ = 0;
  std::map<std::string, std::pair<std::string, std::string>> answers_;
  std::map<std::string, int> samples_;
  std::vector<double> others_;
};

}  // namespace

Comparison run_comparison(const ComparisonPlan& plan, const Console& console, const std::string& title) {
  return plan.counted ? count_both(plan, console) : Comparer(plan, console, title).run();
}

}  // namespace assay::program
