#include "engine/sampling/chain.hpp"

#include <algorithm>

#include "engine/filters/parameters.hpp"
#include "engine/logits/log_prob_error.hpp"
#include "engine/logits/rows.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "engine/view_checks.hpp"
#include "kernels/filters/left.hpp"
#include "kernels/filters/rows_cuda.hpp"
#include "kernels/sampling/chain.hpp"

namespace assay::sampling {

namespace {

using kernels::filters::Step;
using kernels::filters::Steps;
using kernels::sampling::ChainCall;

constexpr const char* name = "sampling.chain";
constexpr const char* default_order = "penalties,bias,top_k,typical,top_p,min_p,temperature";

struct NamedStep {
  std::string_view name;
  Step step;
};
constexpr NamedStep named_steps[] = {
    {"penalties", Step::penalties}, {"bias", Step::bias},   {"temperature", Step::temperature},
    {"top_k", Step::top_k},         {"top_p", Step::top_p}, {"min_p", Step::min_p},
    {"typical", Step::typical}};

Steps steps_of(std::string_view order) {
  Steps steps;
  while (!order.empty()) {
    const std::string_view word = order.substr(0, order.find(','));
    order.remove_prefix(std::min(order.size(), word.size() + 1));
    const auto* const end = std::end(named_steps);
    const auto* const found =
        std::find_if(std::begin(named_steps), end, [&](const NamedStep& one) { return one.name == word; });
    if (found == end)
      throw ContractError(
          name, "order",
          "names a step '" + std::string(word) +
              "'; expected some of penalties, bias, temperature, top_k, top_p, min_p, typical");
    if (steps.count == kernels::filters::most_steps)
      throw ContractError(name, "order",
                          "has more than " + std::to_string(kernels::filters::most_steps) + " steps");
    steps.list[static_cast<std::size_t>(steps.count++)] = found->step;
  }
  return steps;
}

std::vector<TensorInfo> described_inputs() {
  std::vector<TensorInfo> inputs = {logits::describe_logits(), logits::describe_mask()};
  for (const char* const input : {"temperature", "top_k", "top_p", "min_p", "typical_p", "repetition",
                                  "presence", "frequency", "last_n", "previous", "bias_ids", "biases"})
    inputs.push_back(filters::describe_parameter(input, true));
  inputs.push_back(logits::describe_per_row("seed", "of the row's draw", DType::i64));
  inputs.push_back(
      logits::describe_per_row("position", "of the draw: the same seed draws anew at each", DType::i64));
  return inputs;
}

}  // namespace

void chain(Context& context, const ChainInputs& inputs, const std::string& order, std::int64_t min_keep,
           const ChainOutputs& outputs) {
  const ConstTensorView& logits = inputs.logits;
  ChainCall call{};
  call.in = logits::check_rows(name, context, logits, inputs.mask);
  const std::int64_t rows = call.in.rows, tokens = call.in.tokens;
  call.steps = steps_of(order);
  call.parameters = filters::check_parameters(
      name, context, call.steps,
      {inputs.temperature, inputs.top_k, inputs.top_p, inputs.min_p, inputs.typical_p, inputs.repetition,
       inputs.presence, inputs.frequency, inputs.last_n, inputs.previous, inputs.bias_ids, inputs.biases},
      rows, tokens);
  call.parameters.min_keep = min_keep;
  call.seed = logits::check_per_row<std::int64_t>(name, "seed", context, inputs.seed, rows, {}, "");
  call.position =
      logits::check_per_row<std::int64_t>(name, "position", context, inputs.position, rows, {}, "");
  logits::check_output(name, "token", context, outputs.token, DType::i32, {rows});
  logits::check_output(name, "log_prob", context, outputs.log_prob, DType::f32, {rows});
  logits::check_output(name, "kept", context, outputs.kept, DType::i32, {rows});
  call.token = outputs.token.as<std::int32_t>().data();
  call.log_prob = outputs.log_prob.as<float>().data();
  call.kept = outputs.kept.as<std::int32_t>().data();
  if (outputs.left) {
    logits::check_output(name, "left", context, *outputs.left, DType::u32, {rows, logits::words_of(tokens)});
    logits::check_output(name, "left_logits", context, outputs.left_logits.value(), DType::f32,
                         {rows, tokens});
    call.left = outputs.left->as<std::uint32_t>().data();
    call.left_logits = outputs.left_logits->as<float>().data();
  }
  if (rows == 0) return;
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    const Workspace::Frame frame(context.workspace());
    const auto words = static_cast<std::size_t>(kernels::filters::pending_words(call.in));
    std::uint32_t* const pending =
        words == 0 ? nullptr : context.workspace().take<std::uint32_t>(words).data();
    kernels::sampling::chain_cuda(context.stream().handle(), call, pending, context.status().on_device());
#endif
    return;
  }
  const Workspace::Frame frame(context.workspace());
  const auto scratch = context.workspace().take<std::byte>(kernels::filters::RowScratch::bytes(tokens) *
                                                           context.pool().threads());
  kernels::sampling::chain_cpu(context.pool(), call, scratch);
}

