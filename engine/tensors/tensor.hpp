#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/tensors/dtype.hpp"

namespace assay {

/// Extents of a tensor, outermost first. `{}` is a scalar with one element.
using Shape = std::vector<std::int64_t>;

/// Number of elements. Throws std::length_error where the product does not fit 63 bits or an extent is
/// negative.
std::int64_t element_count(const Shape& shape);

/// "(1000, 3)".
std::string to_string(const Shape& shape);

/// Row-major strides in elements.
std::vector<std::int64_t> contiguous_strides(const Shape& shape);

enum class MemorySpace : std::uint8_t { host, device };

/// A view that does not own: untyped, strided (strides in elements), in host or device memory.
template <typename Byte>
struct BasicTensorView {
  Byte* data = nullptr;
  DType dtype = DType::f64;
  Shape shape;
  std::vector<std::int64_t> strides;
  MemorySpace space = MemorySpace::host;

  std::int64_t extent(std::size_t axis) const { return shape.at(axis); }
  std::size_t rank() const { return shape.size(); }
  std::int64_t elements() const { return element_count(shape); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * size_of(dtype); }
  bool contiguous() const { return strides == contiguous_strides(shape); }

  /// The elements as T. Precondition (checked): the element type is T and the view is contiguous.
  template <typename T>
  auto as() const;
};

using TensorView = BasicTensorView<std::byte>;
using ConstTensorView = BasicTensorView<const std::byte>;

ConstTensorView as_const(const TensorView& view);

namespace detail {
[[noreturn]] void throw_wrong_view(DType held, DType asked, bool contiguous);
}

template <typename Byte>
template <typename T>
auto BasicTensorView<Byte>::as() const {
  using Element = std::conditional_t<std::is_const_v<Byte>, const T, T>;
  if (dtype != dtype_of<T>() || !contiguous()) detail::throw_wrong_view(dtype, dtype_of<T>(), contiguous());
  return std::span<Element>(reinterpret_cast<Element*>(data), static_cast<std::size_t>(elements()));
}

/// Views of typed memory. `shape` is row-major and contiguous.
template <typename T>
ConstTensorView view_of(const T* data, Shape shape, MemorySpace space = MemorySpace::host) {
  auto strides = contiguous_strides(shape);
  return {reinterpret_cast<const std::byte*>(data), dtype_of<T>(), std::move(shape), std::move(strides),
          space};
}
template <typename T>
TensorView view_of(T* data, Shape shape,
                   MemorySpace space = MemorySpace::host) requires(!std::is_const_v<T>) {
  auto strides = contiguous_strides(shape);
  return {reinterpret_cast<std::byte*>(data), dtype_of<T>(), std::move(shape), std::move(strides), space};
}

/// An owning, contiguous host tensor, 64-byte aligned. Move-only: a copy is asked for by name (`clone`).
class Tensor {
 public:
  Tensor() = default;
  /// Elements are left uninitialised. Throws std::length_error for sizes that overflow, std::bad_alloc.
  Tensor(DType dtype, Shape shape);

  template <typename T>
  static Tensor from(std::span<const T> values, Shape shape) {
    Tensor tensor(dtype_of<T>(), std::move(shape));
    tensor.assign(values.data(), values.size() * sizeof(T));
    return tensor;
  }
  template <typename T>
  static Tensor from(const std::vector<T>& values, Shape shape) {
    return from(std::span<const T>(values), std::move(shape));
  }

  Tensor clone() const;
  TensorView view();
  ConstTensorView view() const;
  template <typename T>
  std::span<T> as() {
    return view().template as<T>();
  }
  template <typename T>
  std::span<const T> as() const {
    return view().template as<T>();
  }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t elements() const { return element_count(shape_); }
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * size_of(dtype_); }

 private:
  void assign(const void* source, std::size_t bytes);
  struct Free {
    void operator()(std::byte* memory) const noexcept;
  };
  std::unique_ptr<std::byte[], Free> memory_;
  DType dtype_ = DType::f64;
  Shape shape_{0};
};

}  // namespace assay
