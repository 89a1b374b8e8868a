#include "engine/filters/filter.hpp"

#include <utility>

#include "engine/logits/rows.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/filters/apply.hpp"
#include "kernels/filters/rows_cuda.hpp"

namespace assay::filters {

namespace {

using kernels::filters::FilterCall;

/// The elements of an output, or nullptr where it is not asked for.
template <typename T>
T* elements_of(std::string_view operation, const char* argument, const Context& context,
               const std::optional<TensorView>& view, const Shape& shape) {
  if (!view) return nullptr;
  logits::check_output(operation, argument, context, *view, dtype_of<T>(), shape);
  return view->template as<T>().data();
}

TensorInfo output(const char* name, const char* summary, DType dtype, const char* shape) {
  TensorInfo info;
  info.name = name;
  info.summary = summary;
  info.dtypes = {dtype};
  info.shape = shape;
  return info;
}

TensorInfo exact(TensorInfo info) {
  info.errors = ErrorModel::exact;
  return info;
}

TensorInfo kept_output() {
  return output("kept", "tokens left", DType::i32, "(rows)");
}

Shape shape_of(const TensorInfo& info, const Shape& logits) {
  if (info.name == "kept") return {logits[0]};
  if (info.name == "left") return {logits[0], logits::words_of(logits[1])};
  return logits;
}

Operation describe(std::string name, std::initializer_list<Takes> parameters, MinKeep min_keep,
                   std::vector<TensorInfo> outputs) {
  Operation operation;
  operation.name = std::move(name);
  operation.error_model = "exact";
  operation.inputs = {logits::describe_logits(), logits::describe_mask()};
  for (const Takes& one : parameters) operation.inputs.push_back(describe_parameter(one.name, one.optional));
  operation.outputs = std::move(outputs);
  if (min_keep == MinKeep::yes) {
    ParameterInfo info;
    info.name = "min_keep";
    info.summary = "so many are kept at least, and one always";
    info.fallback = std::int64_t{1};
    info.minimum = 0;
    info.maximum = static_cast<double>(logits::most_tokens);
    operation.parameters = {std::move(info)};
  }
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  BatchClaim rows{.name = "rows"};
  for (const TensorInfo& info : operation.inputs) rows.inputs.emplace(info.name, 0);
  for (const TensorInfo& info : operation.outputs) rows.outputs.emplace(info.name, 0);
  operation.batches = {std::move(rows)};
  operation.output_shapes = [given = operation.outputs](const Arguments& arguments) {
    std::vector<OutputShape> shapes;
    for (const TensorInfo& info : given)
      shapes.push_back({info.name, info.dtypes.front(), shape_of(info, arguments.input("logits").shape)});
    return shapes;
  };
  operation.work = [shapes = operation.output_shapes](const Arguments& arguments) {
    double written = 0;
    for (const OutputShape& shape : shapes(arguments))
      written += static_cast<double>(element_count(shape.shape)) * static_cast<double>(size_of(shape.dtype));
    return logits::work_of(arguments, written);
  };
  return operation;
}

}  // namespace

FilterOutputs outputs_of(const Survivors& survivors) {
  FilterOutputs made;
  made.kept = survivors.kept;
  made.left = survivors.left;
  made.left_logits = survivors.left_logits;
  return made;
}

void run(Context& context, std::string_view operation, const kernels::filters::Steps& steps, CpuBody body,
         const RowInputs& rows, const StepInputs& parameters, std::int64_t min_keep,
         const FilterOutputs& outputs) {
  FilterCall call;
  call.in = logits::check_rows(operation, context, rows.logits, rows.mask);
  const Shape whole{call.in.rows, call.in.tokens}, per_row{call.in.rows};
  call.steps = steps;
  call.parameters = check_parameters(operation, context, steps, parameters, call.in.rows, call.in.tokens);
  call.parameters.min_keep = min_keep;
  call.kept = elements_of<std::int32_t>(operation, "kept", context, outputs.kept, per_row);
  call.left = elements_of<std::uint32_t>(operation, "left", context, outputs.left,
                                         {call.in.rows, logits::words_of(call.in.tokens)});
  call.left_logits = outputs.adjusted
                         ? elements_of<float>(operation, "adjusted", context, outputs.adjusted, whole)
                         : elements_of<float>(operation, "left_logits", context, outputs.left_logits, whole);
  call.probabilities = elements_of<float>(operation, "probabilities", context, outputs.probabilities, whole);
  if (call.in.rows == 0) return;
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    const Workspace::Frame frame(context.workspace());
    const auto words = static_cast<std::size_t>(kernels::filters::pending_words(call.in));
    std::uint32_t* const pending =
        words == 0 ? nullptr : context.workspace().take<std::uint32_t>(words).data();
    kernels::filters::apply_cuda(context.stream().handle(), call, pending, context.status().on_device());
#endif
    return;
  }
  const Workspace::Frame frame(context.workspace());
  const std::size_t per_worker = kernels::filters::RowScratch::bytes(call.in.tokens);
  body(context.pool(), call, context.workspace().take<std::byte>(per_worker * context.pool().threads()));
}

Operation describe_filter(std::string name, std::initializer_list<Takes> parameters, MinKeep min_keep) {
  return describe(
      std::move(name), parameters, min_keep,
      {kept_output(), output("left", "bits of the tokens left", DType::u32, "(rows, ceil(tokens / 32))"),
       exact(output("left_logits", "their logits, -Inf for the others", DType::f32, "(rows, tokens)"))});
}

Operation describe_adjustment(std::string name, std::initializer_list<Takes> parameters) {
  return describe(std::move(name), parameters, MinKeep::no,
                  {exact(output("adjusted", "logits; -Inf for tokens that are not allowed", DType::f32,
                                "(rows, tokens)"))});
}

Operation describe_distribution(std::string name, std::initializer_list<Takes> parameters, MinKeep min_keep) {
  return describe(std::move(name), parameters, min_keep,
                  {output("probabilities", "of what is left, 0 for the others", DType::f32, "(rows, tokens)"),
                   kept_output()});
}

RowInputs rows_in(const Arguments& arguments) {
  return {arguments.input("logits"), logits::maybe(arguments, "mask")};
}

Survivors survivors_in(const Outputs& outputs) {
  return {outputs.at("kept"), outputs.at("left"), outputs.at("left_logits")};
}

}  // namespace assay::filters
