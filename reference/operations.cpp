#include "reference/operations.hpp"

#include "engine/runtime/error.hpp"

namespace assay::reference {

std::map<std::string, Tensor> run(const Operation& operation, const Arguments& arguments) {
  const Body body = find(operation.name);
  if (body == nullptr) throw BackendUnavailable(operation.name + " has no reference");
  const Arguments resolved = resolve(operation, arguments);
  std::map<std::string, Tensor> outputs;
  Outputs views;
  for (const OutputShape& shape : operation.output_shapes(resolved)) {
    const bool floating = shape.dtype == DType::f64 || shape.dtype == DType::f32 ||
                          shape.dtype == DType::f16 || shape.dtype == DType::bf16;
    const auto placed =
        outputs.emplace(shape.name, Tensor(floating ? DType::f64 : shape.dtype, shape.shape)).first;
    views.emplace(shape.name, placed->second.view());
  }
  body(resolved, views);
  return outputs;
}

}  // namespace assay::reference
