#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace assay::benchmarks {

/// How a planted slowdown spends its time.
enum class SlowdownKind {
  work,    ///< arithmetic in registers
  memory,  ///< reads of lines that no cache holds
  idle     ///< waits: asleep as far as the system wakes in time, then looking at the clock
};

/// A slowdown that is planted to see whether `assay compare` finds it.
struct Slowdown {
  SlowdownKind kind = SlowdownKind::work;
  double share = 0;  ///< of the time of what is timed
};

/// "slowdown.work.5" is 5 % of extra work; nothing for any other name. `assay-mutants` takes it as
/// ASSAY_MUTANT; the usual program has no way to ask for one.
std::optional<Slowdown> slowdown_of(std::string_view mutant);

/// Spends time of one kind on the CPU.
class TimeSpender {
 public:
  /// Finds out how much of its kind fits into a second; takes some 10 ms, for memory some 100.
  explicit TimeSpender(SlowdownKind kind);
  void spend(double seconds);
  /// Steps of arithmetic, or lines read, that take so long here; of waiting there are none.
  std::int64_t steps_in(double seconds) const;
  /// As many of them, whatever they take. None of waiting.
  void take(std::int64_t steps);

 private:
  void work(std::int64_t steps);
  void read_lines(std::int64_t lines);
  void wait(double seconds) const;

  SlowdownKind kind_;
  double rate_ = 0;          // steps or lines a second
  double wake_seconds_ = 0;  // that a sleep takes beyond what it was asked for
  std::vector<std::uint64_t> buffer_;
  std::size_t next_ = 0;
  std::uint64_t state_ = 1;
};

}  // namespace assay::benchmarks
