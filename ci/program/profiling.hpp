#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay::program {

/// What the vendor's profiler says of one kernel of a call. Percentages are of what the chip sustains.
struct KernelProfile {
  std::string name;
  double microseconds = 0;
  double compute = 0;    ///< % of the instruction issue
  double memory = 0;     ///< % of the device memory's rate
  double l2 = 0;         ///< % of the second cache's
  double occupancy = 0;  ///< % of the warps that a multiprocessor holds
  double registers = 0;  ///< of a thread

  /// "memory", "L2", "instructions", or "latency" where nothing is above 60 %.
  std::string bound() const;
};

/// The profiler's `--csv --page raw`, one row a kernel, in order. Throws std::runtime_error where it is not
/// that.
std::vector<KernelProfile> parse_profile(std::string_view csv);

/// A table for people: kernels in order, those of one name together when there are many.
std::string profile_table(const std::vector<KernelProfile>& kernels);

/// Runs this program's `bench --case NAME --once` under the profiler. Throws Failure: exit 7 where the
/// profiler is not installed or finds no device, 1 where it fails.
std::vector<KernelProfile> profile_case(const std::string& name, int device);

}  // namespace assay::program
