#pragma once

#include <cstddef>
#include <memory>

#include "engine/tensors/tensor.hpp"

namespace assay {

/// Owned memory of one device, 256-byte aligned, uninitialised. Move-only. The constructor throws DeviceError
/// where the memory is not to be had, BackendUnavailable without CUDA; zero bytes is a valid size.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(int device, std::size_t bytes);

  std::byte* data() const { return memory_.get(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t bytes_ = 0;
};

/// Owned page-locked host memory, which devices copy from and to without staging. Otherwise as DeviceBuffer.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  explicit PinnedBuffer(std::size_t bytes);

  std::byte* data() const { return memory_.get(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t bytes_ = 0;
};

namespace detail {
/// A contiguous view of `shape` at the start of the memory; throws std::length_error where it does not fit.
TensorView view_in(std::byte* memory, std::size_t held_bytes, DType dtype, Shape shape, MemorySpace space);
}  // namespace detail

/// A contiguous view of a buffer's first elements. Throws std::length_error where the buffer is too small.
inline TensorView view_of(const DeviceBuffer& buffer, DType dtype, Shape shape) {
  return detail::view_in(buffer.data(), buffer.bytes(), dtype, std::move(shape), MemorySpace::device);
}
inline TensorView view_of(const PinnedBuffer& buffer, DType dtype, Shape shape) {
  return detail::view_in(buffer.data(), buffer.bytes(), dtype, std::move(shape), MemorySpace::host);
}

}  // namespace assay
