#include "engine/te/embed.hpp"

#include <algorithm>
#include <string>

#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "engine/view_checks.hpp"
#include "kernels/te/embed.hpp"

namespace assay::te {

namespace {

constexpr std::string_view kName = "te.embed";
/// Histories, spacings and delays beyond this are refused, so that their products stay far from overflow.
constexpr std::int64_t kLargestLag = 1'000'000'000;

[[noreturn]] void refuse(std::string argument, std::string expected) {
  throw ContractError(std::string(kName), std::move(argument), std::move(expected));
}

void check_between(const char* what, std::size_t variable, std::int64_t value, std::int64_t low,
                   std::int64_t high) {
  if (value < low || value > high)
    refuse(what, "of variable " + std::to_string(variable) + " is " + std::to_string(value) + "; expected " +
                     std::to_string(low) + " to " + std::to_string(high));
}

/// Columns of the embedded matrix.
std::int64_t check_variables(std::span<const EmbeddedVariable> variables, std::int64_t columns) {
  std::int64_t d = 0;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const EmbeddedVariable& variable = variables[i];
    check_between("columns", i, variable.column, 0, columns - 1);
    check_between("histories", i, variable.history, 0, kLargestLag);
    check_between("taus", i, variable.tau, 1, kLargestLag);
    check_between("delays", i, variable.delay, 0, kLargestLag);
    d += variable.history;
  }
  if (d == 0) refuse("histories", "sum to 0; expected at least one embedded column");
  return d;
}

std::vector<std::int64_t> lengths_or_one_trial(std::span<const std::int64_t> trial_lengths,
                                               std::int64_t rows) {
  if (trial_lengths.empty()) return {rows};
  return {trial_lengths.begin(), trial_lengths.end()};
}

std::int64_t observations(std::span<const std::int64_t> trial_lengths, std::int64_t reach) {
  std::int64_t n = 0;
  for (const std::int64_t length : embedded_trial_lengths(trial_lengths, reach)) n += length;
  return n;
}

std::vector<EmbeddedVariable> variables_of(const Arguments& arguments) {
  const auto& columns = arguments.integers("columns");
  const auto& histories = arguments.integers("histories");
  const auto& taus = arguments.integers("taus");
  const auto& delays = arguments.integers("delays");
  const auto check_length = [&](const char* name, const std::vector<std::int64_t>& list) {
    if (list.size() != columns.size())
      refuse(name, "has " + std::to_string(list.size()) + " entries; expected " +
                       std::to_string(columns.size()) + ", one for each of columns");
  };
  check_length("histories", histories);
  check_length("taus", taus);
  check_length("delays", delays);
  std::vector<EmbeddedVariable> variables(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i)
    variables[i] = {.column = columns[i], .history = histories[i], .tau = taus[i], .delay = delays[i]};
  return variables;
}

std::span<const std::int64_t> trials_of(const Arguments& arguments) {
  if (!arguments.has("trial_lengths")) return {};
  const ConstTensorView& lengths = arguments.input("trial_lengths");
  check_on_host(kName, "trial_lengths", lengths.space);
  return lengths.as<std::int64_t>();
}

std::vector<OutputShape> shapes(const Arguments& arguments) {
  const ConstTensorView& series = arguments.input("series");
  if (series.rank() != 2)
    refuse("series", "has shape " + to_string(series.shape) + "; expected 2 dimensions");
  const auto variables = variables_of(arguments);
  const std::int64_t d = check_variables(variables, series.extent(1));
  check_trial_lengths(kName, trials_of(arguments), series.extent(0));
  const auto trials = lengths_or_one_trial(trials_of(arguments), series.extent(0));
  const std::int64_t n = observations(trials, embedding_reach(variables));
  return {{"embedded", DType::f64, {n, d}}, {"times", DType::i64, {n}}};
}

}  // namespace

std::int64_t embedding_reach(std::span<const EmbeddedVariable> variables) {
  std::int64_t reach = 0;
  for (const EmbeddedVariable& variable : variables)
    if (variable.history > 0) reach = std::max(reach, (variable.history - 1) * variable.tau + variable.delay);
  return reach;
}