Operation describe_chain() {
  Operation operation;
  operation.name = name;
  operation.summary = "Steps of a sampling chain in any order, and a draw from what they leave.";
  operation.paper =
      "top-p: Holtzman et al. 2020; typical: Meister et al. 2023; min-p: Nguyen et al. 2024; draws: Salmon "
      "et "
      "al. 2011";
  operation.error_model = "tokens exact; log_prob within n 2^-45 + 1e-13 + 2^-24 |r|";
  operation.inputs = described_inputs();
  operation.outputs = {
      {.name = "token", .summary = "drawn; -1: none can be", .dtypes = {DType::i32}, .shape = "(rows)"},
      {.name = "log_prob",
       .summary = "ln of its probability among what is left",
       .dtypes = {DType::f32},
       .shape = "(rows)"},
      {.name = "kept", .summary = "tokens left", .dtypes = {DType::i32}, .shape = "(rows)"},
      {.name = "left",
       .summary = "with `survivors`: their bits",
       .dtypes = {DType::u32},
       .shape = "(rows, ceil(tokens / 32))",
       .optional = true},
      {.name = "left_logits",
       .summary = "with `survivors`: their logits, -Inf for the others",
       .dtypes = {DType::f32},
       .shape = "(rows, tokens)",
       .optional = true,
       .errors = ErrorModel::exact}};
  operation.parameters = {{.name = "order",
                           .summary = "steps with commas between, in the order they are applied",
                           .type = ParameterType::text,
                           .fallback = std::string(default_order)},
                          {.name = "min_keep",
                           .summary = "top_p, min_p and typical keep so many at least",
                           .type = ParameterType::integer,
                           .fallback = std::int64_t{1},
                           .minimum = 0,
                           .maximum = static_cast<double>(logits::most_tokens)},
                          {.name = "survivors",
                           .summary = "also give what is left",
                           .type = ParameterType::flag,
                           .fallback = false}};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.batches = {logits::rows_apart(
      {"logits", "mask", "temperature", "top_k", "top_p", "min_p", "typical_p", "repetition", "presence",
       "frequency", "last_n", "previous", "bias_ids", "biases", "seed", "position"},
      {"token", "log_prob", "kept"})};
  operation.output_shapes = [](const Arguments& arguments) {
    const Shape& shape = arguments.input("logits").shape;
    std::vector<OutputShape> shapes{{"token", DType::i32, {shape[0]}},
                                    {"log_prob", DType::f32, {shape[0]}},
                                    {"kept", DType::i32, {shape[0]}}};
    if (!arguments.flag("survivors")) return shapes;
    shapes.push_back({"left", DType::u32, {shape[0], logits::words_of(shape[1])}});
    shapes.push_back({"left_logits", DType::f32, shape});
    return shapes;
  };
  operation.work = [](const Arguments& arguments) { return logits::work_of(arguments, 0); };
  operation.error_bound = [](const Arguments& arguments, std::string_view,
                             std::span<const double> reference) {
    const auto tokens = static_cast<double>(arguments.input("logits").extent(1));
    std::vector<double> allowed;
    for (const double value : reference) allowed.push_back(logits::log_prob_error(tokens, value));
    return allowed;
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    const auto given = [&](const char* input) { return logits::maybe(arguments, input); };
    ChainOutputs to{outputs.at("token"), outputs.at("log_prob"), outputs.at("kept"), {}, {}};
    if (arguments.flag("survivors")) {
      to.left = outputs.at("left");
      to.left_logits = outputs.at("left_logits");
    }
    chain(context,
          {arguments.input("logits"), given("mask"), given("temperature"), given("top_k"), given("top_p"),
           given("min_p"), given("typical_p"), given("repetition"), given("presence"), given("frequency"),
           given("last_n"), given("previous"), given("bias_ids"), given("biases"), arguments.input("seed"),
           arguments.input("position")},
          arguments.text("order"), arguments.integer("min_keep"), to);
  };
  return operation;
}

}  // namespace assay::sampling
