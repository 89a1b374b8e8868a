#include "engine/analysis/estimator.hpp"

#include <memory>

namespace assay::analysis {

namespace {

KsgResult evaluate(Context& context, const PointsView& points, const te::KsgParameters& parameters,
                   bool local) {
  const std::int64_t count = points.x.extent(0);
  KsgResult result;
  te::KsgOutputs outputs;
  outputs.value = assay::view_of(&result.value, Shape{1});
  if (local) {
    result.local.resize(static_cast<std::size_t>(count));
    outputs.local = assay::view_of(result.local.data(), Shape{count});
  }
  te::ksg(context, points.x, points.y, points.z, points.trial_lengths, parameters, outputs);
  return result;
}

/// The estimator on a context that `shared` keeps alive (or that the caller does).
Estimator estimator_on(const std::shared_ptr<Context>& shared) {
  Estimator made;
  made.evaluate = [shared](const PointsView& points, const te::KsgParameters& parameters, bool local) {
    return evaluate(*shared, points, parameters, local);
  };
  made.plan = [shared](const PointsView& points, const te::KsgParameters& parameters) -> SourceEvaluator {
    const auto plan =
        std::make_shared<te::KsgPlan>(*shared, points.y, points.z, points.trial_lengths, parameters);
    return [shared, plan](const ConstTensorView& x) {
      double value = 0;
      te::KsgOutputs outputs;
      outputs.value = assay::view_of(&value, Shape{1});
      plan->evaluate(*shared, x, outputs);
      return value;
    };
  };
  if (shared->backend() == Backend::cpu)
    made.serial = [] { return estimator_on(std::make_shared<Context>(Context::cpu(1))); };
  return made;
}

}  // namespace

PointsView view_of(const Points& points) {
  return {points.x.view(), points.y.view(), points.z.view(), points.trial_lengths};
}

Estimator engine_estimator(Context& context) {
  return estimator_on(std::shared_ptr<Context>(&context, [](Context*) {}));  // the caller owns it
}

void for_each(ThreadPool& pool, const Estimator& estimator, std::int64_t count,
              const std::function<void(std::int64_t index, const Estimator&)>& task) {
  if (!estimator.serial || count == 1) {
    for (std::int64_t i = 0; i < count; ++i) task(i, estimator);
    return;
  }
  std::vector<std::unique_ptr<Estimator>> own(pool.threads());  // one a worker, made where it is first needed
  pool.parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end, unsigned worker) {
    if (!own[worker]) own[worker] = std::make_unique<Estimator>(estimator.serial());
    for (std::int64_t i = begin; i < end; ++i) task(i, *own[worker]);
  });
}

}  // namespace assay::analysis
