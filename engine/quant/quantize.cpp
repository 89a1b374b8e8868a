#include "engine/quant/quantize.hpp"

#include "engine/quant/dequantize.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/view_checks.hpp"
#include "kernels/quant/quantize.hpp"

namespace assay::quant {

namespace {

constexpr const char* name = "quant.quantize";

[[noreturn]] void refuse(const char* argument, const std::string& expected) {
  throw ContractError(name, argument, expected);
}

void check_format(BlockFormat format) {
  if (is_encoded(format)) return;
  std::string names;
  for (const BlockFormat each : encoded_formats)
    names += (names.empty() ? "" : ", ") + std::string(layout_of(each).name);
  refuse("format", "is " + std::string(layout_of(format).name) + "; expected one of " + names);
}

/// The shape of the blocks.
Shape shape_of_blocks(const ConstTensorView& values, BlockFormat format) {
  check_format(format);
  if (values.dtype != DType::f32)
    refuse("values", "holds " + std::string(name_of(values.dtype)) + "; expected f32");
  if (values.rank() != 2)
    refuse("values", "has shape " + to_string(values.shape) + "; expected (rows, columns)");
  const std::int64_t columns = values.extent(1);
  const BlockLayout& layout = layout_of(format);
  if (columns % layout.length != 0)
    refuse("values", "has rows of " + std::to_string(columns) + "; expected a multiple of " +
                         std::to_string(layout.length) + ", the block length of " + std::string(layout.name));
  if (columns > 1 && values.strides[1] != 1)
    refuse("values", "has element stride " + std::to_string(values.strides[1]) + "; expected 1");
  if (values.extent(0) > 1 && values.strides[0] < columns)
    refuse("values", "has row stride " + std::to_string(values.strides[0]) + "; expected at least its " +
                         std::to_string(columns) + " columns");
  return {values.extent(0), columns / layout.length * layout.bytes};
}

BlockFormat format_of(const Arguments& arguments) {
  const std::optional<BlockFormat> format = block_format_named(arguments.text("format"));
  if (!format) refuse("format", "is '" + arguments.text("format") + "'; expected a block format");
  return *format;
}

ParameterInfo describe_format() {
  ParameterInfo info;
  info.name = "format";
  info.summary = "how the blocks are laid out";
  info.type = ParameterType::text;
  for (const BlockFormat format : encoded_formats) info.choices.emplace_back(layout_of(format).name);
  return info;
}

TensorInfo describe_blocks() {
  TensorInfo info;
  info.name = "blocks";
  info.summary = "the bytes that a file holds";
  info.dtypes = {DType::u8};
  info.shape = "(rows, bytes of a row)";
  info.errors = ErrorModel::exact;
  return info;
}

/// Operations an element, each counted alone: of the long formats those of the trials.
double flops_of(BlockFormat format) {
  switch (format) {
    case BlockFormat::q4_k:
      return 21 * 16 + 20;  // per trial 3 for a level, 7 for three sums, 6 for the error
    case BlockFormat::q6_k:
      return 19 * 8 + 3;
    case BlockFormat::mxfp4:
      return 8;
    default:
      return 3;
  }
}

}  // namespace

void quantize(Context& context, const ConstTensorView& values, BlockFormat format, const TensorView& blocks) {
  check_view(name, "blocks", blocks, DType::u8, shape_of_blocks(values, format));
  check_memory(name, "values", context, values.space);
  check_memory(name, "blocks", context, blocks.space);
  const kernels::quant::QuantizeCall call{format,
                                          reinterpret_cast<const float*>(values.data),
                                          values.strides[0],
                                          reinterpret_cast<std::uint8_t*>(blocks.data),
                                          values.extent(0),
                                          values.extent(1) / layout_of(format).length};
  if (call.rows == 0 || call.blocks_per_row == 0) return;
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    kernels::quant::quantize_cuda(context.stream().handle(), call);
#endif
    return;
  }
  kernels::quant::quantize_cpu(context.pool(), call);
}

Operation describe_quantize() {
  Operation operation;
  operation.name = name;
  operation.summary =
      "Rows in the block formats of GGUF files, bit for bit as ggml's reference encodes them.";
  operation.paper = "ggml, ggml-quants.c (quantize_row_*_ref), commit d99724f2";
  operation.error_model = "exact";
  operation.inputs = {{"values", "rows of numbers; rows may be strided", {DType::f32}, "(rows, columns)"}};
  operation.outputs = {describe_blocks()};
  operation.parameters = {describe_format()};
  operation.cuda_body = CudaBody::shared;
  operation.deterministic = true;
  operation.batches = {{.name = "rows", .inputs = {{"values", 0}}, .outputs = {{"blocks", 0}}}};
  operation.output_shapes = [](const Arguments& arguments) {
    return std::vector<OutputShape>{
        {"blocks", DType::u8, shape_of_blocks(arguments.input("values"), format_of(arguments))}};
  };
  operation.work = [](const Arguments& arguments) {
    const ConstTensorView& values = arguments.input("values");
    const BlockFormat format = format_of(arguments);
    const auto elements = static_cast<double>(values.elements());
    const auto written =
        static_cast<double>(values.extent(0)) * static_cast<double>(bytes_of_row(format, values.extent(1)));
    return Work{flops_of(format) * elements, 4 * elements + written};
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    quantize(context, arguments.input("values"), format_of(arguments), outputs.at("blocks"));
  };
  return operation;
}

}  // namespace assay::quant
