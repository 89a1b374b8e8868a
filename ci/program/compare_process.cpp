#include "ci/program/compare_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <utility>

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

/// A descriptor that is closed with this object.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }
  int get() const { return number_; }
  bool open() const { return number_ >= 0; }

 private:
  int number_;
};

/// A process with its output on its way here, ended with this object where it has not ended before.
class Child {
 public:
  /// `turns`: it waits for a byte at the socket that it is told of (`--turns`), and answers with one.
  Child(const ComparedProgram& program, const std::vector<std::string>& arguments, unsigned threads,
        bool turns)
      : start_(Clock::now()) {
    std::array<int, 2> out{}, err{}, turn{-1, -1};
    if (::pipe2(out.data(), O_CLOEXEC) != 0) throw Failure(ExitCode::tool_error, "no pipe for a process");
    out_ = Descriptor(out[0]);
    Descriptor to_out(out[1]);
    if (::pipe2(err.data(), O_CLOEXEC) != 0) throw Failure(ExitCode::tool_error, "no pipe for a process");
    err_ = Descriptor(err[0]);
    Descriptor to_err(err[1]);
    if (turns && ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, turn.data()) != 0)
      throw Failure(ExitCode::tool_error, "no socket for a process");
    turn_ = Descriptor(turn[0]);
    Descriptor its_turn(turn[1]);
    std::vector<std::string> words = program.under;
    words.push_back(program.path);
    words.insert(words.end(), arguments.begin(), arguments.end());
    if (turns) words.insert(words.end(), {"--turns", std::to_string(its_turn.get())});
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const cpu_set_t cpus = last_cpus(threads);
    process_ = ::fork();
    if (process_ < 0) throw Failure(ExitCode::tool_error, "no process could be started");
    if (process_ == 0) {
      ::dup2(to_out.get(), STDOUT_FILENO);
      ::dup2(to_err.get(), STDERR_FILENO);
      if (turns) ::fcntl(its_turn.get(), F_SETFD, 0);
      ::sched_setaffinity(0, sizeof cpus, &cpus);
      for (const auto& [name, value] : program.environment) ::setenv(name.c_str(), value.c_str(), 1);
      ::execv(argv.front(), argv.data());
      ::_exit(127);
    }
  }
  ~Child() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Whether it still may say something.
  bool open() const { return out_.open() || err_.open(); }
  void add_to(std::vector<pollfd>& ends) const {
    for (const Descriptor* end : {&out_, &err_, &turn_})
      if (end->open()) ends.push_back({end->get(), POLLIN, 0});
  }
  /// Takes what there is at that end, where it is one of this process.
  void take(int end) {
    std::array<char, 65536> buffer{};
    for (Descriptor* own : {&out_, &err_, &turn_}) {
      if (!own->open() || own->get() != end) continue;
      const ssize_t got = ::read(end, buffer.data(), buffer.size());
      if (own == &turn_) at_turn_ = false;
      if (got <= 0)
        own->close();
      else if (own != &turn_)
        (own == &out_ ? ended_.out : ended_.err).append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  bool takes_turns() const { return turn_.open(); }
  bool at_turn() const { return turn_.open() && at_turn_; }
  void give_turn() {
    at_turn_ = ::send(turn_.get(), "x", 1, MSG_NOSIGNAL) == 1;
    if (!at_turn_) turn_.close();
  }

  /// Waits for its end. `out_of_time`: it is ended first.
  Ended end(bool out_of_time) {
    ended_.out_of_time = out_of_time;
    if (out_of_time) ::kill(process_, SIGKILL);
    ::waitpid(process_, &ended_.status, 0);
    process_ = -1;
    ended_.seconds = seconds_since(start_);
    return std::move(ended_);
  }

 private:
  Clock::time_point start_;
  pid_t process_ = -1;
  Descriptor out_, err_, turn_;
  bool at_turn_ = false;
  Ended ended_;
};

/// Reads what they say until all have ended or the time is over. Those that take turns get one after the
/// other, in order, each as long as it answers and does not end.
std::vector<Ended> run_to_end(std::vector<std::unique_ptr<Child>>& children, double limit) {
  const auto start = Clock::now();
  bool out_of_time = false;
  std::size_t last = children.size() - 1;  // that had a turn
  const auto any = [&](bool (Child::*holds)() const) {
    return std::any_of(children.begin(), children.end(),
                       [&](const auto& child) { return ((*child).*holds)(); });
  };
  while (any(&Child::open) && !out_of_time) {
    for (std::size_t step = 1; step <= children.size() && !any(&Child::at_turn); ++step) {
      Child& next = *children[(last + step) % children.size()];
      if (!next.takes_turns()) continue;
      next.give_turn();
      last = (last + step) % children.size();
      break;
    }
    std::vector<pollfd> ends;
    for (const auto& child : children) child->add_to(ends);
    const double left = limit - seconds_since(start);
    out_of_time = left <= 0 || ::poll(ends.data(), ends.size(), static_cast<int>(left * 1000) + 1) == 0;
    for (const pollfd& end : ends)
      if (end.revents != 0)
        for (const auto& child : children) child->take(end.fd);
  }
  std::vector<Ended> ended;
  for (const auto& child : children) ended.push_back(child->end(out_of_time && child->open()));
  return ended;
}

Ended run_to_end(const ComparedProgram& program, const std::vector<std::string>& arguments, unsigned threads,
                 double limit) {
  std::vector<std::unique_ptr<Child>> one;
  one.push_back(std::make_unique<Child>(program, arguments, threads, false));
  return std::move(run_to_end(one, limit).front());
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

ProcessOnce once_of(const ComparedProgram& program, const Ended& ended) {
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
      one.samples = entry.value("samples", 0);
      one.planted_steps = entry.value("planted_steps", one.planted_steps);
    }
  } catch (const nlohmann::json::exception&) {
    throw Failure(ExitCode::invalid,
                  program.path + ": printed measurements that this program does not understand");
  }
  return measured;
}

}  // namespace

