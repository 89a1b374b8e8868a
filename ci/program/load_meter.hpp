#pragma once

#include <chrono>

namespace assay::program {

/// How much of the CPUs that this process may use went to other programs (or was taken by the hypervisor)
/// since the meter was made. Reads /proc/stat; 0 where there is none.
class LoadMeter {
 public:
  LoadMeter();
  /// Share of the CPUs' time, 0 to 1.
  double others() const;

 private:
  double busy_ = 0;  ///< CPU seconds of all programs on our CPUs
  double own_ = 0;   ///< CPU seconds of this process and its children
  std::chrono::steady_clock::time_point start_;
};

/// Others above this share blur a measurement: times near it move by about as much.
inline constexpr double most_load_of_others = 0.10;

}  // namespace assay::program
