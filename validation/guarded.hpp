#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "engine/tensors/tensor.hpp"

namespace assay::validation {

/// Width of the guard band on each side of a tensor.
inline constexpr std::size_t guard_bytes = 4096;

/// Whether tensors are allocated at their exact size, without guard bands: for sanitizers, which then see the
/// edge themselves. Chosen by the environment: ASSAY_GUARD=exact.
bool exact_size_allocations();

/// Host memory of one tensor between two guard bands. The data begins on a 4 KiB boundary (64 bytes where
/// exact) and ends, at the last byte, against the second band.
class GuardedTensor {
 public:
  /// Guard bands and data are filled with `fill`. Throws std::bad_alloc.
  GuardedTensor(DType dtype, Shape shape, std::uint8_t fill);
  /// A guarded copy of a contiguous host tensor, its bands filled with `fill`.
  GuardedTensor(const ConstTensorView& source, std::uint8_t fill);

  TensorView view();
  ConstTensorView view() const;
  const std::byte* data() const;
  /// The whole allocation, bands and data, and where in it the data begin: to be mirrored on a device.
  std::span<std::byte> whole();
  std::size_t offset() const { return before_; }
  std::size_t bytes() const { return bytes_; }

  /// Where the guard bands were written, if anywhere: bytes before the first element (negative) or from the
  /// end of the last one on (0 and more).
  std::optional<std::ptrdiff_t> broken() const;

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  std::unique_ptr<std::byte[], Free> memory_;
  std::size_t before_ = 0;
  std::size_t bytes_ = 0;
  DType dtype_;
  Shape shape_;
  std::uint8_t fill_;
};

}  // namespace assay::validation
