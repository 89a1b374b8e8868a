#include "benchmarks/prepared_points.hpp"

#include <algorithm>
#include <stdexcept>

#include "engine/analysis/prepare.hpp"
#include "engine/analysis/splitmix.hpp"
#include "engine/analysis/systems.hpp"

namespace assay::benchmarks {

namespace {

analysis::Points prepared(std::int64_t n, const analysis::TeSpec& spec,
                          const analysis::EstimationOptions& options, std::uint64_t seed) {
  const std::int64_t reach =
      std::max((spec.k_history - 1) * spec.k_tau + 1, (spec.l_history - 1) * spec.l_tau + spec.delay);
  const analysis::GeneratedSystem system = analysis::coupled_ar1(n + reach, 0.4, 0.4, 0.4, seed);
  const auto layout = analysis::layout_of(system.table, spec);
  if (!layout) throw std::invalid_argument(layout.error().message);
  auto points = analysis::prepare(system.table, layout.value(), options);
  if (!points) throw std::invalid_argument(points.error().message);
  return std::move(points).value();
}

}  // namespace

HostArguments transfer_entropy_points(std::int64_t n, const analysis::TeSpec& spec, std::int64_t k,
                                      std::int64_t algorithm, std::uint64_t seed) {
  analysis::EstimationOptions options;
  options.k = k;
  options.algorithm = static_cast<int>(algorithm);
  analysis::Points points = prepared(n, spec, options, seed);
  HostArguments arguments;
  arguments.inputs.emplace("x", std::move(points.x));
  arguments.inputs.emplace("y", std::move(points.y));
  if (points.z.shape().at(1) > 0) arguments.inputs.emplace("z", std::move(points.z));
  arguments.parameters = {{"k", k}, {"algorithm", algorithm}};
  return arguments;
}

HostArguments network_points(std::int64_t variables, std::int64_t n, std::uint64_t seed) {
  constexpr std::int64_t transient = 100;
  analysis::SplitMix64 random(seed);
  const auto width = static_cast<std::size_t>(variables);
  std::vector<double> now(width, 0.0), before(width, 0.0);
  Tensor past(DType::f64, {n, variables}), next(DType::f64, {n, variables});
  for (std::int64_t time = -transient; time <= n; ++time) {
    std::swap(now, before);
    for (std::size_t v = 0; v < width; ++v)
      now[v] = 0.4 * before[v] + (v > 0 ? 0.4 * before[v - 1] : 0.0) + random.irwin_hall();
    if (time >= 0 && time < n)
      std::copy(now.begin(), now.end(), past.as<double>().begin() + time * variables);
    if (time >= 1) std::copy(now.begin(), now.end(), next.as<double>().begin() + (time - 1) * variables);
  }
  const auto columns_first = [&](Tensor& rows) {
    analysis::normalise_columns(rows.as<double>(), n, variables);
    Tensor made(DType::f64, {variables, n, 1});
    for (std::int64_t v = 0; v < variables; ++v)
      for (std::int64_t i = 0; i < n; ++i)
        made.as<double>()[static_cast<std::size_t>(v * n + i)] =
            rows.as<double>()[static_cast<std::size_t>(i * variables + v)];
    return made;
  };
  HostArguments arguments;
  arguments.inputs.emplace("sources", columns_first(past));
  arguments.inputs.emplace("z", arguments.inputs.at("sources").clone());
  arguments.inputs.emplace("y", columns_first(next));
  arguments.parameters = {{"k", std::int64_t{4}}};
  return arguments;
}

HostArguments joint_points(std::int64_t n, std::int64_t histories, std::uint64_t seed) {
  const analysis::TeSpec spec{.sources = {0}, .targets = {1}, .k_history = histories, .l_history = histories};
  const analysis::Points points = prepared(n, spec, {}, seed);
  const std::int64_t columns = 2 * histories + 1;
  Tensor joint(DType::f64, {n, columns});
  const auto target = joint.as<double>();
  std::int64_t first = 0;
  for (const Tensor* part : {&points.x, &points.y, &points.z}) {
    const std::int64_t width = part->shape().at(1);
    const auto values = part->as<double>();
    for (std::int64_t row = 0; row < n; ++row)
      std::copy_n(values.begin() + row * width, width, target.begin() + row * columns + first);
    first += width;
  }
  HostArguments arguments;
  arguments.inputs.emplace("points", std::move(joint));
  return arguments;
}

}  // namespace assay::benchmarks
