#include "ci/program/calibrating.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "engine/io/bytes.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

using nlohmann::json;

/// What the sampler's file says of one source, or of all.
struct Counts {
  std::int64_t killed = 0;  ///< by a failing property, a crash or its time
  std::int64_t survived = 0;
  std::int64_t equivalent = 0;  ///< shown to change nothing; counts nowhere
  std::int64_t invalid = 0;     ///< does not compile; counts nowhere
};

Counts counts_of(const json& entry) {
  Counts counts;
  counts.killed = entry.at("killed").get<std::int64_t>() + entry.value("timeout", std::int64_t{0});
  counts.survived = entry.at("survived").get<std::int64_t>();
  counts.equivalent = entry.value("equivalent", std::int64_t{0});
  counts.invalid = entry.value("invalid", std::int64_t{0});
  if (counts.killed < 0 || counts.survived < 0) throw std::invalid_argument("a count below 0");
  return counts;
}

reports::Calibration record_of(const std::string& source, const Counts& counts, const json& document) {
  reports::Calibration record;
  record.subject = reports::CalibrationSubject::mechanical;
  record.name = source;
  record.backend = "cpu";
  record.trials = counts.killed + counts.survived;
  record.failures = counts.survived;
  record.seed = document.value("seed", std::uint64_t{0});
  record.notes = {{"equivalent", std::to_string(counts.equivalent)},
                  {"invalid", std::to_string(counts.invalid)}};
  const std::string commit = document.value("commit", "");
  if (!commit.empty()) record.notes["commit"] = commit;
  return record;
}

std::vector<reports::Calibration> read_score(const std::string& path) {
  const auto bytes = io::read_file(path);
  if (!bytes) throw failure_of(bytes.error());
  try {
    const json document = json::parse(bytes.value().view());
    std::vector<reports::Calibration> records;
    const auto files = document.find("by_file");
    if (files != document.end()) {
      for (const auto& [source, entry] : files->items())
        records.push_back(record_of(source, counts_of(entry), document));
    } else {
      records.push_back(record_of("all sources", counts_of(document), document));
    }
    return records;
  } catch (const json::parse_error& problem) {
    throw Failure(ExitCode::usage, fmt::format("{}: no JSON at byte {}", path, problem.byte));
  } catch (const std::exception& problem) {
    throw Failure(ExitCode::usage, fmt::format("{}: not a result of validation/mechanical/sample.py: {}",
                                               path, problem.what()));
  }
}

int run_mechanical(Invocation& invocation) {
  const std::string path = invocation.positionals().at(0);
  const auto made = read_score(path);
  std::int64_t judged = 0, survived = 0;
  for (const reports::Calibration& record : made) {
    judged += record.trials;
    survived += record.failures;
  }
  if (judged == 0) throw Failure(ExitCode::vacuous, path + ": no mutation was judged");
  CalibrationRun run(invocation);
  run.append(made);
  const int code = run.finish(ExitCode::ok);
  const double score = 1 - static_cast<double>(survived) / static_cast<double>(judged);
  if (invocation.json()) {
    auto document = calibration_document(run.run(), code, made);
    document["judged"] = judged;
    document["killed"] = judged - survived;
    document["score"] = score;
    invocation.print_json(document);
  } else {
    invocation.print(fmt::format("mechanical score: {:.1f} %, {} of {} mutations killed\n", 100 * score,
                                 judged - survived, judged));
  }
  return code;
}

}  // namespace

Command describe_calibrate_mechanical() {
  Command command;
  command.path = "calibrate mechanical";
  command.summary = "Keep the score of mutations that nobody chose";
  command.examples = R"(Examples:
  validation/mechanical/sample.py --count 100 --json mechanical.json
  assay calibrate mechanical mechanical.json
The score is information: exit code 0 whatever it is, 2 where the file is not one, 6 where nothing in it was judged.)";
  command.positionals = {{"FILE", "what validation/mechanical/sample.py wrote"}};
  command.options = {store_option()};
  command.run = run_mechanical;
  return command;
}

}  // namespace assay::program
