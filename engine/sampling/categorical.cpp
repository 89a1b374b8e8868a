#include "engine/sampling/categorical.hpp"

#include "engine/logits/log_prob_error.hpp"
#include "engine/logits/rows.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/filters/left.hpp"
#include "kernels/sampling/categorical.hpp"

namespace assay::sampling {

namespace {

constexpr const char* name = "sampling.categorical";
constexpr std::int64_t most_draws = 65'536;

}  // namespace

void categorical(Context& context, const CategoricalInputs& inputs, std::int64_t draws,
                 const TensorView& token, const TensorView& log_prob) {
  kernels::sampling::CategoricalCall call{};
  call.in = logits::check_rows(name, context, inputs.logits, inputs.mask);
  const std::int64_t rows = call.in.rows;
  if (draws < 1 || draws > most_draws)
    throw ContractError(name, "draws",
                        "is " + std::to_string(draws) + "; expected 1 to " + std::to_string(most_draws));
  call.draws = draws;
  call.seed = logits::check_per_row<std::int64_t>(name, "seed", context, inputs.seed, rows, {}, "");
  call.position =
      logits::check_per_row<std::int64_t>(name, "position", context, inputs.position, rows, {}, "");
  logits::check_output(name, "token", context, token, DType::i32, {rows, draws});
  logits::check_output(name, "log_prob", context, log_prob, DType::f32, {rows, draws});
  call.token = token.as<std::int32_t>().data();
  call.log_prob = log_prob.as<float>().data();
  if (rows == 0) return;
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    const DeviceScope device(context.device());
    kernels::sampling::categorical_cuda(context.stream().handle(), call);
#endif
    return;
  }
  const Workspace::Frame frame(context.workspace());
  const auto scratch = context.workspace().take<std::byte>(
      kernels::filters::RowScratch::bytes(call.in.tokens) * context.pool().threads());
  kernels::sampling::categorical_cpu(context.pool(), call, scratch);
}

Operation describe_categorical() {
  Operation operation;
  operation.name = name;
  operation.summary = "Independent draws from the distribution of each row.";
  operation.paper = "Salmon, Moraes, Dror, Shaw 2011; inversion over integer weights";
  operation.error_model = "tokens exact; log_prob within n 2^-45 + 1e-13 + 2^-24 |r|";
  operation.inputs = {
      logits::describe_logits(), logits::describe_mask(),
      logits::describe_per_row("seed", "of the row's draws", DType::i64),
      logits::describe_per_row("position", "of the first draw; the next has the next position", DType::i64)};
  operation.outputs = {{.name = "token",
                        .summary = "drawn; -1: none can be",
                        .dtypes = {DType::i32},
                        .shape = "(rows, draws)"},
                       {.name = "log_prob",
                        .summary = "ln of its probability",
                        .dtypes = {DType::f32},
                        .shape = "(rows, draws)"}};
  operation.parameters = {{.name = "draws",
                           .summary = "of each row",
                           .type = ParameterType::integer,
                           .fallback = std::int64_t{1},
                           .minimum = 1,
                           .maximum = static_cast<double>(most_draws)}};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.batches = {logits::rows_apart({"logits", "mask", "seed", "position"}, {"token", "log_prob"})};
  operation.output_shapes = [](const Arguments& arguments) {
    const Shape shape{arguments.input("logits").extent(0), arguments.integer("draws")};
    return std::vector<OutputShape>{{"token", DType::i32, shape}, {"log_prob", DType::f32, shape}};
  };
  operation.work = [](const Arguments& arguments) {
    const auto drawn = static_cast<double>(arguments.input("logits").extent(0) * arguments.integer("draws"));
    return logits::work_of(arguments, 8 * drawn);
  };
  operation.error_bound = [](const Arguments& arguments, std::string_view,
                             std::span<const double> reference) {
    const auto tokens = static_cast<double>(arguments.input("logits").extent(1));
    std::vector<double> allowed;
    for (const double value : reference) allowed.push_back(logits::log_prob_error(tokens, value));
    return allowed;
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    categorical(context,
                {arguments.input("logits"), logits::maybe(arguments, "mask"), arguments.input("seed"),
                 arguments.input("position")},
                arguments.integer("draws"), outputs.at("token"), outputs.at("log_prob"));
  };
  return operation;
}

}  // namespace assay::sampling
