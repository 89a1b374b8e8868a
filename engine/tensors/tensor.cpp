#include "engine/tensors/tensor.hpp"

#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>

namespace assay {

namespace {
constexpr std::align_val_t alignment{64};
}

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0) throw std::length_error("a tensor extent is negative: " + to_string(shape));
    if (extent != 0 && count > std::numeric_limits<std::int64_t>::max() / 8 / extent)
      throw std::length_error("a tensor of shape " + to_string(shape) + " is larger than 2^63 bytes");
    count *= extent;
  }
  return count;
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape[axis]);
  }
  return text + ")";
}

std::vector<std::int64_t> contiguous_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

ConstTensorView as_const(const TensorView& view) {
  return {view.data, view.dtype, view.shape, view.strides, view.space};
}

namespace detail {
void throw_wrong_view(DType held, DType asked, bool contiguous) {
  if (held != asked)
    throw std::invalid_argument("a tensor of " + std::string(name_of(held)) + " was read as " +
                                std::string(name_of(asked)));
  throw std::invalid_argument(contiguous ? "unreadable tensor view"
                                         : "a strided tensor view was read as contiguous");
}
}  // namespace detail

Tensor::Tensor(DType dtype, Shape shape) : dtype_(dtype), shape_(std::move(shape)) {
  memory_.reset(static_cast<std::byte*>(::operator new[](bytes() == 0 ? 1 : bytes(), alignment)));
}

void Tensor::assign(const void* source, std::size_t count) {
  if (count != bytes())
    throw std::invalid_argument("a tensor of shape " + to_string(shape_) + " needs " +
                                std::to_string(bytes()) + " bytes, not " + std::to_string(count));
  if (count > 0) std::memcpy(memory_.get(), source, count);
}

Tensor Tensor::clone() const {
  Tensor copy(dtype_, shape_);
  if (memory_) copy.assign(memory_.get(), bytes());
  return copy;
}

TensorView Tensor::view() {
  return {memory_.get(), dtype_, shape_, contiguous_strides(shape_), MemorySpace::host};
}

ConstTensorView Tensor::view() const {
  return {memory_.get(), dtype_, shape_, contiguous_strides(shape_), MemorySpace::host};
}

void Tensor::Free::operator()(std::byte* memory) const noexcept {
  ::operator delete[](memory, alignment);
}

}  // namespace assay
