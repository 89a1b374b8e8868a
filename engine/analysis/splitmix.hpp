#pragma once

#include <cstdint>

namespace assay::analysis {

/// SplitMix64 (Steele, Lea, Flood 2014) and what is drawn from it without any library function, so that
/// generated data are the same to the last bit everywhere. Seed 1 begins 910a2dec89025cc1, beeb8da1658eec67.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  /// Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// Close to standard normal: the sum of 12 uniforms, added in order, less 6 (Irwin,
  /// Hall). Mean 0, variance 1.
  double irwin_hall() {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum - 6;
  }

 private:
  std::uint64_t state_;
};

}  // namespace assay::analysis
