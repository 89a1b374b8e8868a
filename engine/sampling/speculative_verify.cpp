#include "engine/sampling/speculative_verify.hpp"

#include "engine/logits/rows.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "engine/view_checks.hpp"
#include "kernels/sampling/speculative_verify.hpp"

namespace assay::sampling {

namespace {

using kernels::sampling::SpeculativeCall;
using kernels::sampling::StepLogits;

constexpr const char* name = "sampling.speculative_verify";
constexpr std::int64_t most_steps = 256;

[[noreturn]] void refuse(const char* argument, const std::string& expected) {
  throw ContractError(name, argument, expected);
}

StepLogits check_steps(const char* argument, const Context& context, const ConstTensorView& logits) {
  if (logits.dtype != DType::f32 && logits.dtype != DType::f16 && logits.dtype != DType::bf16)
    refuse(argument, "holds " + std::string(name_of(logits.dtype)) + "; expected f32, f16 or bf16");
  if (logits.rank() != 3)
    refuse(argument, "has shape " + to_string(logits.shape) + "; expected (rows, steps, tokens)");
  const std::int64_t rows = logits.extent(0), steps = logits.extent(1), tokens = logits.extent(2);
  if (tokens < 1 || tokens > logits::most_tokens)
    refuse(argument,
           "has " + std::to_string(tokens) + " tokens; expected 1 to " + std::to_string(logits::most_tokens));
  if (tokens > 1 && logits.strides[2] != 1)
    refuse(argument,
           "has token stride " + std::to_string(logits.strides[2]) + "; expected tokens side by side");
  const std::int64_t step_stride = steps > 1 ? logits.strides[1] : tokens;
  if (step_stride < tokens)
    refuse(argument, "has step stride " + std::to_string(step_stride) + "; expected at least its " +
                         std::to_string(tokens) + " tokens");
  const std::int64_t row_stride = rows > 1 ? logits.strides[0] : 0;
  if (rows > 1 && row_stride < tokens)
    refuse(argument, "has row stride " + std::to_string(row_stride) + "; expected at least its " +
                         std::to_string(tokens) + " tokens");
  check_memory(name, argument, context, logits.space);
  return {logits.data, row_stride, step_stride};
}

/// On CUDA the kernel looks at the values.
void check_values(const Context& context, const SpeculativeCall& call) {
  if (context.backend() == Backend::cuda) return;
  for (std::int64_t row = 0; row < call.rows; ++row) {
    const std::int64_t drafted = call.drafted == nullptr ? call.steps : call.drafted[row];
    for (std::int64_t step = 0; step < drafted; ++step) {
      const std::int32_t id = call.draft_tokens[row * call.steps + step];
      if (id < 0 || id >= call.tokens)
        refuse("draft_tokens", "row " + std::to_string(row) + " has id " + std::to_string(id) + " at step " +
                                   std::to_string(step) + "; expected ids from 0 to " +
                                   std::to_string(call.tokens - 1));
    }
  }
}

SpeculativeCall checked(const Context& context, const SpeculativeInputs& inputs) {
  const ConstTensorView& target = inputs.target_logits;
  const ConstTensorView& draft = inputs.draft_logits;
  SpeculativeCall call{};
  call.target = check_steps("target_logits", context, target);
  call.draft = check_steps("draft_logits", context, draft);
  call.dtype = target.dtype;
  call.rows = draft.extent(0);
  call.steps = draft.extent(1);
  call.tokens = draft.extent(2);
  if (draft.dtype != target.dtype)
    refuse("draft_logits", "holds " + std::string(name_of(draft.dtype)) +
                               "; expected that of target_logits, " + std::string(name_of(target.dtype)));
  if (call.steps < 1 || call.steps > most_steps)
    refuse("draft_logits",
           "has " + std::to_string(call.steps) + " steps; expected 1 to " + std::to_string(most_steps));
  const Shape expected{call.rows, call.steps + 1, call.tokens};
  if (target.shape != expected)
    refuse("target_logits", "has shape " + to_string(target.shape) +
                                "; expected one step more than "
                                "draft_logits, " +
                                to_string(expected));
  if (inputs.draft_tokens.dtype != DType::i32)
    refuse("draft_tokens", "holds " + std::string(name_of(inputs.draft_tokens.dtype)) + "; expected i32");
  const Shape of_tokens{call.rows, call.steps};
  if (inputs.draft_tokens.shape != of_tokens || !inputs.draft_tokens.contiguous())
    refuse("draft_tokens", "has shape " + to_string(inputs.draft_tokens.shape) + "; expected a contiguous " +
                               to_string(of_tokens));
  check_memory(name, "draft_tokens", context, inputs.draft_tokens.space);
  call.draft_tokens = inputs.draft_tokens.as<std::int32_t>().data();
  const std::int64_t steps = call.steps;
  call.drafted = logits::check_per_row<std::int32_t>(
      name, "drafted", context, inputs.drafted, call.rows,
      [steps](std::int32_t length) { return length >= 0 && length <= steps; },
      "0 to " + std::to_string(steps));
  call.seed = logits::check_per_row<std::int64_t>(name, "seed", context, inputs.seed, call.rows, {}, "");
  call.position =
      logits::check_per_row<std::int64_t>(name, "position", context, inputs.position, call.rows, {}, "");
  check_values(context, call);
  return call;
}

}  // namespace

void speculative_verify(Context& context, const SpeculativeInputs& inputs, const TensorView& tokens,
                        const TensorView& accepted) {
  SpeculativeCall call = checked(context, inputs);
  logits::check_output(name, "tokens", context, tokens, DType::i32, {call.rows, call.steps + 1});
  logits::check_output(name, "accepted", context, accepted, DType::i32, {call.rows});
  call.out = tokens.as<std::int32_t>().data();
  call.accepted = accepted.as<std::int32_t>().data();
  if (call.rows == 0) return;
  const Workspace::Frame frame(context.workspace());
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    const auto verdicts = context.workspace().take<kernels::sampling::StepVerdict>(
        static_cast<std::size_t>(call.rows) * static_cast<std::size_t>(call.steps + 1));
    kernels::sampling::speculative_verify_cuda(context.stream().handle(), call, verdicts.data(),
                                               context.status().on_device());
#endif
    return;
  }
  const auto scratch = context.workspace().take<std::byte>(
      kernels::sampling::speculative_scratch(call.tokens) * context.pool().threads());
  kernels::sampling::speculative_verify_cpu(context.pool(), call, scratch);
}

