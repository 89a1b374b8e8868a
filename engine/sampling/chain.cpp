#include "engine/sampling/chain.hpp"

#include <cmath>

#include "engine/logits/rows.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "engine/view_checks.hpp"
#include "kernels/filters/left.hpp"
#include "kernels/sampling/chain.hpp"

namespace assay::sampling {

namespace {

using kernels::filters::Step;
using kernels::filters::StepParameters;
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

bool has_step(const Steps& steps, Step step) {
  return std::find(steps.list, steps.list + steps.count, step) != steps.list + steps.count;
}

/// Checks the inputs of one call and finds their elements.
class Gatherer {
 public:
  Gatherer(const Context& context, const ChainInputs& inputs, const Steps& steps)
      : context_(context),
        inputs_(inputs),
        steps_(steps),
        rows_(inputs.logits.extent(0)),
        tokens_(inputs.logits.extent(1)) {}

  StepParameters parameters() const {
    StepParameters made;
    if (has_step(steps_, Step::temperature))
      made.temperature = needed<float>(
          "temperature", inputs_.temperature, [](float t) { return std::isfinite(t); }, "a finite number");
    if (has_step(steps_, Step::top_k)) made.top_k = needed<std::int32_t>("top_k", inputs_.top_k, {}, "");
    const auto number = [](double p) { return !std::isnan(p); };
    if (has_step(steps_, Step::top_p))
      made.top_p = needed<double>("top_p", inputs_.top_p, number, "a number");
    if (has_step(steps_, Step::typical))
      made.typical = needed<double>("typical_p", inputs_.typical_p, number, "a number");
    if (has_step(steps_, Step::min_p))
      made.min_p = needed<double>(
          "min_p", inputs_.min_p, [](double p) { return p <= 1; }, "at most 1");
    if (has_step(steps_, Step::penalties)) add_penalties(made);
    if (has_step(steps_, Step::bias)) add_biases(made);
    return made;
  }

 private:
  template <typename T>
  const T* needed(const char* argument, const std::optional<ConstTensorView>& view,
                  const std::function<bool(T)>& legal, std::string_view expected) const {
    if (!view) throw ContractError(name, argument, "is missing; the order asks for it");
    return logits::check_per_row<T>(name, argument, context_, view, rows_, legal, expected);
  }

  template <typename T>
  const T* row_of_ids(const char* argument, const std::optional<ConstTensorView>& view) const {
    if (!view) throw ContractError(name, argument, "is missing; the order asks for it");
    if (view->dtype != dtype_of<T>() || view->rank() != 2 || view->extent(0) != rows_ || !view->contiguous())
      throw ContractError(name, argument,
                          "holds " + std::string(name_of(view->dtype)) + " " + to_string(view->shape) +
                              "; expected a contiguous (" + std::to_string(rows_) + ", any) of " +
                              std::string(name_of(dtype_of<T>())));
    check_memory(name, argument, context_, view->space);
    return view->as<T>().data();
  }

  void check_ids(const char* argument, const std::int32_t* ids, std::int64_t count) const {
    if (context_.backend() == Backend::cuda) return;
    for (std::int64_t i = 0; i < count * rows_; ++i)
      if (ids[i] >= tokens_)
        throw ContractError(name, argument,
                            "row " + std::to_string(i / count) + " has id " + std::to_string(ids[i]) +
                                "; expected ids below " + std::to_string(tokens_));
  }

  void add_penalties(StepParameters& made) const {
    made.previous = row_of_ids<std::int32_t>("previous", inputs_.previous);
    made.previous_length = inputs_.previous->extent(1);
    check_ids("previous", made.previous, made.previous_length);
    const auto finite = [](float value) { return std::isfinite(value); };
    made.repetition = logits::check_per_row<float>(
        name, "repetition", context_, inputs_.repetition, rows_,
        [](float value) { return value > 0 && std::isfinite(value); }, "a finite number above 0");
    made.presence = logits::check_per_row<float>(name, "presence", context_, inputs_.presence, rows_, finite,
                                                 "a finite number");
    made.frequency = logits::check_per_row<float>(name, "frequency", context_, inputs_.frequency, rows_,
                                                  finite, "a finite number");
    made.last_n =
        logits::check_per_row<std::int32_t>(name, "last_n", context_, inputs_.last_n, rows_, {}, "");
  }

  void add_biases(StepParameters& made) const {
    made.bias_ids = row_of_ids<std::int32_t>("bias_ids", inputs_.bias_ids);
    made.biases = row_of_ids<float>("biases", inputs_.biases);
    made.bias_count = inputs_.bias_ids->extent(1);
    if (inputs_.biases->extent(1) != made.bias_count)
      throw ContractError(name, "biases",
                          "has shape " + to_string(inputs_.biases->shape) + "; expected that of bias_ids, " +
                              to_string(inputs_.bias_ids->shape));
    check_ids("bias_ids", made.bias_ids, made.bias_count);
    if (context_.backend() == Backend::cuda) return;
    for (std::int64_t i = 0; i < rows_ * made.bias_count; ++i)
      if (std::isnan(made.biases[i]))
        throw ContractError(name, "biases", "row " + std::to_string(i / made.bias_count) + " holds a NaN");
  }

  const Context& context_;
  const ChainInputs& inputs_;
  const Steps& steps_;
  std::int64_t rows_, tokens_;
};

double log_prob_error(double tokens, double reference) {
  return tokens * 0x1p-45 + 1e-13 + 0x1p-24 * std::fabs(reference);
}

std::vector<TensorInfo> described_inputs() {
  const auto row = [](const char* input, const char* summary, DType dtype, bool optional = false) {
    return logits::describe_per_row(input, summary, dtype, optional);
  };
  return {logits::describe_logits(),
          logits::describe_mask(),
          row("temperature", "0 or less: the first maximum alone", DType::f32, true),
          row("top_k", "0 or less: all", DType::i32, true),
          row("top_p", "1 or more: all", DType::f64, true),
          row("min_p", "0 or less: all; at most 1", DType::f64, true),
          row("typical_p", "1 or more: all", DType::f64, true),
          row("repetition", "above 0; 1 where absent", DType::f32, true),
          row("presence", "0 where absent", DType::f32, true),
          row("frequency", "0 where absent", DType::f32, true),
          row("last_n", "so many of `previous` count, the last; all where absent", DType::i32, true),
          {.name = "previous",
           .summary = "ids seen, the oldest first; below 0: padding",
           .dtypes = {DType::i32},
           .shape = "(rows, length)",
           .optional = true},
          {.name = "bias_ids",
           .summary = "below 0: padding",
           .dtypes = {DType::i32},
           .shape = "(rows, count)",
           .optional = true},
          {.name = "biases",
           .summary = "added to the logits of bias_ids",
           .dtypes = {DType::f32},
           .shape = "(rows, count)",
           .optional = true},
          row("seed", "of the row's draw", DType::i64),
          row("position", "of the draw: the same seed draws anew at each", DType::i64)};
}

}  // namespace

void chain(Context& context, const ChainInputs& inputs, const std::string& order, std::int64_t min_keep,
           const ChainOutputs& outputs) {
  const ConstTensorView& logits = inputs.logits;
  ChainCall call{};
  call.in = logits::check_rows(name, context, logits, inputs.mask);
  const std::int64_t rows = call.in.rows, tokens = call.in.tokens;
  call.steps = steps_of(order);
  call.parameters = Gatherer(context, inputs, call.steps).parameters();
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
    kernels::sampling::chain_cuda(context.stream().handle(), call, context.status().on_device());
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
    for (const double value : reference) allowed.push_back(log_prob_error(tokens, value));
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
