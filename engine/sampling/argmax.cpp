#include "engine/sampling/argmax.hpp"

#include "engine/logits/rows.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/filters/left.hpp"
#include "kernels/sampling/argmax.hpp"

namespace assay::sampling {

namespace {

constexpr const char* name = "sampling.argmax";

}  // namespace

void argmax(Context& context, const ConstTensorView& logits, const std::optional<ConstTensorView>& mask,
            const TensorView& token, const TensorView& logit) {
  kernels::sampling::ArgmaxCall call{};
  call.in = logits::check_rows(name, context, logits, mask);
  logits::check_output(name, "token", context, token, DType::i32, {call.in.rows});
  logits::check_output(name, "logit", context, logit, DType::f32, {call.in.rows});
  call.token = token.as<std::int32_t>().data();
  call.logit = logit.as<float>().data();
  if (call.in.rows == 0) return;
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    kernels::sampling::argmax_cuda(context.stream().handle(), call);
#endif
    return;
  }
  const Workspace::Frame frame(context.workspace());
  const auto scratch = context.workspace().take<std::byte>(
      kernels::filters::RowScratch::bytes(call.in.tokens) * context.pool().threads());
  kernels::sampling::argmax_cpu(context.pool(), call, scratch);
}

Operation describe_argmax() {
  Operation operation;
  operation.name = name;
  operation.summary = "The first of the most likely tokens of each row.";
  operation.paper = "greedy decoding; the order of tokens: engine/logits/rows.hpp";
  operation.error_model = "exact";
  operation.inputs = {logits::describe_logits(), logits::describe_mask()};
  operation.outputs = {
      {.name = "token", .summary = "-1: none can be", .dtypes = {DType::i32}, .shape = "(rows)"},
      {.name = "logit",
       .summary = "of the token; -Inf without one",
       .dtypes = {DType::f32},
       .shape = "(rows)",
       .errors = ErrorModel::exact}};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.batches = {logits::rows_apart({"logits", "mask"}, {"token", "logit"})};
  operation.output_shapes = [](const Arguments& arguments) {
    const std::int64_t rows = arguments.input("logits").extent(0);
    return std::vector<OutputShape>{{"token", DType::i32, {rows}}, {"logit", DType::f32, {rows}}};
  };
  operation.work = [](const Arguments& arguments) {
    return logits::work_of(arguments, 8.0 * static_cast<double>(arguments.input("logits").extent(0)));
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    argmax(context, arguments.input("logits"), logits::maybe(arguments, "mask"), outputs.at("token"),
           outputs.at("logit"));
  };
  return operation;
}

}  // namespace assay::sampling
