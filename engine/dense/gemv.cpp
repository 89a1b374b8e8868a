#include "engine/dense/gemv.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "engine/blocks/rows.hpp"
#include "engine/error_bounds.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "engine/tensors/half.hpp"
#include "engine/view_checks.hpp"
#include "kernels/blocks/decode.hpp"
#include "kernels/blocks/dispatch.hpp"
#include "kernels/dense/gemv.hpp"

namespace assay::dense {

namespace {

constexpr const char* name = "dense.gemv";
constexpr std::int64_t most_vectors = 8;

[[noreturn]] void refuse(const char* argument, const std::string& expected) {
  throw ContractError(name, argument, expected);
}

void check_x(const ConstTensorView& x) {
  if (x.dtype != DType::f32 && x.dtype != DType::f16)
    refuse("x", "holds " + std::string(name_of(x.dtype)) + "; expected f32 or f16");
  if (x.rank() != 2) refuse("x", "has shape " + to_string(x.shape) + "; expected (batch, columns)");
  if (x.extent(0) > most_vectors)
    refuse("x", "has " + std::to_string(x.extent(0)) + " vectors; expected at most " +
                    std::to_string(most_vectors));
  if (x.extent(1) > 1 && x.strides[1] != 1)
    refuse("x", "has column stride " + std::to_string(x.strides[1]) + "; expected 1");
  if (x.extent(0) > 1 && x.strides[0] < x.extent(1))
    refuse("x", "has row stride " + std::to_string(x.strides[0]) + "; expected at least its " +
                    std::to_string(x.extent(1)) + " columns");
}

double x_at(const ConstTensorView& x, std::int64_t vector, std::int64_t column) {
  const std::int64_t place = vector * x.strides[0] + column;
  return x.dtype == DType::f16 ? to_float(reinterpret_cast<const Half*>(x.data)[place])
                               : reinterpret_cast<const float*>(x.data)[place];
}

/// The bytes of a block that its codes stand in, of the formats whose formula has a minimum. With codes of 0
/// an element is the minimum alone.
std::pair<int, int> codes_of(BlockFormat format) {
  switch (format) {
    case BlockFormat::q4_1:
    case BlockFormat::q5_1:
      return {4, layout_of(format).bytes};
    case BlockFormat::q2_k:
      return {16, 80};
    case BlockFormat::q4_k:
    case BlockFormat::q5_k:
      return {16, layout_of(format).bytes};
    default:
      return {0, 0};
  }
}

/// |d c| + |m| of the elements of a row, from above: what the bound is made of.
std::vector<double> magnitudes(BlockFormat format, const std::uint8_t* row, std::int64_t columns) {
  const BlockLayout& layout = layout_of(format);
  const auto [codes, codes_end] = codes_of(format);
  std::vector<double> made;
  kernels::blocks::with_format(format, [&](auto tag) {
    // Of blocks of one element the first of four is read: the copy has room for the others.
    std::vector<std::uint8_t> block(static_cast<std::size_t>(std::max(layout.bytes, 16)));
    const auto magnitude = [&](int at) -> double {
      return std::fabs(
          kernels::blocks::four_of<decltype(tag)::value, 1>(block.data(), at / 4 * 4).values[at % 4]);
    };
    for (std::int64_t first = 0; first < columns; first += layout.length) {
      std::copy_n(row + first / layout.length * layout.bytes, layout.bytes, block.begin());
      const std::size_t begin = made.size();
      for (int i = 0; i < layout.length; ++i) made.push_back(magnitude(i));
      if (codes_end == 0) continue;
      std::fill(block.begin() + codes, block.begin() + codes_end, std::uint8_t{0});
      for (int i = 0; i < layout.length; ++i)  // |d c| <= |w| + |m|
        made[begin + static_cast<std::size_t>(i)] += 2 * magnitude(i);
    }
  });
  return made;
}

// The bound that the contract header derives.
std::vector<double> bound(const Arguments& arguments, std::string_view, std::span<const double> reference) {
  const ConstTensorView& weights = arguments.input("weights");
  const ConstTensorView& x = arguments.input("x");
  const BlockFormat format = blocks::format_of(name, arguments);
  const std::int64_t rows = weights.extent(0), columns = x.extent(1), batch = x.extent(0);
  const double parts = format == BlockFormat::f32 ? 3 : format == BlockFormat::f16 ? 2 : 1;
  const double depth = 40 * parts + static_cast<double>(columns) / 512 + 44;
  std::vector<double> allowed(reference.size());
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(weights.data) + row * weights.strides[0];
    const std::vector<double> of_weights = magnitudes(format, bytes, columns);
    for (std::int64_t vector = 0; vector < batch; ++vector) {
      Terms terms;
      if (arguments.has("bias"))
        terms.add(exactly(reinterpret_cast<const float*>(arguments.input("bias").data)[row]));
      for (std::int64_t column = 0; column < columns; ++column) {
        const double weight = of_weights[static_cast<std::size_t>(column)];
        const double activation = std::fabs(x_at(x, vector, column));
        terms.add({weight * activation, 0x1p-122 * (weight + activation + 1)});
      }
      allowed[static_cast<std::size_t>(vector * rows + row)] = assay::sum(terms, depth, in_tensor_core).error;
    }
  }
  return allowed;
}

Operation make_description() {
  Operation operation;
  operation.name = name;
  operation.summary =
      "Products of a matrix in a block format of GGUF files with one to eight vectors, and a bias.";
  operation.paper = "ggml, ggml-quants.c and ggml-common.h, commit d99724f2";
  operation.error_model =
      "gamma_h (sum (|d c| + |m|) |x| + |bias|) + tiny, h = 40 p + columns / 512 + 44 of 2^-23, p = 1 (F16 "
      "2, F32 3)";
  operation.inputs = {
      {"weights", "the file's bytes; rows may be strided", {DType::u8}, "(rows, bytes of a row)"},
      {"x",
       "activations, at most 8 vectors; rows may be strided",
       {DType::f32, DType::f16},
       "(batch, columns)"},
      {.name = "bias",
       .summary = "added to every vector's products",
       .dtypes = {DType::f32},
       .shape = "(rows)",
       .optional = true}};
  operation.outputs = {{"y", "the products", {DType::f32}, "(batch, rows)"}};
  operation.parameters = {blocks::describe_format()};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.batches = {{.name = "rows", .inputs = {{"weights", 0}, {"bias", 0}}, .outputs = {{"y", 1}}},
                       {.name = "vectors", .inputs = {{"x", 0}}, .outputs = {{"y", 0}}}};
  return operation;
}

}  // namespace

