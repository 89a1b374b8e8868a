#include "ci/program/compare_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "ci/program/brief.hpp"
#include "ci/program/failure.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A file of lines for a process to read, gone with this object.
class CaseFile {
 public:
  explicit CaseFile(const std::vector<std::string>& lines) {
    std::string name = (std::filesystem::temp_directory_path() / "assay-cases-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    if (file < 0) throw Failure(ExitCode::tool_error, name + ": cannot be created");
    ::close(file);
    path_ = name;
    std::ofstream out(path_);
    for (const std::string& line : lines) out << line << '\n';
    if (!out.flush()) throw Failure(ExitCode::tool_error, path_ + ": cannot be written");
  }
  ~CaseFile() { ::unlink(path_.c_str()); }
  CaseFile(const CaseFile&) = delete;
  CaseFile& operator=(const CaseFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The last of the CPUs that this process may use: the first ones serve interrupts and everybody else.
cpu_set_t last_cpus(unsigned count) {
  cpu_set_t allowed, chosen;
  CPU_ZERO(&allowed);
  CPU_ZERO(&chosen);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && count > 0; --cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    CPU_SET(cpu, &chosen);
    --count;
  }
  return chosen;
}

struct Ended {
  int status = 0;
  bool out_of_time = false;
  std::string out, err;
  double seconds = 0;
};

Ended run_to_end(const ComparedProgram& program, const std::vector<std::string>& arguments, unsigned threads,
                 double limit) {
  std::array<int, 2> out{}, err{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0)
    throw Failure(ExitCode::tool_error, "no pipe for a process");
  std::vector<std::string> words{program.path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const cpu_set_t cpus = last_cpus(threads);
  const auto start = Clock::now();
  const pid_t child = ::fork();
  if (child < 0) throw Failure(ExitCode::tool_error, "no process could be started");
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    ::sched_setaffinity(0, sizeof cpus, &cpus);
    for (const auto& [name, value] : program.environment) ::setenv(name.c_str(), value.c_str(), 1);
    ::execv(argv.front(), argv.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  Ended ended;
  std::array<pollfd, 2> ends{{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}}};
  for (int open = 2; open > 0;) {
    const double left = limit - seconds_since(start);
    if (left <= 0 || ::poll(ends.data(), ends.size(), static_cast<int>(left * 1000) + 1) == 0) {
      ended.out_of_time = true;
      ::kill(child, SIGKILL);
      break;
    }
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      std::array<char, 65536> buffer{};
      const ssize_t got = ::read(ends[i].fd, buffer.data(), buffer.size());
      if (got > 0) {
        (i == 0 ? ended.out : ended.err).append(buffer.data(), static_cast<std::size_t>(got));
      } else {
        ends[i].fd = -1;
        --open;
      }
    }
  }
  ::close(out[0]);
  ::close(err[0]);
  ::waitpid(child, &ended.status, 0);
  ended.seconds = seconds_since(start);
  return ended;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

nlohmann::json document_of(const ComparedProgram& program, const Ended& ended) {
  const std::string who = fmt::format("{} ({})", program.path, program.role);
  if (ended.out_of_time) throw Failure(ExitCode::invalid, who + ": a process did not end in its time");
  if (WIFSIGNALED(ended.status))
    throw Failure(ExitCode::invalid,
                  fmt::format("{}: a process was ended by signal {}", who, WTERMSIG(ended.status)));
  const int code = WEXITSTATUS(ended.status);
  if (code == 127 && ended.out.empty()) throw Failure(ExitCode::usage, who + ": cannot be started");
  if (code == 6) throw Failure(ExitCode::vacuous, who + ": " + first_line(ended.err));
  if (code == 2)
    throw Failure(ExitCode::usage, who + ": does not know `assay brief`: " + first_line(ended.err));
  if (code != 0)
    throw Failure(ExitCode::invalid,
                  fmt::format("{}: a process ended with {}: {}", who, code, first_line(ended.err)));
  nlohmann::json document = nlohmann::json::parse(ended.out, nullptr, false);
  if (!document.is_object() || document.value("format", 0) != brief_format || !document["cases"].is_array())
    throw Failure(ExitCode::invalid, who + ": printed no measurements that this program understands");
  return document;
}

std::vector<std::string> arguments_of(const ProcessOptions& options, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"brief", "--json", "--quiet"};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

ProcessOnce run_process(const ComparedProgram& program, const ProcessOptions& options,
                        const std::vector<std::string>& cases, const std::vector<std::string>& more) {
  const CaseFile file(cases);
  std::vector<std::string> arguments = arguments_of(options, more);
  arguments.insert(arguments.end(), {"--cases", file.path()});
  const Ended ended = run_to_end(program, arguments, options.threads, options.limit_seconds);
  const nlohmann::json document = document_of(program, ended);
  ProcessOnce measured;
  measured.elapsed = ended.seconds;
  try {
    measured.missing = document.value("missing", measured.missing);
    for (const auto& entry : document.at("cases")) {
      CaseOnce& one = measured.cases[entry.at("name").get<std::string>()];
      one.seconds = entry.value("seconds", 0.0);
      one.left_out = entry.value("left_out", 0.0);
      one.failure = entry.value("failure", "");
      one.medians = entry.value("medians", one.medians);
      one.resolutions = entry.value("resolutions", one.resolutions);
      one.answer = entry.value("answer", "");
      one.launches = entry.value("launches", "");
    }
  } catch (const nlohmann::json::exception&) {
    throw Failure(ExitCode::invalid,
                  program.path + ": printed measurements that this program does not understand");
  }
  return measured;
}

std::vector<std::string> cases_of(const ComparedProgram& program, const ProcessOptions& options,
                                  const std::vector<std::string>& more, double* seconds) {
  std::vector<std::string> arguments = arguments_of(options, more);
  arguments.emplace_back("--list");
  const Ended ended = run_to_end(program, arguments, options.threads, options.limit_seconds);
  if (seconds != nullptr) *seconds = ended.seconds;
  const nlohmann::json document = document_of(program, ended);
  std::vector<std::string> names;
  for (const auto& entry : document["cases"])
    if (entry.is_string()) names.push_back(entry.get<std::string>());
  return names;
}

}  // namespace assay::program
