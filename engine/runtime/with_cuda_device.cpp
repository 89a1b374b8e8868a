#include <cuda_runtime_api.h>

#include <cstdio>

#include "engine/runtime/device.hpp"
#include "engine/runtime/with_cuda_check.hpp"

namespace assay {

using detail::check;

namespace {

std::string version_text(int version) {
  if (version <= 0) return "";
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (int byte = 0; byte < 16; ++byte) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(uuid.bytes[byte]));
    if (byte == 4 || byte == 6 || byte == 8 || byte == 10) text += '-';
    text += digits;
  }
  return text;
}

int attribute(int device, cudaDeviceAttr which) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
  return value;
}

}  // namespace

bool cuda_compiled() {
  return true;
}

Availability cuda_available() {
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code != cudaSuccess) {
    (void)cudaGetLastError();
    int driver = 0;  // stays 0 where no driver is installed, which the runtime reports as one that is too old
    if (cudaDriverGetVersion(&driver) == cudaSuccess && driver == 0)
      return {false, "no usable CUDA device: no NVIDIA driver is installed"};
    return {false, std::string("no usable CUDA device: ") + cudaGetErrorString(code)};
  }
  if (count == 0) return {false, "no usable CUDA device: the driver reports none"};
  return {true, ""};
}

std::vector<DeviceInfo> cuda_devices() {
  std::vector<DeviceInfo> devices;
  if (!cuda_available()) return devices;
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
    DeviceInfo info;
    info.ordinal = ordinal;
    info.name = properties.name;
    info.uuid = uuid_text(properties.uuid);
    info.compute_major = properties.major;
    info.compute_minor = properties.minor;
    info.memory_bytes = properties.totalGlobalMem;
    info.multiprocessors = properties.multiProcessorCount;
    info.l2_bytes = static_cast<std::size_t>(properties.l2CacheSize);
    info.shared_memory_per_block = properties.sharedMemPerBlockOptin;
    info.clock_khz = attribute(ordinal, cudaDevAttrClockRate);
    info.memory_clock_khz = attribute(ordinal, cudaDevAttrMemoryClockRate);
    info.memory_bus_bits = properties.memoryBusWidth;
    info.ecc = properties.ECCEnabled != 0;
    devices.push_back(std::move(info));
  }
  return devices;
}

std::string cuda_driver_version() {
  int version = 0;
  if (cudaDriverGetVersion(&version) != cudaSuccess) return "";
  return version_text(version);
}

std::string cuda_runtime_version() {
  int version = 0;
  if (cudaRuntimeGetVersion(&version) != cudaSuccess) return "";
  return version_text(version);
}

DeviceScope::DeviceScope(int device) {
  if (device < 0) return;
  int current = 0;
  check(cudaGetDevice(&current), "cudaGetDevice");
  if (current == device) return;
  check(cudaSetDevice(device), "cudaSetDevice");
  previous_ = current;
}

DeviceScope::~DeviceScope() {
  if (previous_ >= 0) (void)cudaSetDevice(previous_);
}

}  // namespace assay
