#include "engine/quant/dequantize.hpp"

#include "engine/blocks/rows.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/view_checks.hpp"
#include "kernels/quant/dequantize.hpp"

namespace assay::quant {

namespace {

constexpr const char* name = "quant.dequantize";

[[noreturn]] void refuse(const char* argument, const std::string& expected) {
  throw ContractError(name, argument, expected);
}

ParameterInfo describe_columns() {
  ParameterInfo info;
  info.name = "columns";
  info.summary = "elements of a row, a multiple of the block's length";
  info.type = ParameterType::integer;
  info.minimum = 0;
  info.maximum = static_cast<double>(blocks::most_columns);
  return info;
}

TensorInfo describe_values() {
  TensorInfo info;
  info.name = "values";
  info.summary = "the elements, as ggml decodes them";
  info.dtypes = {DType::f32};
  info.shape = "(rows, columns)";
  info.errors = ErrorModel::exact;
  return info;
}

}  // namespace

std::int64_t bytes_of_row(BlockFormat format, std::int64_t columns) {
  return blocks::bytes_of_row(name, format, columns);
}

void dequantize(Context& context, const ConstTensorView& blocks, BlockFormat format,
                const TensorView& values) {
  if (values.rank() != 2)
    refuse("values", "has shape " + to_string(values.shape) + "; expected (rows, columns)");
  blocks::check_rows(name, "blocks", blocks, format, values.extent(1));
  check_view(name, "values", values, DType::f32, {blocks.extent(0), values.extent(1)});
  check_memory(name, "blocks", context, blocks.space);
  check_memory(name, "values", context, values.space);
  const kernels::quant::DequantizeCall call{format,
                                            reinterpret_cast<const std::uint8_t*>(blocks.data),
                                            blocks.strides[0],
                                            reinterpret_cast<float*>(values.data),
                                            values.extent(0),
                                            values.extent(1) / layout_of(format).length};
  if (call.rows == 0 || call.blocks_per_row == 0) return;
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    kernels::quant::dequantize_cuda(context.stream().handle(), call);
#endif
    return;
  }
  kernels::quant::dequantize_cpu(context.pool(), call);
}

Operation describe_dequantize() {
  Operation operation;
  operation.name = name;
  operation.summary = "Values of rows in the block formats of GGUF files, bit for bit as ggml decodes them.";
  operation.paper = "ggml, ggml-quants.c and ggml-common.h, commit d99724f2";
  operation.error_model = "exact";
  operation.inputs = {
      {"blocks", "the file's bytes; rows may be strided", {DType::u8}, "(rows, bytes of a row)"}};
  operation.outputs = {describe_values()};
  operation.parameters = {blocks::describe_format(), describe_columns()};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.batches = {{.name = "rows", .inputs = {{"blocks", 0}}, .outputs = {{"values", 0}}}};
  operation.output_shapes = [](const Arguments& arguments) {
    const ConstTensorView& blocks = arguments.input("blocks");
    const std::int64_t columns = arguments.integer("columns");
    blocks::check_rows(name, "blocks", blocks, blocks::format_of(name, arguments), columns);
    return std::vector<OutputShape>{{"values", DType::f32, {blocks.extent(0), columns}}};
  };
  operation.work = [](const Arguments& arguments) {
    const ConstTensorView& blocks = arguments.input("blocks");
    const double bytes = static_cast<double>(blocks.elements());
    const double values =
        static_cast<double>(blocks.extent(0)) * static_cast<double>(arguments.integer("columns"));
    const BlockLayout& layout = layout_of(blocks::format_of(name, arguments));
    // A product an element, a sum where there is an offset; each byte is read and each value written once.
    const double flops = layout.scale == BlockScale::none ? 0 : layout.minimum_at < 0 ? 1 : 2;
    return Work{flops * values, bytes + 4 * values};
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    const TensorView& values = outputs.at("values");
    if (values.rank() == 2 && values.extent(1) != arguments.integer("columns"))
      refuse("values", "has shape " + to_string(values.shape) + "; expected " +
                           std::to_string(arguments.integer("columns")) + " columns");
    dequantize(context, arguments.input("blocks"), blocks::format_of(name, arguments), values);
  };
  return operation;
}

}  // namespace assay::quant
