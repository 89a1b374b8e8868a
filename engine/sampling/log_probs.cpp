#include "engine/sampling/log_probs.hpp"

#include "engine/logits/log_prob_error.hpp"
#include "engine/logits/rows.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/filters/left.hpp"
#include "kernels/sampling/log_probs.hpp"

namespace assay::sampling {

namespace {

constexpr const char* name = "sampling.log_probs";
constexpr std::int64_t most_listed = 1'024;

std::vector<TensorInfo> described_outputs() {
  return {{.name = "ids", .summary = "-1: no more tokens", .dtypes = {DType::i32}, .shape = "(rows, n)"},
          {.name = "log_probs",
           .summary = "ln of their probabilities",
           .dtypes = {DType::f32},
           .shape = "(rows, n)"},
          {.name = "chosen_log_prob",
           .summary = "with `tokens`: ln of the probability of each",
           .dtypes = {DType::f32},
           .shape = "(rows)",
           .optional = true},
          {.name = "chosen_rank",
           .summary = "with `tokens`: how many stand before it; -1: not allowed",
           .dtypes = {DType::i32},
           .shape = "(rows)",
           .optional = true}};
}

}  // namespace

void log_probs(Context& context, const ConstTensorView& logits, const std::optional<ConstTensorView>& mask,
               const std::optional<ConstTensorView>& tokens, std::int64_t n, const LogProbsOutputs& outputs) {
  kernels::sampling::LogProbsCall call{};
  call.in = logits::check_rows(name, context, logits, mask);
  const std::int64_t rows = call.in.rows;
  if (n < 1 || n > most_listed)
    throw ContractError(name, "n",
                        "is " + std::to_string(n) + "; expected 1 to " + std::to_string(most_listed));
  call.n = n;
  const std::int64_t last = call.in.tokens - 1;
  call.chosen = logits::check_per_row<std::int32_t>(
      name, "tokens", context, tokens, rows, [last](std::int32_t id) { return id <= last; },
      "at most " + std::to_string(last));
  logits::check_output(name, "ids", context, outputs.ids, DType::i32, {rows, n});
  logits::check_output(name, "log_probs", context, outputs.log_probs, DType::f32, {rows, n});
  call.ids = outputs.ids.as<std::int32_t>().data();
  call.log_probs = outputs.log_probs.as<float>().data();
  if (tokens) {
    if (!outputs.chosen_log_prob || !outputs.chosen_rank)
      throw ContractError(name, "tokens",
                          "is given without the outputs chosen_log_prob and chosen_rank; expected both");
    logits::check_output(name, "chosen_log_prob", context, *outputs.chosen_log_prob, DType::f32, {rows});
    logits::check_output(name, "chosen_rank", context, *outputs.chosen_rank, DType::i32, {rows});
    call.chosen_log_prob = outputs.chosen_log_prob->as<float>().data();
    call.chosen_rank = outputs.chosen_rank->as<std::int32_t>().data();
  }
  if (rows == 0) return;
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    kernels::sampling::log_probs_cuda(context.stream().handle(), call, context.status().on_device());
#endif
    return;
  }
  const Workspace::Frame frame(context.workspace());
  const auto scratch = context.workspace().take<std::byte>(
      kernels::filters::RowScratch::bytes(call.in.tokens) * context.pool().threads());
  kernels::sampling::log_probs_cpu(context.pool(), call, scratch);
}

Operation describe_log_probs() {
  Operation operation;
  operation.name = name;
  operation.summary =
      "The first n tokens of each row with ln of their probabilities, and those of a given token.";
  operation.paper = "log-softmax; the order of tokens: engine/logits/rows.hpp";
  operation.error_model = "ids and ranks exact; logarithms within n 2^-45 + 1e-13 + 2^-24 |r|";
  operation.inputs = {
      logits::describe_logits(), logits::describe_mask(),
      logits::describe_per_row("tokens", "the chosen token of each row; below 0: none", DType::i32, true)};
  operation.outputs = described_outputs();
  operation.parameters = {{.name = "n",
                           .summary = "tokens listed of each row",
                           .type = ParameterType::integer,
                           .fallback = std::int64_t{20},
                           .minimum = 1,
                           .maximum = static_cast<double>(most_listed)}};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.batches = {logits::rows_apart({"logits", "mask", "tokens"},
                                          {"ids", "log_probs", "chosen_log_prob", "chosen_rank"})};
  operation.output_shapes = [](const Arguments& arguments) {
    const std::int64_t rows = arguments.input("logits").extent(0), n = arguments.integer("n");
    std::vector<OutputShape> shapes{{"ids", DType::i32, {rows, n}}, {"log_probs", DType::f32, {rows, n}}};
    if (!arguments.has("tokens")) return shapes;
    shapes.push_back({"chosen_log_prob", DType::f32, {rows}});
    shapes.push_back({"chosen_rank", DType::i32, {rows}});
    return shapes;
  };
  operation.work = [](const Arguments& arguments) {
    const auto listed = static_cast<double>(arguments.input("logits").extent(0) * arguments.integer("n"));
    return logits::work_of(arguments, 8 * listed);
  };
  operation.error_bound = [](const Arguments& arguments, std::string_view,
                             std::span<const double> reference) {
    const auto tokens = static_cast<double>(arguments.input("logits").extent(1));
    std::vector<double> allowed;
    for (const double value : reference) allowed.push_back(logits::log_prob_error(tokens, value));
    return allowed;
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    LogProbsOutputs to{outputs.at("ids"), outputs.at("log_probs"), {}, {}};
    if (arguments.has("tokens")) {
      to.chosen_log_prob = outputs.at("chosen_log_prob");
      to.chosen_rank = outputs.at("chosen_rank");
    }
    log_probs(context, arguments.input("logits"), logits::maybe(arguments, "mask"),
              logits::maybe(arguments, "tokens"), arguments.integer("n"), to);
  };
  return operation;
}

}  // namespace assay::sampling
