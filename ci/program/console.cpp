#include "ci/program/console.hpp"

#include <unistd.h>

#include <cstdio>

#include "fmt/format.h"

namespace assay::program {
namespace {

/// One line, whatever was put into it: control bytes would let a file's content move the cursor.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    out += byte < 0x20 || byte == 0x7f ? ' ' : letter;
  }
  return out;
}

}  // namespace

void Console::error(std::string_view line) const {
  fmt::print(stderr, "{}: {}\n", command_, one_line(line));
}

void Console::warn(std::string_view line) const {
  if (!quiet_) fmt::print(stderr, "{}: warning: {}\n", command_, one_line(line));
}

void Console::note(std::string_view line) const {
  if (!quiet_) fmt::print(stderr, "{}: {}\n", command_, one_line(line));
}

ProgressLine::ProgressLine(const Console& console, std::string what)
    : console_(console),
      what_(std::move(what)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      shown_(start_) {}

ProgressLine::~ProgressLine() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
}

void ProgressLine::update(std::int64_t done, std::int64_t total, std::string_view detail) {
  if (console_.quiet() || total <= 0) return;
  const auto now = Clock::now();
  if (now - start_ < std::chrono::seconds(2)) return;
  const double share = static_cast<double>(done) / static_cast<double>(total);
  if (!terminal_) {
    if (drawn_ || now - shown_ < std::chrono::seconds(10)) return;
    shown_ = now;
    console_.note(fmt::format("{}: {} of {} {}", what_, done, total, detail));
    return;
  }
  if (drawn_ && now - shown_ < std::chrono::milliseconds(100)) return;
  shown_ = now;
  drawn_ = true;
  constexpr int width = 28;
  const int full = static_cast<int>(share * width);
  fmt::print(stderr, "\r\x1b[K{} [{}{}] {}/{} {}", what_, std::string(static_cast<std::size_t>(full), '#'),
             std::string(static_cast<std::size_t>(width - full), '.'), done, total,
             one_line(detail).substr(0, 40));
  std::fflush(stderr);
}

WaitingLine::WaitingLine(const Console& console, std::string what) {
  if (console.quiet() || ::isatty(STDERR_FILENO) != 1) return;
  thread_ = std::thread([this, what = std::move(what)] {
    std::unique_lock lock(mutex_);
    int seconds = 2;
    bool drawn = false;
    while (!ended_.wait_for(lock, std::chrono::seconds(drawn ? 1 : 2), [this] { return end_; })) {
      fmt::print(stderr, "\r\x1b[K{}: {} s", what, seconds++);
      std::fflush(stderr);
      drawn = true;
    }
    if (drawn) std::fputs("\r\x1b[K", stderr);
  });
}

WaitingLine::~WaitingLine() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

}  // namespace assay::program
