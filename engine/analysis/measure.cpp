#include "engine/analysis/measure.hpp"

namespace assay::analysis {

namespace {

template <typename Spec>
Result<Estimate> lay_out_and_estimate(const SeriesTable& table, const Spec& spec,
                                      const MeasureOptions& options, const Estimator& estimator,
                                      ThreadPool& pool) {
  const Result<Layout> layout = layout_of(table, spec);
  if (!layout) return layout.error();
  return estimate(table, layout.value(), options, estimator, pool);
}

}  // namespace

Result<Estimate> estimate(const SeriesTable& table, const Layout& layout, const MeasureOptions& options,
                          const Estimator& estimator, ThreadPool& pool) {
  const Result<Points> prepared = prepare(table, layout, options.estimation);
  if (!prepared) return prepared.error();
  return estimate_points(prepared.value(), options, estimator, pool);
}

Result<Estimate> estimate_points(const Points& points, const MeasureOptions& options,
                                 const Estimator& estimator, ThreadPool& pool) {
  const EstimationOptions& how = options.estimation;
  Estimate answer;
  answer.samples = points.count();
  answer.dims_x = points.x.shape().at(1);
  answer.dims_y = points.y.shape().at(1);
  answer.dims_z = points.z.shape().at(1);
  KsgResult result = estimator.evaluate(
      view_of(points), {.k = how.k, .algorithm = how.algorithm, .theiler_window = how.theiler_window},
      options.local);
  answer.value = result.value;
  if (options.local) {
    answer.local = std::move(result.local);
    answer.times = points.times;
  }
  if (options.surrogates.count == 0 && options.surrogates.permutations.empty()) return answer;
  Result<std::vector<double>> values = surrogate_values(points, how, options.surrogates, estimator, pool);
  if (!values) return values.error();
  answer.surrogates = summarise(answer.value, std::move(values).value());
  return answer;
}

Result<Estimate> estimate(const SeriesTable& table, const TeSpec& spec, const MeasureOptions& options,
                          const Estimator& estimator, ThreadPool& pool) {
  return lay_out_and_estimate(table, spec, options, estimator, pool);
}

Result<Estimate> estimate(const SeriesTable& table, const CmiSpec& spec, const MeasureOptions& options,
                          const Estimator& estimator, ThreadPool& pool) {
  return lay_out_and_estimate(table, spec, options, estimator, pool);
}

Result<Estimate> estimate(const SeriesTable& table, const AisSpec& spec, const MeasureOptions& options,
                          const Estimator& estimator, ThreadPool& pool) {
  return lay_out_and_estimate(table, spec, options, estimator, pool);
}

}  // namespace assay::analysis