void gemv(Context& context, const ConstTensorView& weights, BlockFormat format, const ConstTensorView& x,
          const std::optional<ConstTensorView>& bias, const TensorView& y) {
  check_x(x);
  blocks::check_rows(name, "weights", weights, format, x.extent(1));
  const std::int64_t rows = weights.extent(0);
  check_view(name, "y", y, DType::f32, {x.extent(0), rows});
  check_memory(name, "weights", context, weights.space);
  check_memory(name, "x", context, x.space);
  check_memory(name, "y", context, y.space);
  if (bias) {
    check_view(name, "bias", *bias, DType::f32, 1);
    if (bias->extent(0) != rows)
      refuse("bias", "has " + std::to_string(bias->extent(0)) + " elements; expected one for each of " +
                         std::to_string(rows) + " rows");
    check_memory(name, "bias", context, bias->space);
  }
  const kernels::dense::GemvCall call{format,
                                      reinterpret_cast<const std::uint8_t*>(weights.data),
                                      weights.strides[0],
                                      x.dtype,
                                      x.data,
                                      x.strides[0],
                                      bias ? reinterpret_cast<const float*>(bias->data) : nullptr,
                                      reinterpret_cast<float*>(y.data),
                                      rows,
                                      x.extent(1),
                                      static_cast<int>(x.extent(0))};
  if (call.rows == 0 || call.batch == 0) return;
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    kernels::dense::gemv_cuda(context.stream().handle(), call);
#endif
    return;
  }
  const Workspace::Frame frame(context.workspace());
  const auto scratch = context.workspace().take<float>(kernels::dense::gemv_cpu_scratch(call));
  kernels::dense::gemv_cpu(context.pool(), call, scratch.data());
}

Operation describe_gemv() {
  Operation operation = make_description();
  operation.output_shapes = [](const Arguments& arguments) {
    const ConstTensorView& weights = arguments.input("weights");
    const ConstTensorView& x = arguments.input("x");
    check_x(x);
    blocks::check_rows(name, "weights", weights, blocks::format_of(name, arguments), x.extent(1));
    return std::vector<OutputShape>{{"y", DType::f32, {x.extent(0), weights.extent(0)}}};
  };
  operation.work = [](const Arguments& arguments) {
    const ConstTensorView& weights = arguments.input("weights");
    const ConstTensorView& x = arguments.input("x");
    const auto bytes = static_cast<double>(weights.elements());
    const auto activations = static_cast<double>(x.elements());
    const auto rows = static_cast<double>(weights.extent(0));
    const double results = rows * static_cast<double>(x.extent(0));
    return Work{2 * rows * activations, bytes + activations * static_cast<double>(size_of(x.dtype)) +
                                            4 * results + (arguments.has("bias") ? 4 * rows : 0)};
  };
  operation.error_bound = bound;
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    gemv(context, arguments.input("weights"), blocks::format_of(name, arguments), arguments.input("x"),
         arguments.has("bias") ? std::optional(arguments.input("bias")) : std::nullopt, outputs.at("y"));
  };
  return operation;
}

}  // namespace assay::dense