Operation describe_speculative_verify() {
  Operation operation;
  operation.name = name;
  operation.summary = "Takes drafted tokens with probability min(1, p / q), then draws one of what is left.";
  operation.paper = "Leviathan, Kalman, Matias 2023, algorithm 1; Chen et al. 2023, algorithm 2";
  operation.error_model = "exact";
  const std::vector<DType> types = {DType::f32, DType::f16, DType::bf16};
  operation.inputs = {
      {"target_logits", "rows and steps may be strided", types, "(rows, K + 1, tokens)"},
      {"draft_logits", "of the distributions that draft_tokens were drawn from", types, "(rows, K, tokens)"},
      {"draft_tokens", "drafted, the first step first", {DType::i32}, "(rows, K)"},
      logits::describe_per_row("seed", "of the row", DType::i64),
      logits::describe_per_row("position", "of the first token", DType::i64),
      logits::describe_per_row("drafted", "so many draft tokens count; K where absent", DType::i32, true)};
  operation.outputs = {
      {.name = "tokens",
       .summary = "those taken, the one drawn, then -1",
       .dtypes = {DType::i32},
       .shape = "(rows, K + 1)"},
      {.name = "accepted", .summary = "draft tokens taken", .dtypes = {DType::i32}, .shape = "(rows)"}};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.batches = {
      logits::rows_apart({"target_logits", "draft_logits", "draft_tokens", "seed", "position", "drafted"},
                         {"tokens", "accepted"})};
  operation.output_shapes = [](const Arguments& arguments) {
    const Shape& shape = arguments.input("draft_logits").shape;
    return std::vector<OutputShape>{{"tokens", DType::i32, {shape[0], shape[1] + 1}},
                                    {"accepted", DType::i32, {shape[0]}}};
  };
  // Each logit once, as if all draft tokens were taken.
  operation.work = [](const Arguments& arguments) {
    const auto elements = static_cast<double>(arguments.input("draft_logits").elements() +
                                              arguments.input("target_logits").elements());
    return Work{elements, elements * static_cast<double>(size_of(arguments.input("draft_logits").dtype))};
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    speculative_verify(
        context,
        {arguments.input("target_logits"), arguments.input("draft_logits"), arguments.input("draft_tokens"),
         arguments.input("seed"), arguments.input("position"), logits::maybe(arguments, "drafted")},
        outputs.at("tokens"), outputs.at("accepted"));
  };
  return operation;
}

}  // namespace assay::sampling
