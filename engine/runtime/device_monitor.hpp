#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/runtime/device.hpp"

namespace assay {

/// Why a device's clock is below what was asked of it, as bits (NVIDIA's management library, nvml.h: "clocks
/// event reasons").
namespace clock_reason {
inline constexpr std::uint64_t idle = 0x1, set_by_application = 0x2, power_cap = 0x4, hardware_slowdown = 0x8,
                               sync_boost = 0x10, thermal_slowdown = 0x20, hardware_thermal_slowdown = 0x40,
                               power_brake = 0x80, set_for_display = 0x100;
/// What makes a time useless. A power cap is not among them: a kernel that draws that much always meets it.
inline constexpr std::uint64_t disturbed =
    hardware_slowdown | thermal_slowdown | hardware_thermal_slowdown | power_brake;
}  // namespace clock_reason

/// "power cap, thermal slowdown"; "none".
std::string clock_reasons_text(std::uint64_t reasons);

/// A device at one moment. What the library does not tell is -1.
struct DeviceReading {
  int sm_clock_mhz = -1;
  int memory_clock_mhz = -1;
  int power_milliwatts = -1;
  int power_cap_milliwatts = -1;
  int temperature_celsius = -1;
  std::int64_t uncorrected_errors = -1;  ///< of memory, since the driver was loaded
  int processes = -1;  ///< that compute on the device, this one included where the library sees it
  std::uint64_t clock_reasons = 0;
};

/// Reads what a device is doing. Nothing is ever set.
class DeviceMonitor {
 public:
  virtual ~DeviceMonitor() = default;
  virtual DeviceReading read() = 0;
};

struct OpenedMonitor {
  std::unique_ptr<DeviceMonitor> monitor;  ///< null where there is none
  std::string reason;                      ///< then why, in one line
};
/// The management library is loaded where it is installed; it is no dependency.
OpenedMonitor open_device_monitor(const DeviceInfo& device);

}  // namespace assay
