#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace assay {

/// What the CUDA runtime says of one device. Clocks are the device's maxima, not the present ones.
struct DeviceInfo {
  int ordinal = 0;
  std::string name;
  std::string uuid;  ///< "GPU-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", as nvidia-smi prints it
  int compute_major = 0;
  int compute_minor = 0;
  std::size_t memory_bytes = 0;
  int multiprocessors = 0;
  std::size_t l2_bytes = 0;
  std::size_t shared_memory_per_block = 0;  ///< after opting in
  int clock_khz = 0;
  int memory_clock_khz = 0;
  int memory_bus_bits = 0;
  bool ecc = false;
};

/// A yes, or a no with its reason in one line.
struct Availability {
  bool available = false;
  std::string reason;  ///< empty where available
  explicit operator bool() const { return available; }
};

/// Whether this program holds CUDA bodies at all.
bool cuda_compiled();

/// Whether a CUDA context can be had: compiled in, a driver that is new enough, and at least one device.
Availability cuda_available();

/// All devices; empty where cuda_available() is a no. Throws DeviceError.
std::vector<DeviceInfo> cuda_devices();

/// "13.0": the newest CUDA that the driver serves; empty without CUDA or without a driver.
std::string cuda_driver_version();
/// "13.0": the CUDA runtime that this program was linked with; empty without CUDA.
std::string cuda_runtime_version();

/// Makes a device current on this thread for as long as it lives, and the earlier one after that. Launches
/// and allocations need it; streams, events and buffers bring their own. A negative ordinal does nothing.
class DeviceScope {
 public:
  explicit DeviceScope(int device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int previous_ = -1;
};

}  // namespace assay
