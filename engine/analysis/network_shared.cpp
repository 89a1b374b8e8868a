#include <algorithm>
#include <limits>
#include <memory>

#include "engine/analysis/network.hpp"
#include "engine/analysis/network_run.hpp"
#include "engine/analysis/network_schedule.hpp"
#include "engine/analysis/network_task.hpp"
#include "engine/analysis/placement.hpp"
#include "engine/te/network.hpp"

namespace assay::analysis {

namespace {

/// The kept rows of every matrix of a (count, n, d) stack.
Tensor rows_kept(const Tensor& stack, const Replicate& replicate) {
  const std::int64_t count = stack.shape().at(0), n = stack.shape().at(1), width = stack.shape().at(2);
  Tensor kept(DType::f64, {count, replicate.count, width});
  auto to = kept.as<double>().begin();
  for (std::int64_t i = 0; i < count; ++i) {
    const auto from = stack.as<double>().begin() + i * n * width;
    for (const auto& [begin, end] : replicate.rows)
      to = std::copy(from + begin * width, from + end * width, to);
  }
  return kept;
}

/// One context's share: plans of the block of sources it is at, evaluated batch by batch.
class SharedWorker {
 public:
  SharedWorker(const NetworkTask& task, const SharedParts& parts, Context& context)
      : task_(task), parts_(parts), context_(context) {}

  std::optional<InputError> evaluate(const Tile& tile, PairTables& tables) {
    if (auto error = take_block(tile)) return error;
    const Result<Tensor> y = nexts_of(task_, parts_, tile.first_target, tile.targets, context_.pool());
    if (!y) return y.error();
    const Result<Tensor> z = pasts_of(task_, parts_, tile.first_target, tile.targets, context_.pool());
    if (!z) return z.error();
    std::vector<std::int64_t> skip;
    for (std::int64_t target = tile.first_target; target < tile.first_target + tile.targets; ++target) {
      const std::int64_t own = target - tile.first_source;
      skip.push_back(own >= 0 && own < tile.sources ? own : -1);
    }
    observe(tile, y.value(), z.value(), skip, tables);
    if (task_.kinds.interval) surround(tile, y.value(), z.value(), skip, tables);
    return std::nullopt;
  }

 private:
  te::KsgParameters parameters() const {
    const EstimationOptions& how = task_.options.estimation;
    return {.k = how.k, .algorithm = how.algorithm, .theiler_window = how.theiler_window};
  }

  te::NetworkPlan plan_of(const Tensor& sources, std::span<const std::int64_t> trial_lengths,
                          const te::NetworkSurrogates& surrogates) {
    const PlacedInput placed(context_, sources.view());
    te::NetworkPlan plan(context_, placed.view(), trial_lengths, parameters(), surrogates);
    context_.synchronize();  // before the copy goes
    return plan;
  }

  std::optional<InputError> take_block(const Tile& tile) {
    if (tile.first_source == block_) return std::nullopt;
    plans_.clear();
    replicate_plans_.clear();
    te::NetworkSurrogates surrogates{.count = task_.options.surrogates.count,
                                     .method = task_.options.surrogates.method == SurrogateMethod::shift
                                                   ? te::Resampling::shift
                                                   : te::Resampling::permute};
    for (std::int64_t i = 0; i < tile.sources && surrogates.count > 0; ++i)
      surrogates.seeds.push_back(
          source_seed(task_.options.estimation.seed, task_.column(tile.first_source + i)));
    for (const std::int64_t delay : task_.delays) {
      const Result<Tensor> sources =
          sources_of(task_, parts_, delay, tile.first_source, tile.sources, context_.pool());
      if (!sources) return sources.error();
      plans_.push_back(plan_of(sources.value(), parts_.seen.trial_lengths, surrogates));
      for (const Replicate& replicate : parts_.replicates)  // of a single delay
        replicate_plans_.push_back(
            plan_of(rows_kept(sources.value(), replicate), replicate.trial_lengths, {}));
    }
    block_ = tile.first_source;
    return std::nullopt;
  }

  /// Host arrays in, host arrays out, wherever the context computes.
  void evaluate(te::NetworkPlan& plan, const Tensor& y, const Tensor& z, std::span<const std::int64_t> skip,
                Tensor& values, Tensor* surrogates) {
    const PlacedInput y_there(context_, y.view()), z_there(context_, z.view());
    PlacedOutput values_there(context_, values.view());
    std::optional<PlacedOutput> surrogates_there;
    te::NetworkOutputs outputs{.values = values_there.view()};
    if (surrogates != nullptr) {
      surrogates_there.emplace(context_, surrogates->view());
      outputs.surrogates = surrogates_there->view();
    }
    plan.evaluate(context_, y_there.view(), z_there.view(), skip, outputs);
    values_there.collect(context_);
    if (surrogates_there) surrogates_there->collect(context_);
  }

