#pragma once

#include <cstddef>
#include <memory>

struct CUstream_st;  // cudaStream_t is a pointer to this: no CUDA header is needed to pass one on

namespace assay {

class Event;

/// An ordered queue of device work, on one device, that does not wait for the legacy default stream.
/// Move-only. Every call throws DeviceError where the runtime reports a failure, BackendUnavailable without
/// CUDA.
class Stream {
 public:
  explicit Stream(int device);

  CUstream_st* handle() const { return handle_.get(); }
  int device() const { return device_; }

  /// Waits until all work is done. A sticky DeviceError: the process cannot use the device again.
  void synchronize();
  /// Whether all work is done.
  bool idle() const;
  /// Later work of this stream waits for the event.
  void wait(const Event& event);
  /// Copies between host and device memory in any direction, in stream order. Pageable host memory is staged
  /// by the runtime; pinned memory is copied directly and must stay until the stream has been synchronised.
  void copy(void* to, const void* from, std::size_t bytes);
  /// Sets each byte of device memory.
  void fill(void* memory, unsigned char value, std::size_t bytes);

 private:
  struct Destroy {
    void operator()(CUstream_st* stream) const noexcept;
  };
  std::unique_ptr<CUstream_st, Destroy> handle_;
  int device_ = 0;
};

}  // namespace assay
