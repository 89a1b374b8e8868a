#include "ci/program/comparing.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <set>
#include <type_traits>

#include "ci/program/compare_checkpoint.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/load_meter.hpp"
#include "ci/program/program_identity.hpp"
#include "fmt/format.h"
#include "reports/statistics.hpp"

namespace assay::program {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// Samples of a case that a process in turns takes: twice those of the first process, within limits.
constexpr int fewest_in_turns = 7, most_in_turns = 15;

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
    options_.arguments = {"--backend", plan.backend,
                          "--threads", std::to_string(plan.threads),
                          "--seed",    std::to_string(plan.seed),
                          "--device",  std::to_string(plan.device)};
    options_.threads = plan.threads;
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
      const json first = look_at_both();
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

  std::vector<std::string> by_name() const {
    std::vector<std::string> more;
    if (!plan_.pattern.empty()) more = {"--op", plan_.pattern};
    return more;
  }

  /// The first process of each program: which cases there are, whether their answers are right, how long they
  /// take. Not used for times.
  json look_at_both() {
    const auto start = Clock::now();
    console_.note("checking the answers of both programs");
    double base_start = 0, candidate_start = 0;
    bool base_turns = false, candidate_turns = false;
    const auto of_base = cases_of(plan_.base, options_, by_name(), &base_start, &base_turns);
    const auto of_candidate =
        cases_of(plan_.candidate, options_, by_name(), &candidate_start, &candidate_turns);
    const std::set<std::string> listed(of_candidate.begin(), of_candidate.end());
    std::vector<std::string> both;
    for (const std::string& name : of_base)
      if (listed.contains(name)) both.push_back(name);
    json step{{"first", true},
              {"start_seconds", std::max(base_start, candidate_start)},
              {"turns", base_turns && candidate_turns}};
    ProcessOnce base, candidate;
    if (!both.empty()) {
      base = run_process(plan_.base, options_, both,
                         {"--check", "--longest", fmt::format("{}", plan_.longest_call)});
      // What is short enough in the base is measured in the candidate, however slow it has become.
      std::vector<std::string> kept;
      for (const std::string& name : both)
        if (base.cases.contains(name) && !(base.cases.at(name).left_out > 0)) kept.push_back(name);
      if (!kept.empty())
        candidate = run_process(plan_.candidate, options_, kept, {"--check", "--longest", "0"});
    }
    step["missing"] = base.missing;
    for (const auto& [name, why] : candidate.missing) step["missing"][name] = why;
    step["cases"] = json::array();
    for (const std::string& name : of_base)
      step["cases"].push_back(listed.contains(name) ? described(name, base, candidate)
                                                    : json{{"name", name}, {"presence", "base"}});
    const std::set<std::string> known(of_base.begin(), of_base.end());
    for (const std::string& name : of_candidate)
      if (!known.contains(name)) step["cases"].push_back({{"name", name}, {"presence", "candidate"}});
    step["seconds"] = seconds_since(start);
    return step;
  }

  json described(const std::string& name, const ProcessOnce& base, const ProcessOnce& candidate) const {
    json out{{"name", name}, {"presence", "both"}};
    const auto in_base = base.cases.find(name), in_candidate = candidate.cases.find(name);
    if (in_base == base.cases.end())
      return out.update({{"invalid", "the base listed it and did not measure it"}}), out;
    if (in_base->second.left_out > 0) {
      out["left_out"] = fmt::format("one call takes {:.3g} ms, at most {:.3g} (--longest)",
                                    1e3 * in_base->second.left_out, 1e3 * plan_.longest_call);
      return out;
    }
    if (in_candidate == candidate.cases.end())
      return out.update({{"invalid", "the candidate listed it and did not measure it"}}), out;
    const CaseOnce &a = in_base->second, &b = in_candidate->second;
    if (!a.failure.empty() || !b.failure.empty()) {
      out["wrong"] = a.failure.empty() ? "candidate: " + b.failure : "base: " + a.failure;
      return out;
    }
    out["seconds"] = std::max(a.seconds, b.seconds);
    out["answers"] = {a.answer, b.answer};
    out["launches"] = {a.launches, b.launches};
    out["samples"] = std::clamp(2 * a.samples, fewest_in_turns, most_in_turns);
    out["resolutions"] = json::object();
    for (const std::string& measure : plan_.measures)
      if (a.medians.contains(measure) && b.medians.contains(measure))
        out["resolutions"][measure] =
            std::max(a.resolutions.contains(measure) ? a.resolutions.at(measure) : 0.0,
                     b.resolutions.contains(measure) ? b.resolutions.at(measure) : 0.0);
    if (out["resolutions"].empty()) out["invalid"] = "neither program gives any of the measures asked for";
    return out;
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
    for (const json& entry : step.at("cases")) {
      reports::ComparedCase& item = made_.cases.emplace_back();
      item.name = entry.at("name");
      const std::string presence = entry.at("presence");
      item.presence = presence == "both"   ? reports::Presence::both
                      : presence == "base" ? reports::Presence::base_only
                                           : reports::Presence::candidate_only;
      item.left_out = entry.value("left_out", "");
      item.wrong = entry.value("wrong", "");
      item.invalid = entry.value("invalid", "");
      item.seconds = entry.value("seconds", 0.0);
      if (entry.contains("answers")) {
        answers_[item.name] = {entry["answers"][0], entry["answers"][1]};
        samples_[item.name] = entry["samples"];
        item.answers_differ = entry["answers"][0] != entry["answers"][1];
        item.same_launches = entry["launches"][0] == entry["launches"][1];
      }
      for (const auto& [measure, resolution] : entry.value("resolutions", std::map<std::string, double>{})) {
        item.measures[measure].resolution = resolution;
        item.measures[measure].unit = measure == "instructions" ? "instructions" : "ns";
      }
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
  return Comparer(plan, console, title).run();
}

}  // namespace assay::program
