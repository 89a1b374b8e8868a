#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "ci/program/checking.hpp"
#include "ci/program/comparing.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/machine_lock.hpp"
#include "engine/runtime/device.hpp"
#include "fmt/format.h"

namespace assay::program {

std::vector<Option> comparison_options() {
  return {
      {"op", "GLOB", "only operations whose name matches"},
      {"measures", "LIST", "of wall, cpu and instructions, those that the machine gives",
       "wall,cpu,instructions"},
      {"blocks", "N", "blocks of four processes; half of them for `same`, at most 40", "20"},
      {"longest", "S", "cases whose call takes longer in the base are left out", "0.02"},
      {"budget", "TIME", "90s, 10m: spends the blocks where they decide most; by default all that it takes"},
      {"counted", "",
       "instead of times the instructions of a call, counted by Valgrind: exact on a busy machine too"},
      lock_option()};
}

ComparisonPlan comparison_plan(const Invocation& invocation) {
  ComparisonPlan plan;
  plan.pattern = invocation.maybe_text("op").value_or("");
  const std::string backend = invocation.choice("backend", {"auto", "cpu", "cuda"});
  plan.backend = backend == "auto" ? (cuda_available() ? "cuda" : "cpu") : backend;
  // Threads of one process wait for each other and for CPUs that others use: one is steadier.
  plan.threads =
      invocation.given("threads")
          ? static_cast<unsigned>(std::max<std::int64_t>(1, invocation.integer("threads", 0, 4096)))
          : 1;
  plan.device = static_cast<int>(invocation.integer("device", 0, 1 << 20));
  plan.seed = invocation.seed();
  plan.measures = split_list(invocation.text("measures"));
  for (const std::string& measure : plan.measures)
    if (measure != "wall" && measure != "cpu" && measure != "instructions")
      invocation.refuse("measures", "'" + measure + "', expected some of wall, cpu, instructions");
  if (plan.measures.empty())
    invocation.refuse("measures", "names none, expected some of wall, cpu, instructions");
  plan.rule.blocks = static_cast<std::size_t>(
      invocation.integer("blocks", 2, static_cast<std::int64_t>(reports::most_differences)));
  plan.counted = invocation.flag("counted");
  if (plan.counted) {
    if (plan.backend != "cpu") invocation.refuse("counted", "is for the cpu backend");
    if (plan.threads != 1) invocation.refuse("counted", "goes with one thread: others are not counted");
    for (const char* const option : {"budget", "blocks", "measures", "checkpoint"})
      if (invocation.given(option)) invocation.refuse(option, "goes with times, not with --counted");
  }
  plan.longest_call = invocation.real("longest", 1e-6, 3600);
  if (const auto budget = invocation.maybe_text("budget")) {
    const auto seconds = parse_duration(*budget);
    if (!seconds) invocation.refuse("budget", "'" + *budget + "', expected a time such as 90s, 10m or 1h");
    plan.budget = seconds->count();
  }
  return plan;
}

ComparedProgram compared_program(const std::string& path, const std::string& role) {
  std::error_code problem;
  if (!std::filesystem::exists(path, problem)) throw Failure(ExitCode::usage, path + ": no such file");
  if (std::filesystem::is_directory(path, problem))
    throw Failure(ExitCode::usage, path + ": is a folder, expected an `assay` program");
  if (::access(path.c_str(), X_OK) != 0)
    throw Failure(ExitCode::usage, path + ": cannot be run, expected a program");
  return {std::filesystem::absolute(path, problem).string(), role, {}};
}

nlohmann::ordered_json comparison_json(const Comparison& comparison, bool strict) {
  const auto finite = [](double value) {
    return std::isfinite(value) ? nlohmann::ordered_json(value) : nullptr;
  };
  nlohmann::ordered_json document{{"exit_code", comparison.result.exit_code(strict)},
                                  {"headline", comparison.result.headline()},
                                  {"rule", comparison.result.rule},
                                  {"code", comparison.identity},
                                  {"same_code", comparison.result.identical},
                                  {"series", comparison.result.series},
                                  {"blocks", comparison.blocks},
                                  {"seconds", comparison.seconds},
                                  {"cpu_used_by_others", comparison.others},
                                  {"missing_measures", comparison.missing}};
  document["verdicts"] = nlohmann::ordered_json::object();
  document["items"] = nlohmann::ordered_json::array();
  for (const reports::ComparisonItem& item : comparison.result.items) {
    nlohmann::ordered_json entry{
        {"verdict", reports::to_string(item.verdict)}, {"case", item.name}, {"reason", item.reason}};
    if (!item.measure.empty()) {
      entry["measure"] = item.measure;
      entry["blocks"] = item.blocks;
      entry["blocks_to_confirm"] = item.fresh_blocks;
      entry["unit"] = item.unit;
      entry["base"] = item.base;
      entry["candidate"] = item.candidate;
      entry["ratio"] = item.ratio ? nlohmann::ordered_json(*item.ratio) : nullptr;
      if (item.interval)
        entry[comparison.result.counted ? "interval_of_processes" : "interval_95_unadjusted"] = {
            item.interval->low, item.interval->high};
      entry["p_slower_holm"] = item.slower_p;
      entry["p_faster_holm"] = item.faster_p;
      if (item.equivalence_p) entry["p_equivalence"] = *item.equivalence_p;
      entry["smallest_visible"] = finite(item.smallest_visible);
      entry["alarmed"] = item.alarmed;
    }
    document["items"].push_back(std::move(entry));
    auto& count = document["verdicts"][std::string(reports::to_string(item.verdict))];
    count = count.is_null() ? 1 : count.get<int>() + 1;
  }
  return document;
}

}  // namespace assay::program
