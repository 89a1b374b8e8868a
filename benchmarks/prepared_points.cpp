#include "benchmarks/prepared_points.hpp"

#include <algorithm>
#include <stdexcept>

#include "engine/analysis/prepare.hpp"
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
