#include "validation/preconditions.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "engine/runtime/buffer.hpp"
#include "engine/runtime/stream.hpp"
#include "validation/guarded.hpp"
#include "validation/suite.hpp"

namespace assay::validation {

namespace {

// All bits set is NaN in every floating-point type and -1 in the signed integers; 0x47.. is a large finite
// number in most: what is added to either shows, which a pattern close to zero would hide.
constexpr std::uint8_t poisons[] = {0xFF, 0x47};

struct Guarded {
  std::map<std::string, GuardedTensor> inputs;
  std::map<std::string, GuardedTensor> outputs;
};

void check_bands(const Operation& operation, const std::map<std::string, GuardedTensor>& tensors,
                 const char* role) {
  for (const auto& [name, tensor] : tensors) {
    if (const auto row = tensor.broken_gap())
      throw Failed(operation.name + ": wrote between the rows of " + role + " '" + name + "', after row " +
                   std::to_string(*row));
    const auto broken = tensor.broken();
    if (!broken) continue;
    throw Failed(operation.name + ": wrote out of bounds, " +
                 (*broken < 0 ? std::to_string(-*broken) + " bytes before the start of "
                              : std::to_string(*broken) + " bytes past the end of ") +
                 role + " '" + name + "'");
  }
}

// The device's copies of guarded tensors, bands included; empty on the CPU backend.
class Mirror {
 public:
  explicit Mirror(Context& context) : context_(context) {}

  TensorView view(GuardedTensor& tensor) {
    TensorView view = tensor.view();
    if (context_.backend() != Backend::cuda) return view;
    Copy& copy = copies_.emplace_back(Copy{DeviceBuffer(context_.device(), tensor.whole().size()), &tensor});
    context_.stream().copy(copy.device.data(), tensor.whole().data(), tensor.whole().size());
    view.data = copy.device.data() + tensor.offset();
    view.space = MemorySpace::device;
    return view;
  }

  void copy_back() {
    if (context_.backend() != Backend::cuda) return;
    context_.synchronize();
    for (Copy& copy : copies_) {
      context_.stream().copy(copy.host->whole().data(), copy.device.data(), copy.host->whole().size());
    }
    context_.synchronize();
  }

 private:
  struct Copy {
    DeviceBuffer device;
    GuardedTensor* host;
  };
  Context& context_;
  std::vector<Copy> copies_;
};

bool stays_on_host(const Operation& operation, const std::string& input) {
  for (const TensorInfo& info : operation.inputs) {
    if (info.name == input) return info.on_host;
  }
  return false;
}

Placement placement_of(const Placements& placements, const std::string& name) {
  const auto found = placements.find(name);
  return found == placements.end() ? Placement{} : found->second;
}

void check_placements(const Operation& operation, const Placements& placements) {
  for (const auto& [name, placement] : placements) {
    const auto is_it = [&](const TensorInfo& info) { return info.name == name; };
    const bool input = std::any_of(operation.inputs.begin(), operation.inputs.end(), is_it);
    const bool output = std::any_of(operation.outputs.begin(), operation.outputs.end(), is_it);
    if (!input && (!output || placement.row_gap > 0))
      throw std::invalid_argument(
          operation.name + ": '" + name +
          (output ? "' is an output: its rows lie side by side" : "' is no tensor of it"));
  }
}

Guarded run_once(Context& context, const Operation& operation, const Arguments& arguments,
                 const Placements& placements, std::uint8_t poison) {
  Guarded memory;
  Mirror mirror(context);
  Arguments guarded;
  guarded.parameters = arguments.parameters;
  for (const auto& [name, view] : arguments.inputs) {
    GuardedTensor& tensor =
        memory.inputs.emplace(name, GuardedTensor(view, poison, placement_of(placements, name)))
            .first->second;
    guarded.inputs.emplace(
        name, assay::as_const(stays_on_host(operation, name) ? tensor.view() : mirror.view(tensor)));
  }
  Outputs outputs;
  for (const OutputShape& shape : operation.output_shapes(guarded)) {
    GuardedTensor& tensor = memory.outputs
                                .emplace(shape.name, GuardedTensor(shape.dtype, shape.shape, poison,
                                                                   placement_of(placements, shape.name)))
                                .first->second;
    outputs.emplace(shape.name, mirror.view(tensor));
  }
  operation.run(context, guarded, outputs);
  mirror.copy_back();
  check_bands(operation, memory.outputs, "output");
  check_bands(operation, memory.inputs, "input");
  for (const auto& [name, view] : arguments.inputs) {
    if (!memory.inputs.at(name).holds(view))
      throw Failed(operation.name + ": changed its input '" + name + "'");
  }
  return memory;
}

bool holds_poison(const std::byte* element, std::size_t bytes, std::uint8_t poison) {
  for (std::size_t i = 0; i < bytes; ++i) {
    if (element[i] != static_cast<std::byte>(poison)) return false;
  }
  return true;
}

void compare_runs(const Operation& operation, const std::string& name, const GuardedTensor& first,
                  const GuardedTensor& second) {
  if (first.bytes() == 0 || std::memcmp(first.data(), second.data(), first.bytes()) == 0) return;
  const std::size_t width = size_of(first.view().dtype);
  const std::size_t elements = first.bytes() / width;
  for (std::size_t i = 0; i < elements; ++i) {
    const std::byte* one = first.data() + i * width;
    const std::byte* other = second.data() + i * width;
    if (std::memcmp(one, other, width) == 0) continue;
    const std::string where =
        "element " + std::to_string(i) + " of output '" + name + "' " + to_string(first.view().shape);
    if (holds_poison(one, width, poisons[0]) && holds_poison(other, width, poisons[1])) {
      throw Failed(operation.name + ": " + where + " was never written");
    }
    throw Failed(
        operation.name + ": " + where +
        " differs between two runs on the same input: it depends on uninitialised memory or on timing");
  }
}

}  // namespace

std::map<std::string, Tensor> run_checked(Context& context, const Operation& operation,
                                          const Arguments& arguments, const Placements& placements) {
  const Arguments resolved = resolve(operation, arguments);
  check_placements(operation, placements);
  const Guarded first = run_once(context, operation, resolved, placements, poisons[0]);
  const Guarded second = run_once(context, operation, resolved, placements, poisons[1]);
  std::map<std::string, Tensor> outputs;
  for (const auto& [name, tensor] : first.outputs) {
    compare_runs(operation, name, tensor, second.outputs.at(name));
    Tensor copy(tensor.view().dtype, tensor.view().shape);
    if (tensor.bytes() > 0) std::memcpy(copy.view().data, tensor.data(), tensor.bytes());
    outputs.emplace(name, std::move(copy));
  }
  return outputs;
}

}  // namespace assay::validation
