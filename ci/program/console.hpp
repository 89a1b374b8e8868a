#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace assay::program {

/// Standard error: what is said beside the result. Warnings and notes are silent with --quiet; errors never
/// are.
class Console {
 public:
  Console(std::string command, bool quiet) : command_(std::move(command)), quiet_(quiet) {}

  void error(std::string_view line) const;
  void warn(std::string_view line) const;
  void note(std::string_view line) const;
  const std::string& command() const { return command_; }
  bool quiet() const { return quiet_; }

 private:
  std::string command_;
  bool quiet_ = false;
};

/// Shows how far a long task has come and about how much longer it takes, at the pace since the first update:
/// nothing for the first two seconds, then a bar where standard error is a terminal, and a plain line every
/// ten seconds where it is not.
class ProgressLine {
 public:
  ProgressLine(const Console& console, std::string what);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void update(std::int64_t done, std::int64_t total, std::string_view detail = {});

 private:
  using Clock = std::chrono::steady_clock;
  const Console& console_;
  std::string what_;
  bool terminal_ = false;
  bool drawn_ = false;
  Clock::time_point start_;
  Clock::time_point shown_;
  std::int64_t first_done_ = -1;  ///< of the first update
  Clock::time_point first_update_;
};

/// "40 s", "3 min 20 s", "2 h 5 min": for people.
std::string duration_text(double seconds);

/// Says on a terminal, from the third second on, that a task of unknown length is at work and for how long.
class WaitingLine {
 public:
  WaitingLine(const Console& console, std::string what);
  ~WaitingLine();
  WaitingLine(const WaitingLine&) = delete;
  WaitingLine& operator=(const WaitingLine&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace assay::program
