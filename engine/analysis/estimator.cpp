#include "engine/analysis/estimator.hpp"

#include <memory>
#include <optional>

#include "engine/analysis/placement.hpp"

namespace assay::analysis {

namespace {

KsgResult evaluate(Context& context, const PointsView& points, const te::KsgParameters& parameters,
                   bool local) {
  const std::int64_t count = points.x.extent(0);
  KsgResult result;
  result.local.resize(static_cast<std::size_t>(local ? count : 0));
  const PlacedInput x(context, points.x), y(context, points.y), z(context, points.z);
  PlacedOutput value(context, assay::view_of(&result.value, Shape{1}));
  std::optional<PlacedOutput> locals;
  te::KsgOutputs outputs;
  outputs.value = value.view();
  if (local) {
    locals.emplace(context, assay::view_of(result.local.data(), Shape{count}));
    outputs.local = locals->view();
  }
  te::ksg(context, x.view(), y.view(), z.view(), points.trial_lengths, parameters, outputs);
  value.collect(context);
  if (locals) locals->collect(context);
  return result;
}

/// All surrogates in one call: on a device a call for each would be mostly waiting.
std::vector<double> resample(Context& context, const PointsView& points, const te::KsgParameters& parameters,
                             te::Resampling method, std::int64_t count, std::uint64_t seed) {
  const auto alone = [](ConstTensorView view) {
    view.shape.insert(view.shape.begin(), 1);
    view.strides = contiguous_strides(view.shape);
    return view;
  };
  const PlacedInput x(context, points.x), y(context, points.y), z(context, points.z);
  std::vector<double> values(static_cast<std::size_t>(count));
  PlacedOutput answer(context, assay::view_of(values.data(), Shape{1, 1, count}));
  te::NetworkPlan plan(context, alone(x.view()), points.trial_lengths, parameters,
                       {.count = count, .method = method, .seeds = {seed}});
  plan.evaluate(context, alone(y.view()), alone(z.view()), {}, {.surrogates = answer.view()});
  answer.collect(context);
  return values;
}

/// The estimator on a context that `shared` keeps alive (or that the caller does).
Estimator estimator_on(const std::shared_ptr<Context>& shared) {
  Estimator made;
  made.name = name_of(shared->backend());
  made.evaluate = [shared](const PointsView& points, const te::KsgParameters& parameters, bool local) {
    return evaluate(*shared, points, parameters, local);
  };
  made.plan = [shared](const PointsView& points, const te::KsgParameters& parameters) -> SourceEvaluator {
    const PlacedInput y(*shared, points.y), z(*shared, points.z);
    const auto plan =
        std::make_shared<te::KsgPlan>(*shared, y.view(), z.view(), points.trial_lengths, parameters);
    shared->synchronize();  // the plan has taken what it needs of y and z
    return [shared, plan](const ConstTensorView& host) {
      double value = 0;
      const PlacedInput x(*shared, host);
      PlacedOutput answer(*shared, assay::view_of(&value, Shape{1}));
      te::KsgOutputs outputs;
      outputs.value = answer.view();
      plan->evaluate(*shared, x.view(), outputs);
      answer.collect(*shared);
      return value;
    };
  };
  if (shared->backend() == Backend::cpu)
    made.serial = [] { return estimator_on(std::make_shared<Context>(Context::cpu(1))); };
  else
    made.resample = [shared](const PointsView& points, const te::KsgParameters& parameters,
                             te::Resampling method, std::int64_t count, std::uint64_t seed) {
      return resample(*shared, points, parameters, method, count, seed);
    };
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
