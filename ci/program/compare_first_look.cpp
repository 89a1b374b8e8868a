#include "ci/program/compare_first_look.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include "fmt/format.h"

namespace assay::program {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// Samples of a case that a process in turns takes: twice those of the first process, within limits.
constexpr int fewest_in_turns = 7, most_in_turns = 15;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

json described(const ComparisonPlan& plan, const std::string& name, const ProcessOnce& base,
               const ProcessOnce& candidate) {
  json out{{"name", name}, {"presence", "both"}};
  const auto in_base = base.cases.find(name), in_candidate = candidate.cases.find(name);
  if (in_base == base.cases.end())
    return out.update({{"invalid", "the base listed it and did not measure it"}}), out;
  if (in_base->second.left_out > 0) {
    out["left_out"] = fmt::format("one call takes {:.3g} ms, at most {:.3g} (--longest)",
                                  1e3 * in_base->second.left_out, 1e3 * plan.longest_call);
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
  out["planted_steps"] = {a.planted_steps, b.planted_steps};
  out["samples"] = std::clamp(2 * a.samples, fewest_in_turns, most_in_turns);
  out["resolutions"] = json::object();
  for (const std::string& measure : plan.measures)
    if (a.medians.contains(measure) && b.medians.contains(measure))
      out["resolutions"][measure] =
          std::max(a.resolutions.contains(measure) ? a.resolutions.at(measure) : 0.0,
                   b.resolutions.contains(measure) ? b.resolutions.at(measure) : 0.0);
  if (out["resolutions"].empty()) out["invalid"] = "neither program gives any of the measures asked for";
  return out;
}

}  // namespace

ProcessOptions process_options(const ComparisonPlan& plan) {
  ProcessOptions options;
  options.arguments = {"--backend", plan.backend,
                       "--threads", std::to_string(plan.threads),
                       "--seed",    std::to_string(plan.seed),
                       "--device",  std::to_string(plan.device)};
  options.threads = plan.threads;
  return options;
}

json look_at_both(const ComparisonPlan& plan, const ProcessOptions& options) {
  const auto start = Clock::now();
  std::vector<std::string> by_name;
  if (!plan.pattern.empty()) by_name = {"--op", plan.pattern};
  double base_start = 0, candidate_start = 0;
  bool base_turns = false, candidate_turns = false;
  const auto of_base = cases_of(plan.base, options, by_name, &base_start, &base_turns);
  const auto of_candidate = cases_of(plan.candidate, options, by_name, &candidate_start, &candidate_turns);
  const std::set<std::string> listed(of_candidate.begin(), of_candidate.end());
  std::vector<std::string> both;
  for (const std::string& name : of_base)
    if (listed.contains(name)) both.push_back(name);
  json step{{"first", true},
            {"start_seconds", std::max(base_start, candidate_start)},
            {"turns", base_turns && candidate_turns}};
  ProcessOnce base, candidate;
  if (!both.empty()) {
    base =
        run_process(plan.base, options, both, {"--check", "--longest", fmt::format("{}", plan.longest_call)});
    // What is short enough in the base is measured in the candidate, however slow it has become.
    std::vector<std::string> kept;
    for (const std::string& name : both)
      if (base.cases.contains(name) && !(base.cases.at(name).left_out > 0)) kept.push_back(name);
    if (!kept.empty()) candidate = run_process(plan.candidate, options, kept, {"--check", "--longest", "0"});
  }
  step["missing"] = base.missing;
  for (const auto& [name, why] : candidate.missing) step["missing"][name] = why;
  step["cases"] = json::array();
  for (const std::string& name : of_base)
    step["cases"].push_back(listed.contains(name) ? described(plan, name, base, candidate)
                                                  : json{{"name", name}, {"presence", "base"}});
  const std::set<std::string> known(of_base.begin(), of_base.end());
  for (const std::string& name : of_candidate)
    if (!known.contains(name)) step["cases"].push_back({{"name", name}, {"presence", "candidate"}});
  step["seconds"] = seconds_since(start);
  return step;
}

std::vector<reports::ComparedCase> cases_in(const json& first_look) {
  std::vector<reports::ComparedCase> cases;
  for (const json& entry : first_look.at("cases")) {
    reports::ComparedCase& item = cases.emplace_back();
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
      item.answers_differ = entry["answers"][0] != entry["answers"][1];
      item.same_launches = entry["launches"][0] == entry["launches"][1];
    }
    for (const auto& [measure, resolution] : entry.value("resolutions", std::map<std::string, double>{})) {
      item.measures[measure].resolution = resolution;
      item.measures[measure].unit = measure == "instructions" ? "instructions" : "ns";
    }
  }
  return cases;
}

}  // namespace assay::program
