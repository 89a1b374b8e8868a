#include "benchmarks/peers/line_process.hpp"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace assay::benchmarks::peers {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto farewell = std::chrono::seconds(3);  // from the end of its input until it is killed

/// A process of its own group, whose ends of standard input and output are that socket; its number, or 0 with
/// `error` set.
pid_t start(std::vector<std::string>& command, int socket, int& error) {
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // What it starts in turn is ended with it.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t process = 0;
  error = ::posix_spawnp(&process, arguments.front(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? process : 0;
}

}  // namespace

LineProcess::LineProcess(std::vector<std::string> command) : program_(command.at(0)) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw std::runtime_error("no socket for " + program_);
  int error = 0;
  process_ = start(command, ends[1], error);
  ::close(ends[1]);
  socket_ = ends[0];
  if (process_ > 0) return;
  ::close(socket_);
  throw std::runtime_error(program_ + " cannot be started: " + std::strerror(error));
}

LineProcess::~LineProcess() {
  if (alive()) end();
}

void LineProcess::end() noexcept {
  ::shutdown(socket_, SHUT_WR);
  const auto until = Clock::now() + farewell;
  int status = 0;
  while (::waitpid(process_, &status, WNOHANG) == 0) {
    if (Clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    ::kill(-process_, SIGKILL);
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    break;
  }
  ::close(socket_);
  process_ = 0;
}

std::string LineProcess::ask(const std::string& line, std::chrono::milliseconds limit) {
  if (!alive()) throw std::runtime_error(program_ + " has ended");
  const auto give_up = [this](const std::string& why) {
    end();
    throw std::runtime_error(program_ + ' ' + why);
  };
  const auto until = Clock::now() + limit;
  const std::string text = line + '\n';
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t wrote = ::send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (wrote > 0)
      sent += static_cast<std::size_t>(wrote);
    else if (errno != EINTR)
      give_up("has ended");
  }
  std::size_t newline = 0;
  while ((newline = read_.find('\n')) == std::string::npos) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd waiting{socket_, POLLIN, 0};
    const int ready = left > 0 ? ::poll(&waiting, 1, static_cast<int>(left)) : 0;
    if (ready == 0) {
      ::kill(-process_, SIGKILL);
      give_up("took longer than " + std::to_string(limit.count()) + " ms to answer");
    }
    std::array<char, 4096> buffer{};
    const ssize_t got = ready > 0 ? ::read(socket_, buffer.data(), buffer.size()) : -1;
    if (got > 0)
      read_.append(buffer.data(), static_cast<std::size_t>(got));
    else if (got == 0 || errno != EINTR)
      give_up("ended without an answer");
  }
  std::string answer = read_.substr(0, newline);
  read_.erase(0, newline + 1);
  return answer;
}

}  // namespace assay::benchmarks::peers
