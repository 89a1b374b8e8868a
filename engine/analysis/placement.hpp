#pragma once

#include "engine/runtime/buffer.hpp"
#include "engine/runtime/context.hpp"
#include "engine/tensors/tensor.hpp"

namespace assay::analysis {

/// A contiguous host array where a context computes: itself on the CPU, a copy in the memory of a device. The
/// host array must outlive it.
class PlacedInput {
 public:
  PlacedInput(Context& context, const ConstTensorView& host);
  const ConstTensorView& view() const { return view_; }

 private:
  DeviceBuffer buffer_;
  ConstTensorView view_;
};

/// A host array that a context writes: itself on the CPU; on a device an array that `collect` copies back,
/// waiting for the work before it.
class PlacedOutput {
 public:
  PlacedOutput(Context& context, const TensorView& host);
  const TensorView& view() const { return view_; }
  void collect(Context& context);

 private:
  DeviceBuffer buffer_;
  TensorView host_, view_;
};

}  // namespace assay::analysis
