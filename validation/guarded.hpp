#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "engine/tensors/tensor.hpp"
#include "validation/placement.hpp"

namespace assay::validation {

/// Width of the guard band on each side of a tensor.
inline constexpr std::size_t guard_bytes = 4096;

/// Whether tensors are allocated at their exact size, without guard bands: for sanitizers, which then see the
/// edge themselves. Chosen by the environment: ASSAY_GUARD=exact.
bool exact_size_allocations();

/// Host memory of one tensor between two guard bands. The data begins on a 4 KiB boundary (64 bytes where
/// exact), or as many elements after it as its placement says, and ends, at the last byte, against the second
/// band. What lies between rows that are placed apart is guarded as the bands are.
class GuardedTensor {
 public:
  /// Guard bands and data are filled with `fill`. Throws std::bad_alloc; std::invalid_argument for a
  /// placement that is negative, or parts the rows of a tensor that has none.
  GuardedTensor(DType dtype, Shape shape, std::uint8_t fill, Placement placement = {});
  /// A guarded copy of a contiguous host tensor, its bands filled with `fill`.
  GuardedTensor(const ConstTensorView& source, std::uint8_t fill, Placement placement = {});

  TensorView view();
  ConstTensorView view() const;
  /// Of the first element.
  const std::byte* data() const;
  /// Whether the elements are, byte for byte, those of a contiguous tensor of the same type and shape.
  bool holds(const ConstTensorView& source) const;
  /// The whole allocation, bands and data, and where in it the data begin: to be mirrored on a device.
  std::span<std::byte> whole();
  std::size_t offset() const { return before_; }
  /// From the first element to the end of the last one.
  std::size_t bytes() const { return bytes_; }

  /// Where the guard bands were written, if anywhere: bytes before the first element (negative) or from the
  /// end of the last one on (0 and more).
  std::optional<std::ptrdiff_t> broken() const;
  /// The row after which the gap was written, if any was.
  std::optional<std::int64_t> broken_gap() const;

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  std::size_t row_bytes() const { return static_cast<std::size_t>(columns_) * size_of(dtype_); }
  std::size_t pitch() const { return static_cast<std::size_t>(columns_ + gap_) * size_of(dtype_); }

  std::unique_ptr<std::byte[], Free> memory_;
  std::size_t before_ = 0;  ///< bytes before the first element
  std::size_t after_ = 0;   ///< bytes behind the last one
  std::size_t bytes_ = 0;   ///< from the first element to the end of the last one
  std::int64_t rows_ = 1, columns_ = 1, gap_ = 0;
  DType dtype_;
  Shape shape_;
  std::uint8_t fill_;
};

}  // namespace assay::validation
