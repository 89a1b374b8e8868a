#include "engine/analysis/estimator.hpp"

#include <memory>

#include "engine/runtime/buffer.hpp"
#include "engine/runtime/stream.hpp"

namespace assay::analysis {

namespace {

/// A host array where the context computes: itself on the CPU, a copy in device memory on CUDA.
class Placed {
 public:
  Placed(Context& context, const ConstTensorView& host) : view_(host) {
    if (context.backend() != Backend::cuda || host.data == nullptr) return;
    memory_ = DeviceBuffer(context.device(), host.bytes());
    context.stream().copy(memory_.data(), host.data, host.bytes());
    view_ = assay::as_const(assay::view_of(memory_, host.dtype, host.shape));
  }
  const ConstTensorView& view() const { return view_; }

 private:
  DeviceBuffer memory_;
  ConstTensorView view_;
};

/// Results that an operation writes where the context computes, and that are then read on the host.
class Answer {
 public:
  Answer(Context& context, std::vector<double>& host)
      : context_(context),
        host_(host),
        view_(assay::view_of(host.data(), Shape{static_cast<std::int64_t>(host.size())})) {
    if (context.backend() != Backend::cuda) return;
    memory_ = DeviceBuffer(context.device(), view_.bytes());
    view_ = assay::view_of(memory_, DType::f64, view_.shape);
  }
  /// The same elements under another shape of as many.
  TensorView view(Shape shape) const {
    TensorView other = view_;
    other.strides = contiguous_strides(shape);
    other.shape = std::move(shape);
    return other;
  }
  void fetch() {
    if (context_.backend() == Backend::cuda) context_.stream().copy(host_.data(), view_.data, view_.bytes());
  }

 private:
  Context& context_;
  std::vector<double>& host_;
  DeviceBuffer memory_;
  TensorView view_;
};

KsgResult evaluate(Context& context, const PointsView& points, const te::KsgParameters& parameters,
                   bool local) {
  const std::int64_t count = points.x.extent(0);
  std::vector<double> value(1);
  KsgResult result;
  result.local.resize(static_cast<std::size_t>(local ? count : 0));
  const Placed x(context, points.x), y(context, points.y), z(context, points.z);
  Answer values(context, value), locals(context, result.local);
  te::KsgOutputs outputs;
  outputs.value = values.view({1});
  if (local) outputs.local = locals.view({count});
  te::ksg(context, x.view(), y.view(), z.view(), points.trial_lengths, parameters, outputs);
  values.fetch();
  locals.fetch();
  context.synchronize();
  result.value = value[0];
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
  const Placed x(context, points.x), y(context, points.y), z(context, points.z);
  std::vector<double> values(static_cast<std::size_t>(count));
  Answer answer(context, values);
  te::NetworkPlan plan(context, alone(x.view()), points.trial_lengths, parameters,
                       {.count = count, .method = method, .seeds = {seed}});
  plan.evaluate(context, alone(y.view()), alone(z.view()), {}, {.surrogates = answer.view({1, 1, count})});
  answer.fetch();
  context.synchronize();
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
    const Placed y(*shared, points.y), z(*shared, points.z);
    const auto plan =
        std::make_shared<te::KsgPlan>(*shared, y.view(), z.view(), points.trial_lengths, parameters);
    shared->synchronize();  // the plan has taken what it needs of y and z
    return [shared, plan](const ConstTensorView& host) {
      std::vector<double> value(1);
      const Placed x(*shared, host);
      Answer answer(*shared, value);
      te::KsgOutputs outputs;
      outputs.value = answer.view({1});
      plan->evaluate(*shared, x.view(), outputs);
      answer.fetch();
      shared->synchronize();
      return value[0];
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
