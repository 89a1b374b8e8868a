#pragma once

#include <cstdint>
#include <memory>

namespace assay {

/// What device code may report; it never throws. Zero is good.
enum class DeviceStatus : std::uint32_t {
  ok = 0,
  index_out_of_range = 1,
  value_out_of_range = 2,
  capacity_exceeded = 3
};

/// What Context::synchronize says of a status other than `ok`.
constexpr const char* message_of(DeviceStatus status) {
  switch (status) {
    case DeviceStatus::ok:
      return "device code reported no failure";
    case DeviceStatus::index_out_of_range:
      return "device code met an index out of range";
    case DeviceStatus::value_out_of_range:
      return "device code met a value outside an operation's domain (NaN, infinite or out of range) since "
             "the "
             "last synchronisation; expected what the operation's contract asks for, which the cpu backend "
             "checks by argument and element";
    case DeviceStatus::capacity_exceeded:
      return "device code ran out of room in a buffer";
  }
  return "device code reported an unknown status";
}

/// One word that kernels write and the host reads after a synchronisation (Context::synchronize does):
/// page-locked host memory that the device sees, so that reading it costs no copy. Move-only.
class StatusWord {
 public:
  /// Throws DeviceError, or BackendUnavailable without CUDA.
  explicit StatusWord(int device);

  /// For a kernel: store a DeviceStatus here. The last writer wins; any of them will do.
  std::uint32_t* on_device() const { return on_device_; }
  /// The stored status, which is then cleared. Call after the stream has been synchronised.
  DeviceStatus take();

 private:
  struct Free {
    void operator()(std::uint32_t* word) const noexcept;
  };
  std::unique_ptr<std::uint32_t, Free> on_host_;
  std::uint32_t* on_device_ = nullptr;
};

}  // namespace assay
