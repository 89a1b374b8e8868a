#include "ci/program/sampling_cases.hpp"

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ci/program/failure.hpp"
#include "ci/program/sampling_chain.hpp"
#include "engine/analysis/splitmix.hpp"
#include "engine/logits/rows.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

using nlohmann::json;

constexpr std::size_t most_listed = 256;

[[noreturn]] void refuse(const std::string& what) {
  throw std::invalid_argument(what);
}

/// Values in [-scale, scale), exact in float.
std::vector<float> generated(const json& generator, std::int64_t count) {
  if (generator.value("kind", "") != "splitmix64") refuse("logits_gen: kind, expected splitmix64");
  analysis::SplitMix64 random(generator.at("seed").get<std::uint64_t>());
  const double scale = generator.at("scale").get<double>();
  std::vector<float> logits;
  for (std::int64_t i = 0; i < count; ++i)
    logits.push_back(
        static_cast<float>((static_cast<double>(random.next() >> 40) * 0x1p-24 * 2 - 1) * scale));
  return logits;
}

float logit_of(const json& value) {
  if (value.is_number()) return value.get<float>();
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  if (text == "-inf") return -std::numeric_limits<float>::infinity();
  if (text == "inf" || text == "+inf") return std::numeric_limits<float>::infinity();
  if (text == "nan") return std::numeric_limits<float>::quiet_NaN();
  refuse("logits: " + value.dump() + ", expected a number or \"-inf\"");
}

std::vector<float> logits_of(const json& document) {
  std::vector<float> logits;
  if (document.contains("logits")) {
    if (!document["logits"].is_array()) refuse("logits: expected an array");
    for (const json& value : document["logits"]) logits.push_back(logit_of(value));
  } else if (document.contains("logits_gen")) {
    const auto count = document.at("n_vocab").get<std::int64_t>();
    if (count < 1 || count > logits::most_tokens)
      refuse(fmt::format("n_vocab: {}, expected 1 to {}", count, logits::most_tokens));
    logits = generated(document["logits_gen"], count);
  } else {
    refuse("logits: is missing, and so is logits_gen");
  }
  const auto count = static_cast<std::int64_t>(logits.size());
  if (count < 1 || count > logits::most_tokens)
    refuse(fmt::format("logits: {} values, expected 1 to {}", count, logits::most_tokens));
  return logits;
}

double number_in(const json& step, const char* name, double otherwise) {
  if (!step.contains(name)) return otherwise;
  const double value = step[name].is_number() ? step[name].get<double>() : std::nan("");
  if (std::isnan(value)) refuse(fmt::format("chain: {}: {}, expected a number", name, step[name].dump()));
  return value;
}

SamplingStep step_of(const json& step) {
  const std::string op = step.value("op", "");
  SamplingStep made;
  made.min_keep = static_cast<std::int64_t>(number_in(step, "min_keep", 0));
  if (op == "penalties") {
    made.step = "penalties";
    made.last_n = static_cast<std::int64_t>(number_in(step, "last_n", 0));
    made.last_n_given = true;
    made.repetition = number_in(step, "repeat", 1);
    made.frequency = number_in(step, "freq", 0);
    made.presence = number_in(step, "present", 0);
    if (!(made.repetition > 0)) refuse("chain: repeat: expected a number above 0");
  } else if (op == "temp") {
    made.step = "temperature";
    made.value = number_in(step, "t", 1);
  } else if (op == "top_k") {
    made.step = op;
    made.value = number_in(step, "k", 0);
    if (made.value != std::floor(made.value) || std::fabs(made.value) > 2147483647)
      refuse("chain: k: expected a whole number");
  } else if (op == "top_p" || op == "min_p" || op == "typical") {
    made.step = op;
    made.value = number_in(step, "p", op == "min_p" ? 0 : 1);
    if (op == "min_p" && made.value > 1)
      refuse(fmt::format("chain: min_p: {}, expected at most 1", made.value));
  } else {
    refuse("chain: op '" + op + "', expected penalties, top_k, top_p, min_p, typical, temp or greedy");
  }
  return made;
}

json answer(const json& document, ChosenBackend& chosen) {
  if (!document.is_object()) refuse("expected an object");
  const std::vector<float> logits = logits_of(document);
  std::vector<std::int32_t> history;
  for (const json& id : document.value("history", json::array())) {
    const auto value = id.get<std::int64_t>();
    if (value < 0 || value >= static_cast<std::int64_t>(logits.size()))
      refuse(fmt::format("history: {}, expected ids below {}", value, logits.size()));
    history.push_back(static_cast<std::int32_t>(value));
  }
  std::vector<SamplingStep> steps;
  bool greedy = false;
  for (const json& step : document.at("chain")) {
    if (greedy) refuse("chain: greedy is not the last");
    greedy = step.value("op", "") == "greedy";
    if (!greedy) steps.push_back(step_of(step));
  }
  const Survivors survivors = apply_chain(chosen, logits, history, steps);
  json out{{"id", document.value("id", json())}};
  if (greedy) {
    out["selected"] = greedy_token(survivors);
    return out;
  }
  out["n_survivors"] = survivors.ids.size();
  out["survivors"] = json::array();
  for (const TokenShare& share : shares_of(survivors)) {
    if (out["survivors"].size() == most_listed) break;
    out["survivors"].push_back({{"id", share.id}, {"p", share.p}});
  }
  return out;
}

}  // namespace

int answer_sampling_cases(const std::string& path, ChosenBackend& chosen,
                          const std::function<void(const std::string&)>& print) {
  std::ifstream file(path);
  if (!file) throw Failure(ExitCode::usage, path + ": cannot be read");
  int bad = 0;
  std::int64_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::string problem;
    try {
      print(answer(json::parse(line), chosen).dump());
      continue;
    } catch (const json::parse_error& error) {
      problem = fmt::format("no JSON at byte {}", error.byte);
    } catch (
        const std::exception& error) {  // a value that is missing or of another type, a refused parameter
      problem = error.what();
    }
    ++bad;
    print(json{{"error", fmt::format("{}:{}: {}", path, number, problem)}}.dump());
  }
  if (number == 0) throw Failure(ExitCode::vacuous, path + ": holds no case");
  return bad;
}

}  // namespace assay::program
