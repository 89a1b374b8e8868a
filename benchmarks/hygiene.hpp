#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/runtime/device_monitor.hpp"

namespace assay::benchmarks {

/// A sample with what was known of the machine around it.
struct Sample {
  double seconds = 0;
  double sm_megahertz = 0;               ///< the device's own cycles over its own time; 0: not known
  std::optional<DeviceReading> reading;  ///< the latest when the sample ended
};

/// What is left of the samples of a case.
struct Sifted {
  std::vector<double> seconds;  ///< of the samples that can be used, in order
  std::size_t dropped = 0;      ///< taken while the device was slowed down by heat or by its power supply
  std::string invalid_reason;   ///< why none of them should be used; empty: they may
  /// "sm_clock_mhz", "clock_reasons", "power_w", "power_cap_w", "temperature_c", "other_processes",
  /// "uncorrected_errors", "samples_dropped": as text, where known.
  std::map<std::string, std::string> telemetry;
};

/// Share of dropped samples from which the rest is not to be trusted either.
inline constexpr double most_dropped = 0.20;

/// Drops what was taken under a thermal or hardware slowdown, and says when too much was; when other programs
/// computed on the device; when memory errors came up. A power cap is noted, never dropped: a kernel that
/// meets it always does.
Sifted sift(std::span<const Sample> samples);

/// Peaks of a device by its datasheet; 0 where the device is not known.
struct DevicePeak {
  double bytes_per_second = 0;
  double flop_per_second = 0;  ///< of the fastest dense 16-bit arithmetic
};
DevicePeak peak_of(const std::string& device_name);

/// "1.2 times the 4.80 TB/s of the datasheet" where a call that moves and computes so much in that time is
/// impossible; empty where it is not, or the device is not known.
std::string beyond_peak(const DevicePeak& peak, double bytes, double flops, double seconds);

}  // namespace assay::benchmarks
