#include "engine/sampling/softmax.hpp"

#include "engine/logits/rows.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/filters/left.hpp"
#include "kernels/sampling/softmax.hpp"

namespace assay::sampling {

namespace {

constexpr const char* name = "sampling.softmax";

std::vector<double> bound(const Arguments& arguments, std::string_view, std::span<const double> reference) {
  const auto tokens = static_cast<double>(arguments.input("logits").extent(1));
  std::vector<double> allowed;
  for (const double r : reference) allowed.push_back((tokens * 0x1p-45 + 2e-13 + 0x1p-24) * r + 0x1p-149);
  return allowed;
}

}  // namespace

void softmax(Context& context, const ConstTensorView& logits, const std::optional<ConstTensorView>& mask,
             const TensorView& probabilities) {
  kernels::sampling::SoftmaxCall call{};
  call.in = logits::check_rows(name, context, logits, mask);
  logits::check_output(name, "probabilities", context, probabilities, DType::f32,
                       {call.in.rows, call.in.tokens});
  call.probabilities = probabilities.as<float>().data();
  if (call.in.rows == 0) return;
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    kernels::sampling::softmax_cuda(context.stream().handle(), call);
#endif
    return;
  }
  const Workspace::Frame frame(context.workspace());
  const auto scratch = context.workspace().take<std::byte>(
      kernels::filters::RowScratch::bytes(call.in.tokens) * context.pool().threads());
  kernels::sampling::softmax_cpu(context.pool(), call, scratch);
}

Operation describe_softmax() {
  Operation operation;
  operation.name = name;
  operation.summary = "Probabilities of the tokens of each row, the same bits on every backend.";
  operation.paper = "Bridle 1990; weights: kernels/distribution";
  operation.error_model = "(n 2^-45 + 2e-13 + 2^-24) r + 2^-149";
  operation.inputs = {logits::describe_logits(), logits::describe_mask()};
  operation.outputs = {{.name = "probabilities",
                        .summary = "0 for what is not allowed",
                        .dtypes = {DType::f32},
                        .shape = "(rows, tokens)"}};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.batches = {logits::rows_apart({"logits", "mask"}, {"probabilities"})};
  operation.output_shapes = [](const Arguments& arguments) {
    return std::vector<OutputShape>{{"probabilities", DType::f32, arguments.input("logits").shape}};
  };
  operation.work = [](const Arguments& arguments) {
    return logits::work_of(arguments, 4.0 * static_cast<double>(arguments.input("logits").elements()));
  };
  operation.error_bound = bound;
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    softmax(context, arguments.input("logits"), logits::maybe(arguments, "mask"),
            outputs.at("probabilities"));
  };
  return operation;
}

}  // namespace assay::sampling