std::vector<std::int64_t> embedded_trial_lengths(std::span<const std::int64_t> trial_lengths,
                                                 std::int64_t reach) {
  std::vector<std::int64_t> lengths(trial_lengths.size());
  std::transform(trial_lengths.begin(), trial_lengths.end(), lengths.begin(),
                 [reach](std::int64_t length) { return std::max<std::int64_t>(length - reach, 0); });
  return lengths;
}

void embed(Context& context, const ConstTensorView& series, std::span<const std::int64_t> trial_lengths,
           std::span<const EmbeddedVariable> variables, const TensorView& embedded, const TensorView& times) {
  check_view(kName, "series", series, DType::f64, 2);
  const std::int64_t d = check_variables(variables, series.extent(1));
  check_trial_lengths(kName, trial_lengths, series.extent(0));
  const std::int64_t reach = embedding_reach(variables);
  const auto trials = lengths_or_one_trial(trial_lengths, series.extent(0));
  const std::int64_t n = observations(trials, reach);
  check_view(kName, "embedded", embedded, DType::f64, {n, d});
  check_view(kName, "times", times, DType::i64, {n});
  check_memory(kName, "series", context, series.space);
  check_memory(kName, "embedded", context, embedded.space);
  check_memory(kName, "times", context, times.space);

  std::vector<kernels::te::Lags> lags(variables.size());
  std::transform(variables.begin(), variables.end(), lags.begin(), [](const EmbeddedVariable& variable) {
    return kernels::te::Lags{variable.column, variable.history, variable.tau, variable.delay};
  });
  const kernels::spatial::Rows rows{series.as<double>().data(), series.extent(0), series.extent(1)};
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    if (n == 0) return;
    const auto tables = kernels::te::embedding_tables(rows.d, trials, lags, reach);
    const DeviceScope device(context.device());
    const Workspace::Frame frame(context.workspace());
    kernels::te::embed_cuda(context.stream().handle(), rows, tables,
                            context.workspace().take<std::int64_t>(tables.elements()), n,
                            embedded.as<double>().data(), times.as<std::int64_t>().data());
#endif
    return;
  }
  kernels::te::embed(context.pool(), rows, trials, lags, reach, embedded.as<double>(),
                     times.as<std::int64_t>());
}

Operation describe_embed() {
  Operation operation;
  operation.name = kName;
  operation.summary =
      "Time-delay embedding of several variables, with a history, spacing and delay each, and trials.";
  operation.paper = "Takens 1981; Lizier 2014, section 4";
  operation.error_model = "exact: values are copied";
  operation.inputs = {{"series", "one row a time step", {DType::f64}, "(rows, columns)"},
                      {"trial_lengths",
                       "rows of each trial, summing to rows; absent: one trial",
                       {DType::i64},
                       "(num_trials)",
                       true,
                       true}};
  operation.outputs = {{.name = "embedded",
                        .summary = "the lags of each variable, in order, newest first",
                        .dtypes = {DType::f64},
                        .shape = "(n, d)",
                        .errors = ErrorModel::exact},
                       {"times", "row of the series that an observation belongs to", {DType::i64}, "(n)"}};
  const auto largest = static_cast<double>(kLargestLag);
  operation.parameters = {
      {"columns", "column of each variable", ParameterType::integers, std::nullopt, 0},
      {"histories", "number of lags of each variable", ParameterType::integers, std::nullopt, 0, largest},
      {"taus", "spacing of the lags of each variable", ParameterType::integers, std::nullopt, 1, largest},
      {"delays", "offset of the newest lag of each variable", ParameterType::integers, std::nullopt, 0,
       largest}};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.output_shapes = shapes;
  operation.work = [](const Arguments& arguments) {
    const auto outputs = shapes(arguments);
    const auto written =
        static_cast<double>(element_count(outputs[0].shape) + element_count(outputs[1].shape));
    return Work{.flops = 0,
                .bytes = 8.0 * (static_cast<double>(arguments.input("series").elements()) + written)};
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    const auto variables = variables_of(arguments);
    embed(context, arguments.input("series"), trials_of(arguments), variables, outputs.at("embedded"),
          outputs.at("times"));
  };
  return operation;
}

}  // namespace assay::te
