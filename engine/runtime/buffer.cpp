#include "engine/runtime/buffer.hpp"

#include <stdexcept>
#include <string>

namespace assay::detail {

TensorView view_in(std::byte* memory, std::size_t held_bytes, DType dtype, Shape shape, MemorySpace space) {
  auto strides = contiguous_strides(shape);
  TensorView view{memory, dtype, std::move(shape), std::move(strides), space};
  if (view.bytes() > held_bytes)
    throw std::length_error("a view of shape " + to_string(view.shape) + " needs " +
                            std::to_string(view.bytes()) + " bytes; the buffer holds " +
                            std::to_string(held_bytes));
  return view;
}

}  // namespace assay::detail
