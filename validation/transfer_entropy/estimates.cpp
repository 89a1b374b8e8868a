#include <cmath>

#include "validation/estimators.hpp"
#include "validation/transfer_entropy/properties.hpp"

namespace assay::validation::transfer_entropy {

namespace {

template <typename Spec>
analysis::Estimate legal(Probe& probe, const analysis::SeriesTable& table, const Spec& spec,
                         const analysis::MeasureOptions& options) {
  auto result = analysis::estimate(table, spec, options, estimator_of(probe), probe.context().pool());
  if (!result) throw Failed("refused: " + result.error().message);
  return std::move(result).value();
}

double bound(std::int64_t n, std::int64_t k, std::string_view output) {
  // Read from the operation itself, so that the two can never disagree.
  HostArguments arguments;
  arguments.inputs.emplace("x", Tensor(DType::f64, {n, 1}));
  arguments.inputs.emplace("y", Tensor(DType::f64, {n, 1}));
  arguments.parameters.emplace("k", k);
  const Operation& ksg = *find_operation("te.ksg");
  const double value[] = {0.0};
  return 2 * ksg.error_bound(resolve(ksg, arguments.view()), output, value).front();
}

}  // namespace

analysis::Estimator estimator_of(Probe& probe) {
  return estimator_for(probe.context(), probe.backend());
}

analysis::Estimate estimate_of(Probe& probe, const analysis::SeriesTable& table, const analysis::TeSpec& spec,
                               const analysis::MeasureOptions& options) {
  return legal(probe, table, spec, options);
}
analysis::Estimate estimate_of(Probe& probe, const analysis::SeriesTable& table,
                               const analysis::CmiSpec& spec, const analysis::MeasureOptions& options) {
  return legal(probe, table, spec, options);
}
analysis::Estimate estimate_of(Probe& probe, const analysis::SeriesTable& table,
                               const analysis::AisSpec& spec, const analysis::MeasureOptions& options) {
  return legal(probe, table, spec, options);
}

double value_bound(std::int64_t n, std::int64_t k) {
  return bound(n, k, "value");
}
double local_bound(std::int64_t n, std::int64_t k) {
  return bound(n, k, "local");
}

analysis::SeriesTable table_of(const std::vector<std::vector<double>>& columns) {
  const auto width = static_cast<std::int64_t>(columns.size());
  const auto rows = static_cast<std::int64_t>(columns.front().size());
  analysis::SeriesTable table;
  table.values = Tensor(DType::f64, {rows, width});
  const auto values = table.values.as<double>();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    table.names.push_back(std::to_string(c));
    for (std::size_t row = 0; row < columns[c].size(); ++row)
      values[row * columns.size() + c] = columns[c][row];
  }
  return table;
}

}  // namespace assay::validation::transfer_entropy