ProcessOnce run_process(const ComparedProgram& program, const ProcessOptions& options,
                        const std::vector<std::string>& cases, const std::vector<std::string>& more) {
  const CaseFile file(cases);
  std::vector<std::string> arguments = arguments_of(options, more);
  arguments.insert(arguments.end(), {"--cases", file.path()});
  return once_of(program, run_to_end(program, arguments, options.threads, options.limit_seconds));
}

std::vector<ProcessOnce> run_in_turns(const std::vector<const ComparedProgram*>& programs,
                                      const ProcessOptions& options, const std::vector<std::string>& cases,
                                      const std::vector<std::string>& more) {
  const CaseFile file(cases);
  std::vector<std::string> arguments = arguments_of(options, more);
  arguments.insert(arguments.end(), {"--cases", file.path()});
  std::vector<std::unique_ptr<Child>> children;
  for (const ComparedProgram* program : programs)
    children.push_back(std::make_unique<Child>(*program, arguments, options.threads, true));
  const std::vector<Ended> ended =
      run_to_end(children, options.limit_seconds * static_cast<double>(programs.size()));
  std::vector<ProcessOnce> measured;
  for (std::size_t i = 0; i < programs.size(); ++i) measured.push_back(once_of(*programs[i], ended[i]));
  return measured;
}

std::vector<std::string> cases_of(const ComparedProgram& program, const ProcessOptions& options,
                                  const std::vector<std::string>& more, double* seconds, bool* turns) {
  std::vector<std::string> arguments = arguments_of(options, more);
  arguments.emplace_back("--list");
  const Ended ended = run_to_end(program, arguments, options.threads, options.limit_seconds);
  if (seconds != nullptr) *seconds = ended.seconds;
  const nlohmann::json document = document_of(program, ended);
  if (turns != nullptr) *turns = document.value("turns", false);
  std::vector<std::string> names;
  for (const auto& entry : document["cases"])
    if (entry.is_string()) names.push_back(entry.get<std::string>());
  return names;
}

}  // namespace assay::program
