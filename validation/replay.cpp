#include "validation/replay.hpp"

#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/io/atomic_write.hpp"
#include "engine/io/bytes.hpp"
#include "validation/golden.hpp"

namespace assay::validation {

namespace {

InputError error(InputError::Code code, std::string message) {
  return {code, std::move(message), {}, {}, {}};
}

ReplayOutcome outcome_of(const Replay& replay, CheckResult check) {
  ReplayOutcome outcome;
  outcome.check = std::move(check);
  const auto& again = outcome.check.replay;
  const bool failed = outcome.check.verdict == Verdict::fail;
  outcome.same = failed && again && again->message == replay.message &&
                 again->counterexample == replay.counterexample &&
                 // a file of an older version has none
                 (replay.fingerprint.empty() || again->fingerprint == replay.fingerprint);
  const std::string said = outcome.check.message.substr(0, outcome.check.message.find('\n'));
  if (outcome.same)
    outcome.summary = "the same failure: " + said;
  else if (is_red(outcome.check.verdict))
    outcome.summary = "another failure: " + said;
  else if (outcome.check.verdict == Verdict::pass)
    outcome.summary = "the case passes now";
  else
    outcome.summary = fmt::format("{}: {}", name_of(outcome.check.verdict), outcome.check.message);
  return outcome;
}

}  // namespace

Result<std::string> write_replay(const Replay& replay, const std::string& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return error(InputError::Code::write_failed, folder + ": " + code.message());
  std::string name =
      fmt::format("{}.{}.{}.{}.json", replay.operation, replay.property, replay.backend, replay.seed);
  for (char& letter : name) {
    if (letter == '/' || letter == ' ') letter = '-';
  }
  const std::string path = (std::filesystem::path(folder) / name).string();
  const std::string text =
      nlohmann::json(replay).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const auto written = io::write_file(path, {text});
  if (!written) return written.error();
  return path;
}

Result<Replay> read_replay(const std::string& path) {
  const auto bytes = io::read_file(path);
  if (!bytes) return bytes.error();
  try {
    return nlohmann::json::parse(bytes.value().view()).get<Replay>();
  } catch (const nlohmann::json::parse_error& problem) {
    return error(InputError::Code::malformed, fmt::format("{}: no JSON at byte {}", path, problem.byte));
  } catch (const nlohmann::json::exception& problem) {
    return error(InputError::Code::malformed, fmt::format("{}: not a replay file: {}", path, problem.what()));
  }
}

Result<ReplayOutcome> run_replay(const Replay& replay, const std::vector<Suite>& suites, RunOptions options,
                                 const Runner& runner) {
  Backend backend;
  try {
    backend = parse_backend(replay.backend);
  } catch (const std::invalid_argument&) {
    return error(InputError::Code::malformed,
                 "replay: backend '" + replay.backend + "'; expected cpu, cuda or reference");
  }
  options.seed = replay.seed;
  options.controls = false;
  if (options.threads == 0) options.threads = replay.threads;
  options.fixed_schedule = replay.fixed_schedule;
  if (!replay.golden.empty()) {
    const auto folder = read_golden(replay.golden);
    if (!folder) return folder.error();
    for (const GoldenCase& item : folder.value().cases) {
      if (item.id == replay.property)
        return outcome_of(replay, run_golden_case(folder.value(), item, backend, options));
    }
    return error(InputError::Code::not_found,
                 fmt::format("{}: holds no case '{}' any more", replay.golden, replay.property));
  }
  options.reproduce = replay.reproduce;
  for (const Suite& suite : suites) {
    if (suite.operation() != replay.operation) continue;
    for (const Property& property : suite.properties()) {
      if (property.name != replay.property) continue;
      try {
        return outcome_of(replay, runner({suite.operation(), &property, backend}, options));
      } catch (const std::exception& problem) {
        return error(InputError::Code::malformed, std::string("replay: ") + problem.what());
      }
    }
  }
  return error(InputError::Code::not_found,
               fmt::format("this program has no property {}/{}", replay.operation, replay.property));
}

}  // namespace assay::validation
