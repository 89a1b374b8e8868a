#include <vector>

#include "engine/operation.hpp"
#include "engine/runtime/buffer.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/stream.hpp"

namespace assay {

namespace {

// Bytes from the first to the end of the last element of a view whose strides are not negative.
std::size_t footprint(const Operation& operation, const std::string& name, const ConstTensorView& view) {
  std::int64_t last = 0;
  for (std::size_t axis = 0; axis < view.rank(); ++axis) {
    if (view.shape[axis] == 0) return 0;
    if (view.strides[axis] < 0)
      throw ContractError(operation.name, name, "has a negative stride; expected none");
    last += (view.shape[axis] - 1) * view.strides[axis];
  }
  return static_cast<std::size_t>(last + 1) * size_of(view.dtype);
}

void check_on_host(const Operation& operation, const Arguments& arguments) {
  for (const auto& [name, view] : arguments.inputs)
    if (view.space != MemorySpace::host)
      throw ContractError(operation.name, name, "lies in device memory; expected host memory");
}

}  // namespace

std::map<std::string, Tensor> run_on_host(Context& context, const Operation& operation,
                                          const Arguments& arguments) {
  if (!operation.has(context.backend()))
    throw BackendUnavailable(operation.name + " has no " + std::string(name_of(context.backend())) + " body");
  const Arguments resolved = resolve(operation, arguments);
  check_on_host(operation, resolved);

  std::map<std::string, Tensor> outputs;
  for (const OutputShape& output : operation.output_shapes(resolved))
    outputs.emplace(output.name, Tensor(output.dtype, output.shape));
  if (context.backend() != Backend::cuda) {
    Outputs views;
    for (auto& [name, tensor] : outputs) views.emplace(name, tensor.view());
    operation.run(context, resolved, views);
    return outputs;
  }

  // Strided inputs keep their strides: what lies between the rows is copied with them.
  std::vector<DeviceBuffer> held;
  Arguments on_device = resolved;
  for (const TensorInfo& info : operation.inputs) {
    const auto input = on_device.inputs.find(info.name);
    if (input == on_device.inputs.end() || info.on_host) continue;
    const std::size_t bytes = footprint(operation, info.name, input->second);
    const DeviceBuffer& buffer = held.emplace_back(context.device(), bytes);
    context.stream().copy(buffer.data(), input->second.data, bytes);
    input->second.data = buffer.data();
    input->second.space = MemorySpace::device;
  }
  Outputs views;
  for (const auto& [name, tensor] : outputs) {
    const DeviceBuffer& buffer = held.emplace_back(context.device(), tensor.bytes());
    views.emplace(name, view_of(buffer, tensor.dtype(), tensor.shape()));
  }
  operation.run(context, on_device, views);
  for (auto& [name, tensor] : outputs)
    context.stream().copy(tensor.view().data, views.at(name).data, tensor.bytes());
  context.synchronize();
  return outputs;
}

}  // namespace assay
