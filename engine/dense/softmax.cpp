#include "engine/dense/softmax.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/error_bounds.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "engine/tensors/half.hpp"
#include "engine/view_checks.hpp"
#include "kernels/dense/softmax.hpp"

namespace assay::dense {

namespace {

constexpr const char* name = "dense.softmax";

bool is_element_type(DType type) {
  return type == DType::f32 || type == DType::f16 || type == DType::bf16;
}

void check(const Context& context, const ConstTensorView& x, const TensorView& y) {
  const auto refuse = [](const char* argument, const std::string& expected) {
    throw ContractError(name, argument, expected);
  };
  if (!is_element_type(x.dtype))
    refuse("x", "holds " + std::string(name_of(x.dtype)) + "; expected f32, f16 or bf16");
  if (x.rank() != 2) refuse("x", "has shape " + to_string(x.shape) + "; expected (rows, columns)");
  if (x.extent(1) > 1 && x.strides[1] != 1)
    refuse("x", "has column stride " + std::to_string(x.strides[1]) + "; expected 1");
  if (x.extent(0) > 1 && x.strides[0] < x.extent(1))
    refuse("x", "has row stride " + std::to_string(x.strides[0]) + "; expected at least its " +
                    std::to_string(x.extent(1)) + " columns");
  if (y.shape != x.shape) refuse("y", "has shape " + to_string(y.shape) + "; expected " + to_string(x.shape));
  if (y.dtype != x.dtype)
    refuse("y", "holds " + std::string(name_of(y.dtype)) + "; expected " + std::string(name_of(x.dtype)));
  if (!y.contiguous()) refuse("y", "is strided; expected a contiguous tensor");
  check_memory(name, "x", context, x.space);
  check_memory(name, "y", context, y.space);
}

double value_at(const ConstTensorView& x, std::int64_t row, std::int64_t column) {
  const std::int64_t place = row * x.strides[0] + column;
  switch (x.dtype) {
    case DType::f16:
      return to_float(reinterpret_cast<const Half*>(x.data)[place]);
    case DType::bf16:
      return to_float(reinterpret_cast<const BFloat16*>(x.data)[place]);
    default:
      return reinterpret_cast<const float*>(x.data)[place];
  }
}

Rounding output_rounding(DType type) {
  return type == DType::f16 ? in_half : type == DType::bf16 ? in_bfloat16 : in_float;
}

// The bound that the contract header derives, composed of the steps of a row.
std::vector<double> bound(const Arguments& arguments, std::string_view, std::span<const double> reference) {
  const ConstTensorView& x = arguments.input("x");
  const std::int64_t rows = x.extent(0);
  const std::int64_t columns = x.extent(1);
  const bool may_be_online = columns > 32768;
  const double depth = may_be_online ? 32 + 40 + 7 * std::ceil(static_cast<double>(columns) / 16384) : 32;
  constexpr double exp_roundings = 4;

  std::vector<double> allowed(reference.size());
  std::vector<Bounded> grown(static_cast<std::size_t>(columns));
  for (std::int64_t row = 0; row < rows; ++row) {
    double maximum = -std::numeric_limits<double>::infinity();
    for (std::int64_t column = 0; column < columns; ++column)
      maximum = std::max(maximum, value_at(x, row, column));
    Terms terms;
    for (std::int64_t column = 0; column < columns; ++column) {
      const double value = value_at(x, row, column);
      const Bounded below = difference(exactly(value), exactly(maximum), in_float);
      Bounded& term = grown[static_cast<std::size_t>(column)];
      term = value == -std::numeric_limits<double>::infinity() ? exactly(0)
                                                               : exponential(below, exp_roundings, in_float);
      terms.add(term);
      // An online sum scales its terms up to the last maximum: |d| u once more for each.
      if (may_be_online && std::isfinite(below.exact))
        terms.error += term.exact * std::fabs(below.exact) * in_float.unit;
    }
    const Bounded total = assay::sum(terms, depth, in_float);
    const Bounded inverse = quotient(exactly(1), total, in_float);
    for (std::int64_t column = 0; column < columns; ++column) {
      const auto j = static_cast<std::size_t>(column);
      Bounded y = product(grown[j], inverse, in_float);
      y.error += 0x1p-147;  // exp and the product may be subnormal, and exp is taken to a unit there
      allowed[static_cast<std::size_t>(row * columns) + j] =
          x.dtype == DType::f32 ? y.error : rounded(y, output_rounding(x.dtype)).error;
    }
  }
  return allowed;
}

}  // namespace

void softmax(Context& context, const ConstTensorView& x, const TensorView& y) {
  check(context, x, y);
  const kernels::dense::SoftmaxCall call{x.dtype, x.data, x.strides[0], y.data, x.extent(0), x.extent(1)};
  if (call.rows == 0 || call.columns == 0) return;
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    kernels::dense::softmax_cuda(context.stream().handle(), call);
#endif
    return;
  }
  const Workspace::Frame frame(context.workspace());
  const std::size_t per_worker = kernels::dense::softmax_scratch(call);
  const auto scratch = context.workspace().take<float>(per_worker * context.pool().threads());
  kernels::dense::softmax_cpu(context.pool(), call, scratch);
}

Operation describe_softmax() {
  Operation operation;
  operation.name = name;
  operation.summary = "Row-wise softmax, computed in float whatever the element type.";
  operation.paper = "Bridle 1990; shifted form: Blanchard, Higham, Higham 2021, IMA J. Numer. Anal. 41, 2311";
  operation.error_model =
      "r ((|d| + c D + 10) u + gamma_h + u_out) + tiny, u = 2^-24, h = 32 (more beyond 32768 "
      "columns)";
  const std::vector<DType> types = {DType::f32, DType::f16, DType::bf16};
  operation.inputs = {{"x", "logits; rows may be strided", types, "(rows, columns)"}};
  operation.outputs = {{"y", "probabilities; each row sums to one", types, "(rows, columns)"}};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.batches = {{.name = "rows", .inputs = {{"x", 0}}, .outputs = {{"y", 0}}}};
  operation.output_shapes = [](const Arguments& arguments) {
    const ConstTensorView& x = arguments.input("x");
    return std::vector<OutputShape>{{"y", x.dtype, x.shape}};
  };
  operation.work = [](const Arguments& arguments) {
    const ConstTensorView& x = arguments.input("x");
    const auto elements = static_cast<double>(x.elements());
    // Maximum, difference, exponential (one), sum, product; each element is read and written once.
    return Work{5 * elements, 2 * elements * static_cast<double>(size_of(x.dtype))};
  };
  operation.error_bound = bound;
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    softmax(context, arguments.input("x"), outputs.at("y"));
  };
  return operation;
}

}  // namespace assay::dense
