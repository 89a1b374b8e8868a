#include "engine/runtime/device_monitor.hpp"

#include <dlfcn.h>

#include <array>
#include <utility>

namespace assay {

namespace {

using Device = struct NvmlDevice*;
constexpr int success = 0, insufficient_size = 7;

/// One entry of the list of processes, version 3 of the library's structure.
struct ProcessInfo {
  unsigned pid;
  unsigned long long used_memory;
  unsigned gpu_instance, compute_instance;
};

/// The library's functions by name. It stays loaded: it keeps threads of its own.
class Library {
 public:
  explicit Library(std::string& why_not) : handle_(dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) {
      why_not = "the management library (libnvidia-ml.so.1) is not installed";
      return;
    }
    const auto init = find<int()>("nvmlInit_v2");
    if (init == nullptr || init() != success) {
      why_not = "the management library does not start";
      handle_ = nullptr;
    }
  }
  explicit operator bool() const { return handle_ != nullptr; }

  template <typename Function>
  Function* find(const char* name) const {
    return handle_ == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(handle_, name));
  }

 private:
  void* handle_;
};

class Nvml final : public DeviceMonitor {
 public:
  Nvml(const Library& library, Device device)
      : device_(device),
        clock_(library.find<int(Device, int, unsigned*)>("nvmlDeviceGetClockInfo")),
        reasons_(library.find<int(Device, unsigned long long*)>("nvmlDeviceGetCurrentClocksEventReasons")),
        power_(library.find<int(Device, unsigned*)>("nvmlDeviceGetPowerUsage")),
        cap_(library.find<int(Device, unsigned*)>("nvmlDeviceGetEnforcedPowerLimit")),
        temperature_(library.find<int(Device, int, unsigned*)>("nvmlDeviceGetTemperature")),
        errors_(library.find<int(Device, int, int, unsigned long long*)>("nvmlDeviceGetTotalEccErrors")),
        processes_(
            library.find<int(Device, unsigned*, ProcessInfo*)>("nvmlDeviceGetComputeRunningProcesses_v3")) {
    if (reasons_ == nullptr)  // its older name
      reasons_ = library.find<int(Device, unsigned long long*)>("nvmlDeviceGetCurrentClocksThrottleReasons");
  }

  DeviceReading read() override {
    constexpr int of_sm = 1, of_memory = 2, of_chip = 0, uncorrected = 1, since_driver = 0;
    DeviceReading reading;
    reading.sm_clock_mhz = number(clock_, of_sm);
    reading.memory_clock_mhz = number(clock_, of_memory);
    reading.power_milliwatts = number(power_);
    reading.power_cap_milliwatts = number(cap_);
    reading.temperature_celsius = number(temperature_, of_chip);
    unsigned long long value = 0;
    if (reasons_ != nullptr && reasons_(device_, &value) == success) reading.clock_reasons = value;
    if (errors_ != nullptr && errors_(device_, uncorrected, since_driver, &value) == success)
      reading.uncorrected_errors = static_cast<std::int64_t>(value);
    std::array<ProcessInfo, 64> listed{};
    unsigned count = listed.size();
    if (processes_ != nullptr) {
      const int code = processes_(device_, &count, listed.data());
      if (code == success || code == insufficient_size) reading.processes = static_cast<int>(count);
    }
    return reading;
  }

 private:
  int number(int (*function)(Device, unsigned*)) const {
    unsigned value = 0;
    return function != nullptr && function(device_, &value) == success ? static_cast<int>(value) : -1;
  }
  int number(int (*function)(Device, int, unsigned*), int what) const {
    unsigned value = 0;
    return function != nullptr && function(device_, what, &value) == success ? static_cast<int>(value) : -1;
  }

  Device device_;
  int (*clock_)(Device, int, unsigned*);
  int (*reasons_)(Device, unsigned long long*);
  int (*power_)(Device, unsigned*);
  int (*cap_)(Device, unsigned*);
  int (*temperature_)(Device, int, unsigned*);
  int (*errors_)(Device, int, int, unsigned long long*);
  int (*processes_)(Device, unsigned*, ProcessInfo*);
};

}  // namespace

std::string clock_reasons_text(std::uint64_t reasons) {
  static constexpr std::pair<std::uint64_t, const char*> names[] = {
      {clock_reason::idle, "idle"},
      {clock_reason::set_by_application, "clock set by an application"},
      {clock_reason::power_cap, "power cap"},
      {clock_reason::hardware_slowdown, "hardware slowdown"},
      {clock_reason::sync_boost, "sync boost"},
      {clock_reason::thermal_slowdown, "thermal slowdown"},
      {clock_reason::hardware_thermal_slowdown, "hardware thermal slowdown"},
      {clock_reason::power_brake, "power brake"},
      {clock_reason::set_for_display, "clock set for the display"}};
  std::string text;
  for (const auto& [bit, name] : names)
    if ((reasons & bit) != 0) {
      text += (text.empty() ? "" : ", ") + std::string(name);
      reasons &= ~bit;
    }
  if (reasons != 0) text += (text.empty() ? "" : ", ") + std::string("unknown reason");
  return text.empty() ? "none" : text;
}

OpenedMonitor open_device_monitor(const DeviceInfo& device) {
  static std::string why_not;
  static const Library library(why_not);
  if (!library) return {nullptr, why_not};
  const auto by_uuid = library.find<int(const char*, Device*)>("nvmlDeviceGetHandleByUUID");
  Device handle = nullptr;
  if (by_uuid == nullptr || by_uuid(device.uuid.c_str(), &handle) != success)
    return {nullptr, "the management library does not know device " + device.uuid};
  return {std::make_unique<Nvml>(library, handle), ""};
}

}  // namespace assay
