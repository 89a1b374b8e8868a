#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/sampling_cases.hpp"
#include "ci/program/sampling_chain.hpp"
#include "engine/io/npy.hpp"
#include "engine/logits/rows.hpp"
#include "engine/tensors/half.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

[[noreturn]] void refuse_file(const std::string& path, const std::string& what) {
  throw Failure(ExitCode::usage, path + ": " + what);
}

std::vector<float> logits_in_npy(const std::string& path) {
  const Tensor array = value_or_fail(io::read_npy(path));
  const Shape& shape = array.shape();
  if (shape.size() != 1 && !(shape.size() == 2 && shape[0] == 1))
    refuse_file(path, "has shape " + to_string(shape) + ", expected one row of logits");
  const auto count = static_cast<std::size_t>(array.elements());
  std::vector<float> logits(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (array.dtype() == DType::f32)
      logits[i] = array.as<float>()[i];
    else if (array.dtype() == DType::f64)
      logits[i] = static_cast<float>(array.as<double>()[i]);
    else if (array.dtype() == DType::f16)
      logits[i] = to_float(array.as<Half>()[i]);
    else
      refuse_file(path, "holds " + std::string(name_of(array.dtype())) + ", expected floating-point numbers");
  }
  return logits;
}

std::vector<float> logits_in_json(const std::string& path) {
  std::ifstream file(path);
  if (!file) refuse_file(path, "cannot be read");
  std::stringstream text;
  text << file.rdbuf();
  nlohmann::json document = nlohmann::json::parse(text.str(), nullptr, false);
  if (document.is_object() && document.contains("logits")) document = document["logits"];
  if (!document.is_array()) refuse_file(path, "expected a JSON array of logits");
  std::vector<float> logits;
  for (const auto& value : document) {
    if (value.is_number())
      logits.push_back(value.get<float>());
    else if (value == "-inf")
      logits.push_back(-std::numeric_limits<float>::infinity());
    else
      refuse_file(
          path, fmt::format("element {} is {}, expected a number or \"-inf\"", logits.size(), value.dump()));
  }
  return logits;
}

std::vector<float> read_logits(const std::string& path) {
  std::vector<float> logits = io::is_npy_name(path) ? logits_in_npy(path) : logits_in_json(path);
  const auto count = static_cast<std::int64_t>(logits.size());
  if (count < 1 || count > logits::most_tokens)
    refuse_file(path, fmt::format("holds {} logits, expected 1 to {}", count, logits::most_tokens));
  return logits;
}

std::vector<std::int32_t> previous_of(const Invocation& invocation, std::size_t tokens) {
  std::vector<std::int32_t> previous;
  for (const std::int64_t id : invocation.integers("previous", 0, static_cast<std::int64_t>(tokens) - 1))
    previous.push_back(static_cast<std::int32_t>(id));
  return previous;
}

int sample_cases(Invocation& invocation) {
  for (const char* option : {"logits", "chain", "preset", "previous", "probs", "draws"})
    if (invocation.given(option)) invocation.refuse(option, "goes without --cases");
  ChosenBackend chosen = choose_backend(invocation, required_operation("sampling.chain"));
  const int bad = answer_sampling_cases(invocation.text("cases"), chosen,
                                        [&](const std::string& line) { invocation.print(line + "\n"); });
  if (bad == 0) return code_of(ExitCode::ok);
  throw Failure(ExitCode::usage, fmt::format("{} lines of {} are no cases", bad, invocation.text("cases")));
}

std::string chain_of(const Invocation& invocation) {
  if (!invocation.given("preset")) return invocation.maybe_text("chain").value_or("");
  if (invocation.given("chain")) invocation.refuse("preset", "goes without --chain");
  return preset_chain(invocation.choice("preset", preset_names()));
}

int run_sample(Invocation& invocation) {
  if (invocation.given("cases")) return sample_cases(invocation);
  if (!invocation.given("logits")) throw Failure(ExitCode::usage, "expected --logits FILE or --cases FILE");
  const std::vector<SamplingStep> steps = parse_chain(chain_of(invocation));
  const std::vector<float> logits = read_logits(invocation.text("logits"));
  const std::vector<std::int32_t> previous = previous_of(invocation, logits.size());
  ChosenBackend chosen = choose_backend(invocation, required_operation("sampling.chain"));
  const Survivors survivors = apply_chain(chosen, logits, previous, steps);

  if (invocation.flag("probs")) {
    if (invocation.given("draws")) invocation.refuse("draws", "goes without --probs");
    nlohmann::ordered_json tokens = nlohmann::ordered_json::array();
    std::string text;
    for (const TokenShare& share : shares_of(survivors)) {
      tokens.push_back({{"id", share.id}, {"p", share.p}});
      text += fmt::format("{:>8}  {:.9f}\n", share.id, share.p);
    }
    if (invocation.json())
      invocation.print_json({{"tokens", tokens}});
    else
      invocation.print(text);
    return code_of(ExitCode::ok);
  }
  const std::int64_t draws = invocation.integer("draws", 1, 100'000'000);
  std::map<std::int32_t, std::int64_t> counts;
  for (const std::int32_t token : draw_tokens(chosen, survivors, draws, invocation.seed())) ++counts[token];
  if (counts.contains(-1) || counts.empty())
    throw Failure(ExitCode::usage,
                  invocation.text("logits") + ": no token can be drawn, all that are left are at -inf");
  nlohmann::ordered_json document{{"counts", nlohmann::ordered_json::object()}};
  std::string text;
  for (const auto& [token, count] : counts) {
    document["counts"][std::to_string(token)] = count;
    text += invocation.given("draws") ? fmt::format("{:>8}  {}\n", token, count) : fmt::format("{}\n", token);
  }
  if (invocation.json())
    invocation.print_json(document);
  else
    invocation.print(text);
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_sample() {
  Command command;
  command.path = "sample";
  command.summary = "Filter logits and draw tokens: exact, and the same on every backend";
  command.examples = R"(Examples:
  assay sample --logits logits.json --chain "repetition=1.1,top_k=40,top_p=0.95,min_p=0.05,temperature=0.8" --previous 1,2,3
  assay sample --logits logits.npy --preset standard --draws 1000 --seed 7 --json
  assay sample --logits logits.json --chain top_p=0.9 --probs --json
  assay sample --cases cases.jsonl
Filters apply in the order given: repetition, presence, frequency and last_n (beside each other they are one step), top_k,
top_p, min_p, typical, temperature. top_k of 0, top_p and typical of 1, min_p of 0 keep all; temperature 0 is greedy.
Presets: greedy, standard, creative, precise, min-p.
Exit codes: 0 drawn, 2 bad input (with --cases after all lines, each with its answer or an "error"), 6 no case.)";
  command.options = {{"logits", "FILE", "one row: a JSON array (\"-inf\" as a string), or .npy"},
                     {"chain", "LIST", "filters and their values, in order"},
                     {"preset", "NAME", "a chain by name: greedy, standard, creative, precise or min-p"},
                     {"previous", "IDS", "tokens seen, for the penalties: 1,2,3, the oldest first"},
                     {"probs", "", "probabilities of what is left instead of a draw"},
                     {"draws", "N", "so many draws, at positions 0, 1, 2, ... of the seed", "1"},
                     {"cases", "FILE.jsonl", "answers cases instead, a JSON line each"}};
  command.run = run_sample;
  return command;
}

}  // namespace assay::program
