#include "ci/program/brief.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>

#include "benchmarks/brief.hpp"
#include "benchmarks/counted.hpp"
#include "ci/program/backend_choice.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "engine/runtime/device.hpp"
#include "fmt/format.h"
#include "validation/runner.hpp"

namespace assay::program {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Failure(ExitCode::usage, path + ": no such file");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) lines.push_back(line);
  if (lines.empty()) throw Failure(ExitCode::vacuous, path + ": names no case");
  return lines;
}

/// Turns as the program that started this one gives them: a byte at the socket is a turn, one back its end.
class SocketTurns : public benchmarks::Turns {
 public:
  explicit SocketTurns(int socket) : socket_(socket) {}
  void take() override {
    char byte = 0;
    ssize_t got = 0;
    while ((got = ::read(socket_, &byte, 1)) < 0 && errno == EINTR) {
    }
    if (got != 1) throw Failure(ExitCode::invalid, "--turns: who gives the turns has ended");
  }
  void pass() override { ::send(socket_, "x", 1, MSG_NOSIGNAL); }

 private:
  int socket_;
};

nlohmann::ordered_json json_of(const benchmarks::BriefMeasurement& one) {
  nlohmann::ordered_json out{{"name", one.name}, {"seconds", one.seconds}};
  if (one.too_long > 0) {
    out["left_out"] = one.too_long;
  } else if (!one.failure.empty()) {
    out["failure"] = one.failure;
  } else {
    out["medians"] = one.medians;
    out["resolutions"] = one.resolutions;
    out["answer"] = one.answer;
    out["launches"] = one.launches;
    out["calls"] = one.calls;
    out["samples"] = one.samples;
    if (one.planted_steps > 0) out["planted_steps"] = one.planted_steps;
  }
  return out;
}

/// "NAME" or "NAME<tab>NUMBER".
struct CaseLine {
  std::string name;
  std::optional<std::int64_t> number;
};
CaseLine parsed(const std::string& line, const std::string& file, std::int64_t least, const char* what) {
  const std::size_t tab = line.find('\t');
  CaseLine made{line.substr(0, tab), std::nullopt};
  if (tab == std::string::npos) return made;
  made.number = parse_integer(line.substr(tab + 1));
  if (!made.number || *made.number < least || *made.number > std::int64_t{1'000'000'000'000})
    throw Failure(ExitCode::usage, file + ": '" + line.substr(tab + 1) + "' after '" + made.name +
                                       "', expected a number of " + what);
  return made;
}

void add_case(benchmarks::BriefOptions& options, const std::string& line, const std::string& file) {
  const CaseLine one = parsed(line, file, 1, "samples");
  options.names.push_back(one.name);
  if (one.number)
    options.samples[one.name] = static_cast<int>(std::min<std::int64_t>(*one.number, 1'000'000));
}

/// For a tool that counts instructions: one call of each case, and no clock.
int count_once(const Invocation& invocation) {
  const auto file = invocation.maybe_text("cases");
  if (!file) invocation.refuse("count", "goes with --cases FILE");
  if (threads_of(invocation) != 1)
    invocation.refuse("count", "goes with --threads 1: others are not counted");
  std::vector<benchmarks::CountedCase> cases;
  for (const std::string& line : lines_of(*file)) {
    const CaseLine one = parsed(line, *file, 0, "planted steps");
    cases.push_back({one.name, one.number.value_or(0)});
  }
  Context context = Context::cpu(1);
  nlohmann::ordered_json document{{"format", brief_format}, {"backend", "cpu"}};
  document["cases"] = nlohmann::ordered_json::array();
  for (const auto& one : benchmarks::count_calls(context, cases, invocation.seed()))
    document["cases"].push_back({{"name", one.name}, {"answer", one.answer}});
  if (document["cases"].empty()) throw Failure(ExitCode::vacuous, "no case matches (assay list)");
  invocation.print_json(document);
  return code_of(ExitCode::ok);
}

int run_brief(Invocation& invocation) {
  if (invocation.flag("count")) return count_once(invocation);
  const std::string asked = invocation.choice("backend", {"auto", "cpu", "cuda"});
  const Backend backend =
      asked == "cuda" || (asked == "auto" && cuda_available()) ? Backend::cuda : Backend::cpu;
  benchmarks::BriefOptions options;
  const std::string pattern = invocation.maybe_text("op").value_or("");
  if (!pattern.empty())
    options.wanted = [&pattern](const std::string& operation) {
      return validation::matches(operation, pattern);
    };
  if (const auto file = invocation.maybe_text("cases"))
    for (const std::string& line : lines_of(*file)) add_case(options, line, *file);
  options.check = invocation.flag("check");
  options.seed = invocation.seed();
  options.longest_call = invocation.real("longest", 0, 3600);
  options.seconds = invocation.real("seconds", 1e-4, 3600);
  const auto names = benchmarks::brief_names(options, backend);
  if (names.empty()) throw Failure(ExitCode::vacuous, "no case matches (assay list)");

  nlohmann::ordered_json document{
      {"format", brief_format}, {"backend", name_of(backend)}, {"turns", backend == Backend::cpu}};
  if (invocation.flag("list")) {
    document["cases"] = names;
    invocation.print_json(document);
    return code_of(ExitCode::ok);
  }
  // Before the context, whose threads are to be counted too.
  const benchmarks::InstructionCounter instructions;
  const unsigned threads = threads_of(invocation);
  Context context = backend == Backend::cuda
                        ? Context::cuda(static_cast<int>(invocation.integer("device", 0, 1 << 20)), threads)
                        : Context::cpu(threads);
  document["threads"] = context.pool().threads();
  document["seed"] = options.seed;
  document["missing"] = nlohmann::ordered_json::object();
  if (!instructions.works()) document["missing"]["instructions"] = instructions.reason();
  document["cases"] = nlohmann::ordered_json::array();
  std::optional<SocketTurns> turns;
  if (invocation.given("turns")) {
    if (backend != Backend::cpu) invocation.refuse("turns", "is for the cpu backend");
    options.turns = &turns.emplace(static_cast<int>(invocation.integer("turns", 3, 1 << 20)));
  }
  for (const auto& one : benchmarks::measure_briefly(context, options, instructions))
    document["cases"].push_back(json_of(one));
  invocation.print_json(document);
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_brief() {
  Command command;
  command.path = "brief";
  command.summary = "One process of `assay compare`: every case measured once and briefly, as JSON";
  command.examples = R"(Examples:
  assay brief --op 'te.*' --threads 1
  assay brief --list
Prints one document: {format, backend, threads, seed, missing: {measure: why}, cases: [{name, seconds, and either left_out
(seconds of one call), failure, or medians, resolutions, answer, launches, calls, samples}]}. With --list the cases are names.
Exit codes: 0 measured, wrong answers included, 6 no case matches, 7 the device is missing.)";
  command.options = {
      {"op", "GLOB", "only operations whose name matches"},
      {"cases", "FILE", "only the cases that this file names, one a line; after a tab how many samples"},
      {"turns", "FD", "work only between a byte that comes from this socket and one that goes there"},
      {"check", "", "hold the answers to the reference first"},
      {"list", "", "name the cases and measure none"},
      {"count", "",
       "one call of each case, where a tool finds it that counts instructions; after a tab planted steps"},
      {"seconds", "S", "of samples for each case, three at least", "0.008"},
      {"longest", "S", "cases of longer calls are left out; 0: none is", "0.02"}};
  command.run = run_brief;
  return command;
}

}  // namespace assay::program
