#include "validation/estimators.hpp"

#include "engine/runtime/error.hpp"
#include "reference/operations.hpp"

namespace assay::validation {

analysis::Estimator reference_estimator() {
  analysis::Estimator made;
  made.evaluate = [](const analysis::PointsView& points, const assay::te::KsgParameters& parameters,
                     bool local) {
    const Operation* ksg = find_operation("te.ksg");
    if (ksg == nullptr) throw BackendUnavailable("te.ksg is not in this program");
    Arguments arguments;
    arguments.inputs.emplace("x", points.x);
    arguments.inputs.emplace("y", points.y);
    if (points.z.rank() == 2 && points.z.extent(1) > 0) arguments.inputs.emplace("z", points.z);
    if (!points.trial_lengths.empty()) {
      arguments.inputs.emplace(
          "trial_lengths",
          view_of(points.trial_lengths.data(), {static_cast<std::int64_t>(points.trial_lengths.size())}));
    }
    arguments.parameters.emplace("k", parameters.k);
    arguments.parameters.emplace("algorithm", std::int64_t{parameters.algorithm});
    arguments.parameters.emplace("theiler_window", parameters.theiler_window);
    const auto outputs = reference::run(*ksg, arguments);
    analysis::KsgResult result;
    result.value = outputs.at("value").as<double>()[0];
    if (local) {
      const auto values = outputs.at("local").as<double>();
      result.local.assign(values.begin(), values.end());
    }
    return result;
  };
  made.plan = [evaluate = made.evaluate](
                  const analysis::PointsView& points,
                  const assay::te::KsgParameters& parameters) -> analysis::SourceEvaluator {
    return [evaluate, points, parameters](const ConstTensorView& x) {
      analysis::PointsView whole = points;
      whole.x = x;
      return evaluate(whole, parameters, false).value;
    };
  };
  made.serial = reference_estimator;
  return made;
}

analysis::Estimator estimator_for(Context& context, Backend backend) {
  return backend == Backend::reference ? reference_estimator() : analysis::engine_estimator(context);
}

}  // namespace assay::validation
