#include "reference/estimator.hpp"

#include "reference/te/ksg.hpp"

namespace assay::reference {

namespace {

analysis::KsgResult evaluate(const analysis::PointsView& points, const assay::te::KsgParameters& parameters,
                             bool local) {
  const std::int64_t n = points.x.extent(0);
  Arguments arguments;
  arguments.inputs = {{"x", points.x}, {"y", points.y}};
  if (points.z.rank() > 1 && points.z.extent(1) > 0) arguments.inputs.emplace("z", points.z);
  const auto trials = static_cast<std::int64_t>(points.trial_lengths.size());
  if (trials > 0)
    arguments.inputs.emplace("trial_lengths", assay::view_of(points.trial_lengths.data(), Shape{trials}));
  arguments.parameters = {{"k", parameters.k},
                          {"algorithm", std::int64_t{parameters.algorithm}},
                          {"theiler_window", parameters.theiler_window}};
  Tensor value(DType::f64, {1});
  Tensor each(DType::f64, {n});
  Tensor radii(DType::f64, {n, 3});
  Tensor counts(DType::i64, {n, 3});
  te::run_ksg(
      arguments,
      {{"value", value.view()}, {"local", each.view()}, {"radii", radii.view()}, {"counts", counts.view()}});
  analysis::KsgResult result;
  result.value = value.as<double>()[0];
  if (local) result.local.assign(each.as<double>().begin(), each.as<double>().end());
  return result;
}

}  // namespace

analysis::Estimator estimator() {
  analysis::Estimator made;
  made.name = "reference";
  made.evaluate = evaluate;
  made.plan = [](const analysis::PointsView& rest, const assay::te::KsgParameters& parameters) {
    return [rest, parameters](const ConstTensorView& x) {
      return evaluate({x, rest.y, rest.z, rest.trial_lengths}, parameters, false).value;
    };
  };
  made.serial = [] { return estimator(); };
  return made;
}

}  // namespace assay::reference
