#include "ci/program/console.hpp"

#include <unistd.h>

#include <cmath>
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
  if (first_done_ < 0) {
    first_done_ = done;
    first_update_ = now;
  }
  if (now - start_ < std::chrono::seconds(2)) return;
  std::string left;
  if (done > first_done_ && done < total) {
    const double spent = std::chrono::duration<double>(now - first_update_).count();
    left = fmt::format("about {} left", duration_text(spent * static_cast<double>(total - done) /
                                                      static_cast<double>(done - first_done_)));
  }
  const double share = static_cast<double>(done) / static_cast<double>(total);
  if (!terminal_) {
    if (drawn_ || now - shown_ < std::chrono::seconds(10)) return;
    shown_ = now;
    std::string line = fmt::format("{}: {} of {}", what_, done, total);
    if (!left.empty()) line += ", " + left;
    if (!detail.empty()) line += fmt::format(" {}", detail);
    console_.note(line);
    return;
  }
  if (drawn_ && now - shown_ < std::chrono::milliseconds(100)) return;
  shown_ = now;
  drawn_ = true;
  constexpr int width = 28;
  const int full = static_cast<int>(share * width);
  fmt::print(stderr, "\r\x1b[K{} [{}{}] {}/{} {} {}", what_, std::string(static_cast<std::size_t>(full), '#'),
             std::string(static_cast<std::size_t>(width - full), '.'), done, total, left,
             one_line(detail).substr(0, 40));
  std::fflush(stderr);
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
  if (seconds < 1) return "1 s";
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 100 * 3600) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} days", whole / 86400);
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
