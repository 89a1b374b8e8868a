#include "benchmarks/slowdown.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <thread>

namespace assay::benchmarks {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t buffer_bytes = std::size_t{96} << 20;  // beyond the last cache of the machines at hand
constexpr std::size_t line_words = 8;                        // 64 bytes

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The quickest of a few: what interrupts can only make it slower.
template <typename Body>
double quickest(int times, const Body& body) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    body();
    best = std::min(best, seconds_since(start));
  }
  return best;
}

}  // namespace

std::optional<Slowdown> slowdown_of(std::string_view mutant) {
  constexpr std::string_view prefix = "slowdown.";
  if (!mutant.starts_with(prefix)) return std::nullopt;
  mutant.remove_prefix(prefix.size());
  const std::size_t dot = mutant.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view kind = mutant.substr(0, dot), percent = mutant.substr(dot + 1);
  Slowdown slowdown;
  if (kind == "memory")
    slowdown.kind = SlowdownKind::memory;
  else if (kind == "idle")
    slowdown.kind = SlowdownKind::idle;
  else if (kind != "work")
    return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(percent.data(), percent.data() + percent.size(), value);
  if (error != std::errc{} || end != percent.data() + percent.size() || !(value > 0) || value > 1000)
    return std::nullopt;
  slowdown.share = value / 100;
  return slowdown;
}

TimeSpender::TimeSpender(SlowdownKind kind) : kind_(kind) {
  if (kind == SlowdownKind::work) {
    constexpr std::int64_t steps = 1'000'000;
    rate_ = static_cast<double>(steps) / quickest(5, [&] { work(steps); });
  } else if (kind == SlowdownKind::memory) {
    buffer_.assign(buffer_bytes / sizeof(std::uint64_t), 1);
    constexpr std::int64_t lines = 100'000;
    rate_ = static_cast<double>(lines) / quickest(5, [&] { read_lines(lines); });
  } else {
    ::prctl(PR_SET_TIMERSLACK, 1UL);
    const double asked = 50e-6;
    wake_seconds_ =
        quickest(20, [asked] { std::this_thread::sleep_for(std::chrono::duration<double>(asked)); }) - asked;
    // Half of it again, since it varies: the rest of the wait is spent looking at the clock.
    wake_seconds_ = 1.5 * std::max(0.0, wake_seconds_);
  }
}

void TimeSpender::spend(double seconds) {
  if (kind_ == SlowdownKind::idle)
    wait(seconds);
  else
    take(steps_in(seconds));
}

std::int64_t TimeSpender::steps_in(double seconds) const {
  return kind_ == SlowdownKind::idle ? 0 : static_cast<std::int64_t>(seconds * rate_);
}

void TimeSpender::take(std::int64_t steps) {
  if (kind_ == SlowdownKind::work) work(steps);
  if (kind_ == SlowdownKind::memory) read_lines(steps);
}

void TimeSpender::work(std::int64_t steps) {
  // Each step needs the one before, so the compiler can neither shorten the chain nor run ahead.
  std::uint64_t state = state_;
  for (std::int64_t step = 0; step < steps; ++step) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    asm volatile("" : "+r"(state));
  }
  state_ = state;
}

void TimeSpender::read_lines(std::int64_t lines) {
  std::uint64_t sum = 0;
  for (std::int64_t line = 0; line < lines; ++line) {
    sum += buffer_[next_];
    next_ += line_words;
    if (next_ >= buffer_.size()) next_ = 0;
  }
  asm volatile("" : "+r"(sum));
}

void TimeSpender::wait(double seconds) const {
  const auto end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  const double asleep = seconds - wake_seconds_;
  if (asleep > 0) std::this_thread::sleep_for(std::chrono::duration<double>(asleep));
  while (Clock::now() < end) {
  }
}

}  // namespace assay::benchmarks
