#include "engine/analysis/placement.hpp"

#include "engine/runtime/stream.hpp"

namespace assay::analysis {

PlacedInput::PlacedInput(Context& context, const ConstTensorView& host) : view_(host) {
  if (context.backend() != Backend::cuda || host.data == nullptr) return;
  buffer_ = DeviceBuffer(context.device(), host.bytes());
  if (host.bytes() > 0) context.stream().copy(buffer_.data(), host.data, host.bytes());
  view_ = as_const(view_of(buffer_, host.dtype, host.shape));
}

PlacedOutput::PlacedOutput(Context& context, const TensorView& host) : host_(host), view_(host) {
  if (context.backend() != Backend::cuda || host.data == nullptr) return;
  buffer_ = DeviceBuffer(context.device(), host.bytes());
  view_ = view_of(buffer_, host.dtype, host.shape);
}

void PlacedOutput::collect(Context& context) {
  if (buffer_.bytes() > 0) context.stream().copy(host_.data, buffer_.data(), host_.bytes());
  context.synchronize();
}

}  // namespace assay::analysis
