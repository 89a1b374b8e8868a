#include "validation/worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

extern char** environ;

namespace assay::validation {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

json request_of(const Job& job, const RunOptions& options) {
  json request{{"operation", job.operation},
               {"property", job.property->name},
               {"backend", name_of(job.backend)},
               {"seed", options.seed},
               {"cases_scale", options.cases_scale},
               {"threads", options.threads},
               {"device", options.device},
               {"require_cuda", options.require_cuda},
               {"controls", options.controls},
               {"shrink_seconds", options.shrink_seconds},
               {"version", options.version},
               {"reproduce", options.reproduce},
               {"fixed_schedule", options.fixed_schedule}};
  if (options.cases) request["cases"] = *options.cases;
  return request;
}

CheckResult answer(const json& request, const std::vector<Suite>& all) {
  RunOptions options;
  options.seed = request.at("seed");
  options.cases_scale = request.at("cases_scale");
  options.threads = request.at("threads");
  options.device = request.at("device");
  options.require_cuda = request.at("require_cuda");
  options.controls = request.at("controls");
  options.shrink_seconds = request.at("shrink_seconds");
  options.version = request.at("version");
  options.reproduce = request.at("reproduce");
  options.fixed_schedule = request.at("fixed_schedule");
  if (request.contains("cases")) options.cases = request.at("cases").get<int>();
  const auto operation = request.at("operation").get<std::string>();
  const auto property = request.at("property").get<std::string>();
  for (const Suite& suite : all) {
    if (suite.operation() != operation) continue;
    for (const Property& candidate : suite.properties()) {
      if (candidate.name != property) continue;
      return run_property({operation, &candidate, parse_backend(request.at("backend").get<std::string>())},
                          options);
    }
  }
  throw std::invalid_argument("no property " + operation + "/" + property + " in this program");
}

// To a socket, so that a reader that is gone is an error here and no signal to the process.
void send_line(int descriptor, std::string line) {
  line += '\n';
  for (std::size_t written = 0; written < line.size();) {
    const ssize_t count = ::send(descriptor, line.data() + written, line.size() - written, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw std::runtime_error(std::string("worker: send: ") + std::strerror(errno));
    written += static_cast<std::size_t>(count);
  }
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) {
    return fmt::format("the worker was ended by signal {} ({})", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
  }
  return fmt::format("the worker exited with status {}", WEXITSTATUS(status));
}

}  // namespace

std::optional<int> serve_if_worker(int argc, char** argv, const std::vector<Suite>& all) {
  if (argc < 2 || std::string_view(argv[1]) != worker_option) return std::nullopt;
  const int answers = ::dup(STDOUT_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  if (answers < 0) return 1;
  ::fcntl(answers, F_SETFD, FD_CLOEXEC);
  for (std::string line; std::getline(std::cin, line);) {
    json reply;
    try {
      reply["result"] = answer(json::parse(line), all);
    } catch (const std::exception& error) {
      reply["error"] = error.what();
    }
    // A counterexample may hold bytes that are no UTF-8; they are replaced rather than losing the answer.
    send_line(answers, reply.dump(-1, ' ', false, json::error_handler_t::replace));
  }
  return 0;
}

std::string this_program() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

struct Worker::Child {
  pid_t process = -1;
  int socket = -1;
  std::string buffer;

  ~Child() {
    if (socket >= 0) ::close(socket);
  }
};

Worker::Worker(WorkerCommand command) : command_(std::move(command)) {}
Worker::Worker(Worker&&) noexcept = default;
Worker& Worker::operator=(Worker&& other) noexcept {
  stop();
  command_ = std::move(other.command_);
  child_ = std::move(other.child_);
  return *this;
}
Worker::~Worker() {
  stop();
}

void Worker::stop() noexcept {
  if (!child_) return;
  ::kill(child_->process, SIGKILL);
  int status = 0;
  while (::waitpid(child_->process, &status, 0) < 0 && errno == EINTR) {
  }
  child_.reset();
}

void Worker::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::runtime_error("worker: no socket");
  auto child = std::make_unique<Child>();
  child->socket = ends[0];
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (command_.environment.find(std::string(text.substr(0, text.find('=')))) ==
        command_.environment.end()) {
      variables.emplace_back(text);
    }
  }
  for (const auto& [name, value] : command_.environment) variables.push_back(name + "=" + value);
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  std::string option = worker_option;
  char* arguments[] = {command_.program.data(), option.data(), nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  const int error = ::posix_spawn(&child->process, command_.program.c_str(), &actions, nullptr, arguments,
                                  environment.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error != 0) throw std::runtime_error("cannot start " + command_.program + ": " + std::strerror(error));
  child_ = std::move(child);
}

CheckResult Worker::run(const Job& job, const RunOptions& options, std::chrono::duration<double> timeout) {
  if (!child_) start();
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  const auto ended = [&](Verdict verdict, std::string message) {
    CheckResult result;
    result.operation = job.operation;
    result.property = job.property->name;
    result.backend = name_of(job.backend);
    result.seed = options.seed;
    result.verdict = verdict;
    result.message = std::move(message);
    result.elapsed_ms = elapsed() * 1e3;
    return result;
  };
  const auto dead = [&]() -> CheckResult {
    int status = 0;
    while (::waitpid(child_->process, &status, 0) < 0 && errno == EINTR) {
    }
    child_.reset();
    return ended(Verdict::crashed, how_it_ended(status));
  };
  try {
    send_line(child_->socket, request_of(job, options).dump());
  } catch (const std::runtime_error&) {
    return dead();  // it ended since the last check
  }

  for (;;) {
    if (const auto end = child_->buffer.find('\n'); end != std::string::npos) {
      const json reply = json::parse(child_->buffer.substr(0, end));
      child_->buffer.erase(0, end + 1);
      if (reply.contains("error")) return ended(Verdict::crashed, reply.at("error").get<std::string>());
      CheckResult result = reply.at("result").get<CheckResult>();
      if (result.message.find("the device is lost to this process") != std::string::npos) stop();
      return result;
    }
    const double left = timeout.count() - elapsed();
    pollfd waiting{child_->socket, POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left * 1000) + 1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) {
      stop();
      return ended(Verdict::timeout,
                   fmt::format("no answer within {:.0f} s; the worker was ended", timeout.count()));
    }
    char chunk[65536];
    const ssize_t count = ::read(child_->socket, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return dead();
    child_->buffer.append(chunk, static_cast<std::size_t>(count));
  }
}

Runner isolating_runner(WorkerCommand command, std::chrono::duration<double> timeout, bool isolate) {
  const auto worker = std::make_shared<Worker>(std::move(command));
  return [worker, timeout, isolate](const Job& job, const RunOptions& options) {
    if (isolate || job.backend == Backend::cuda) return worker->run(job, options, timeout);
    return run_property(job, options);
  };
}

}  // namespace assay::validation