  /// Values, delays and what the surrogates say.
  void observe(const Tile& tile, const Tensor& y, const Tensor& z, std::span<const std::int64_t> skip,
               PairTables& tables) {
    const std::int64_t count = task_.options.surrogates.count;
    const Shape pairs{tile.sources, tile.targets}, draws{tile.sources, tile.targets, count};
    Tensor most(DType::f64, pairs), most_of_draws(DType::f64, draws);
    Tensor values(DType::f64, plans_.size() > 1 ? pairs : Shape{0});
    Tensor drawn(DType::f64, plans_.size() > 1 ? draws : Shape{0});
    evaluate(plans_[0], y, z, skip, most, count > 0 ? &most_of_draws : nullptr);
    const auto best = most.as<double>(), best_drawn = most_of_draws.as<double>();
    std::vector<std::int64_t> delay(best.size(), task_.delays[0]);
    for (std::size_t d = 1; d < plans_.size(); ++d) {
      evaluate(plans_[d], y, z, skip, values, count > 0 ? &drawn : nullptr);
      const auto found = values.as<double>();
      for (std::size_t i = 0; i < best.size(); ++i) {
        if (!(found[i] > best[i] || (found[i] == best[i] && task_.delays[d] < delay[i]))) continue;
        best[i] = found[i];
        delay[i] = task_.delays[d];
      }
      const auto found_drawn = drawn.as<double>();
      for (std::size_t i = 0; i < best_drawn.size(); ++i)
        best_drawn[i] = std::max(best_drawn[i], found_drawn[i]);
    }
    for (std::size_t source = 0; source < tables.te.sources(); ++source)
      for (std::size_t target = 0; target < tables.te.targets(); ++target) {
        if (skip[target] == static_cast<std::int64_t>(source)) continue;
        const std::size_t i = source * tables.te.targets() + target;
        tables.te(source, target) = best[i];
        if (task_.kinds.delay) tables.delay(source, target) = static_cast<std::int32_t>(delay[i]);
        if (count == 0) continue;
        const auto width = static_cast<std::size_t>(count);
        const SurrogateSummary summary = reduce_surrogates(best[i], best_drawn.subspan(i * width, width));
        tables.hits(source, target) = static_cast<std::uint32_t>(summary.hits);
        tables.surrogate_mean(source, target) = summary.mean;
        tables.surrogate_std(source, target) = summary.standard_deviation;
      }
  }

  /// Intervals from the replicates.
  void surround(const Tile& tile, const Tensor& y, const Tensor& z, std::span<const std::int64_t> skip,
                PairTables& tables) {
    const std::size_t count = parts_.replicates.size();
    std::vector<Tensor> values;
    for (std::size_t j = 0; j < count; ++j) {
      const Replicate& replicate = parts_.replicates[j];
      values.emplace_back(DType::f64, Shape{tile.sources, tile.targets});
      evaluate(replicate_plans_[j], rows_kept(y, replicate), rows_kept(z, replicate), skip, values.back(),
               nullptr);
    }
    const IntervalScale scale = interval_scale(parts_.seen.count, static_cast<std::int64_t>(count),
                                               parts_.replicates[0].count, task_.options.interval);
    std::vector<double> estimates(count);
    for (std::size_t source = 0; source < tables.te.sources(); ++source)
      for (std::size_t target = 0; target < tables.te.targets(); ++target) {
        if (skip[target] == static_cast<std::int64_t>(source)) continue;
        const std::size_t i = source * tables.te.targets() + target;
        for (std::size_t j = 0; j < count; ++j) estimates[j] = values[j].as<double>()[i];
        const Interval interval = interval_of(tables.te(source, target), estimates, scale);
        tables.ci_low(source, target) = interval.low;
        tables.ci_high(source, target) = interval.high;
      }
  }

  const NetworkTask& task_;
  const SharedParts& parts_;
  Context& context_;
  std::int64_t block_ = -1;                       // first source of the plans that are held
  std::vector<te::NetworkPlan> plans_;            // one a delay
  std::vector<te::NetworkPlan> replicate_plans_;  // one a replicate
};

}  // namespace

Result<Network> network(const SeriesTable& table, const NetworkOptions& options,
                        std::span<Context* const> contexts, const Progress& progress) {
  const Result<NetworkTask> task = task_of(table, options);
  if (!task) return task.error();
  if (!shares_sources(options))
    return InputError{
        InputError::Code::out_of_range,
        "network: pairs of different observations are estimated one by one, expected an estimator",
        {},
        {},
        {}};
  const Result<SharedParts> parts = shared_parts_of(task.value());
  if (!parts) return parts.error();
  const Result<NetworkSchedule> schedule = schedule_of(task.value(), parts.value(), contexts);
  if (!schedule) return schedule.error();

  std::vector<std::unique_ptr<SharedWorker>> workers;
  std::vector<TileBody> bodies;
  for (Context* context : contexts) {
    SharedWorker& worker =
        *workers.emplace_back(std::make_unique<SharedWorker>(task.value(), parts.value(), *context));
    bodies.emplace_back([&worker](const Tile& tile, PairTables& tables, const Tick& tick) {
      auto error = worker.evaluate(tile, tables);
      if (!error) tick(tile.pairs());
      return error;
    });
  }
  Network made;
  made.shared = true;
  made.least_samples = parts.value().seen.count;
  const auto digest = digest_of(task.value(), name_of(contexts[0]->backend()), true);
  if (auto error = run_tiles(task.value(), schedule.value().tiling, digest, bodies, progress, made))
    return *error;
  return made;
}

}  // namespace assay::analysis
