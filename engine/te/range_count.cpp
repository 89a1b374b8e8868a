#include "engine/te/range_count.hpp"

#include <string>

#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/mutant.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "engine/view_checks.hpp"
#include "kernels/checks/finite.hpp"
#include "kernels/spatial/exclusion_cuda.hpp"
#include "kernels/spatial/search.hpp"
#include "kernels/te/range_count.hpp"

namespace assay::te {

namespace {

constexpr std::string_view kName = "te.range_count";

std::span<const std::int64_t> trials_of(const Arguments& arguments) {
  if (!arguments.has("trial_lengths")) return {};
  const ConstTensorView& lengths = arguments.input("trial_lengths");
  check_on_host(kName, "trial_lengths", lengths.space);
  return lengths.as<std::int64_t>();
}

void check_radii(std::span<const double> radii) {
  for (std::size_t i = 0; i < radii.size(); ++i)
    if (!(radii[i] >= 0.0) && !mutant("te.range_count.radius_unchecked"))
      throw ContractError(std::string(kName), "radii",
                          "element " + std::to_string(i) + " is " + std::to_string(radii[i]) +
                              "; expected 0 or more (infinity is legal)");
}

}  // namespace

void range_count(Context& context, const ConstTensorView& points, const ConstTensorView& radii,
                 std::span<const std::int64_t> trial_lengths, bool strict, std::int64_t theiler_window,
                 const TensorView& counts, Search search) {
  check_view(kName, "points", points, DType::f64, 2);
  check_view(kName, "radii", radii, DType::f64, 1);
  const std::int64_t n = points.extent(0);
  const std::int64_t d = points.extent(1);
  check_row_count(kName, "points", n);
  if (d < 1) throw ContractError(std::string(kName), "points", "have no columns; expected at least 1");
  if (radii.extent(0) != n)
    throw ContractError(std::string(kName), "radii",
                        "has " + std::to_string(radii.extent(0)) +
                            " elements; expected one for each of the " + std::to_string(n) + " points");
  if (theiler_window < 0)
    throw ContractError(std::string(kName), "theiler_window",
                        "is " + std::to_string(theiler_window) + "; expected at least 0");
  check_trial_lengths(kName, trial_lengths, n);
  check_memory(kName, "points", context, points.space);
  check_memory(kName, "radii", context, radii.space);
  const auto radius = radii.as<double>();
  if (context.backend() == Backend::cpu) {
    check_finite(kName, "points", points.as<double>());
    check_radii(radius);
  }
  check_view(kName, "counts", counts, DType::i64, {n});
  check_memory(kName, "counts", context, counts.space);
  const kernels::spatial::Rows rows{points.as<double>().data(), n, d};
  const auto way = static_cast<kernels::spatial::Search>(search);
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    if (n == 0) return;
    const DeviceScope device(context.device());
    const Workspace::Frame frame(context.workspace());
    kernels::checks::check_finite_cuda(context.stream().handle(), rows.data, n * d,
                                       context.status().on_device());
    kernels::te::range_count_cuda(context.stream().handle(), rows, radius.data(), trial_lengths, strict,
                                  theiler_window, way,
                                  context.workspace().take<std::int32_t>(
                                      kernels::spatial::exclusion_bounds(trial_lengths, theiler_window)),
                                  counts.as<std::int64_t>().data(), context.status().on_device());
#endif
    return;
  }
  kernels::te::range_count(context.pool(), rows, radius, trial_lengths, strict, theiler_window, way,
                           counts.as<std::int64_t>());
}

Operation describe_range_count() {
  Operation operation;
  operation.name = kName;
  operation.summary = "How many other points lie within each point's own radius in the maximum norm.";
  operation.paper = "Kraskov, Stoegbauer, Grassberger 2004, section II; Theiler 1986";
  operation.error_model = "exact, integer for integer";
  operation.inputs = {{"points", "finite", {DType::f64}, "(n, d)"},
                      {"radii", "0 or more; infinity is legal", {DType::f64}, "(n)"},
                      {"trial_lengths",
                       "rows of each trial, summing to n; absent: one trial",
                       {DType::i64},
                       "(num_trials)",
                       true,
                       true}};
  operation.outputs = {{"counts", "points within the radius", {DType::i64}, "(n)"}};
  operation.parameters = {{"strict", "count distances below the radius (true) or also equal to it (false)",
                           ParameterType::flag, true},
                          {"theiler_window", "rows of the same trial this near in time are not counted",
                           ParameterType::integer, std::int64_t{0}, 0},
                          search_parameter()};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.output_shapes = [](const Arguments& arguments) {
    const ConstTensorView& points = arguments.input("points");
    if (points.rank() != 2)
      throw ContractError(std::string(kName), "points",
                          "has shape " + to_string(points.shape) + "; expected 2 dimensions");
    return std::vector<OutputShape>{{"counts", DType::i64, {points.extent(0)}}};
  };
  operation.work = [](const Arguments& arguments) {
    // no search counted: a difference, a magnitude and a comparison a dimension for one point each
    const auto n = static_cast<double>(arguments.input("points").extent(0));
    const auto d = static_cast<double>(arguments.input("points").extent(1));
    return Work{.flops = 3.0 * n * d, .bytes = 8.0 * n * (d + 2.0)};
  };
  operation.choices = [](Backend backend, const Arguments& arguments) {
    const ConstTensorView& points = arguments.input("points");
    return choice_of_search(backend, arguments,
                            kernels::spatial::tree_for_counts(kernels::spatial::Search::automatic,
                                                              points.extent(0), points.extent(1)));
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    range_count(context, arguments.input("points"), arguments.input("radii"), trials_of(arguments),
                arguments.flag("strict"), arguments.integer("theiler_window"), outputs.at("counts"),
                search_of(arguments.text("search")));
  };
  return operation;
}

}  // namespace assay::te
