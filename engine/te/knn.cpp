#include "engine/te/knn.hpp"

#include <algorithm>
#include <string>

#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "engine/view_checks.hpp"
#include "kernels/checks/finite.hpp"
#include "kernels/spatial/exclusion_cuda.hpp"
#include "kernels/spatial/search.hpp"
#include "kernels/te/knn.hpp"

namespace assay::te {

namespace {

constexpr std::string_view kName = "te.knn";

std::span<const std::int64_t> trials_of(const Arguments& arguments) {
  if (!arguments.has("trial_lengths")) return {};
  const ConstTensorView& lengths = arguments.input("trial_lengths");
  check_on_host(kName, "trial_lengths", lengths.space);
  return lengths.as<std::int64_t>();
}

// Row j of a trial of L rows leaves out min(j, w) + min(L - 1 - j, w) + 1 rows: no more than the middle of
// the trial does, so that rows are looked at one by one only where one of them is refused.
void check_admissible(std::int64_t n, std::span<const std::int64_t> trial_lengths, std::int64_t k,
                      std::int64_t theiler_window) {
  const std::int64_t window = std::min(theiler_window, n);
  const std::int64_t whole[] = {n};
  std::int64_t begin = 0;
  for (const std::int64_t length : trial_lengths.empty() ? std::span(whole) : trial_lengths) {
    for (std::int64_t j = 0; j < length && n - std::min(length, 2 * window + 1) < k; ++j) {
      const std::int64_t admissible = n - 1 - std::min(j, window) - std::min(length - 1 - j, window);
      if (admissible < k)
        throw ContractError(
            std::string(kName), "k",
            "is " + std::to_string(k) + ", but point " + std::to_string(begin + j) + " has only " +
                std::to_string(admissible) + " admissible neighbours (n = " + std::to_string(n) +
                ", theiler_window = " + std::to_string(theiler_window) + "); expected k of at most that");
    }
    begin += length;
  }
}

}  // namespace

Search search_of(std::string_view name) {
  if (name == "sorted") return Search::sorted;
  if (name == "tree") return Search::tree;
  return Search::automatic;
}

std::map<std::string, std::string> choice_of_search(Backend backend, const Arguments& arguments, bool tree) {
  if (backend != Backend::cpu || arguments.text("search") != "auto") return {};
  return {{"search", tree ? "tree" : "sorted"}};
}

ParameterInfo search_parameter() {
  ParameterInfo info;
  info.name = "search";
  info.summary =
      "how neighbours are found: auto chooses by size, tree asks CUDA for its structures at any size; never "
      "changes the result";
  info.type = ParameterType::text;
  info.fallback = std::string("auto");
  info.choices = {"auto", "sorted", "tree"};
  return info;
}

void knn(Context& context, const ConstTensorView& points, std::span<const std::int64_t> trial_lengths,
         std::int64_t k, std::int64_t theiler_window, const TensorView& distances, const TensorView& indices,
         Search search) {
  check_view(kName, "points", points, DType::f64, 2);
  const std::int64_t n = points.extent(0);
  const std::int64_t d = points.extent(1);
  check_row_count(kName, "points", n);
  if (d < 1) throw ContractError(std::string(kName), "points", "have no columns; expected at least 1");
  if (k < 1)
    throw ContractError(std::string(kName), "k", "is " + std::to_string(k) + "; expected at least 1");
  if (theiler_window < 0)
    throw ContractError(std::string(kName), "theiler_window",
                        "is " + std::to_string(theiler_window) + "; expected at least 0");
  check_trial_lengths(kName, trial_lengths, n);
  check_memory(kName, "points", context, points.space);
  if (context.backend() == Backend::cpu) check_finite(kName, "points", points.as<double>());
  check_admissible(n, trial_lengths, k, theiler_window);
  check_view(kName, "distances", distances, DType::f64, {n, k});
  check_view(kName, "indices", indices, DType::i64, {n, k});
  check_memory(kName, "distances", context, distances.space);
  check_memory(kName, "indices", context, indices.space);
  const kernels::spatial::Rows rows{points.as<double>().data(), n, d};
  const auto way = static_cast<kernels::spatial::Search>(search);
  if (context.backend() == Backend::cuda) {
#ifdef ASSAY_HAVE_CUDA
    if (n == 0) return;
    const DeviceScope device(context.device());
    const Workspace::Frame frame(context.workspace());
    kernels::checks::check_finite_cuda(context.stream().handle(), rows.data, n * d,
                                       context.status().on_device());
    kernels::te::knn_cuda(context.stream().handle(), rows, trial_lengths, k, theiler_window, way,
                          context.workspace().take<std::int32_t>(
                              kernels::spatial::exclusion_bounds(trial_lengths, theiler_window)),
                          distances.as<double>().data(), indices.as<std::int64_t>().data());
#endif
    return;
  }
  kernels::te::knn(context.pool(), rows, trial_lengths, k, theiler_window, way, distances.as<double>(),
                   indices.as<std::int64_t>());
}

Operation describe_knn() {
  Operation operation;
  operation.name = kName;
  operation.summary =
      "The k nearest neighbours of every point in the maximum norm, a Theiler window left out.";
  operation.paper = "Kraskov, Stoegbauer, Grassberger 2004, section II; Theiler 1986";
  operation.error_model = "exact: one rounding a difference; ties by the smaller index";
  operation.inputs = {{"points", "finite", {DType::f64}, "(n, d)"},
                      {"trial_lengths",
                       "rows of each trial, summing to n; absent: one trial",
                       {DType::i64},
                       "(num_trials)",
                       true,
                       true}};
  operation.outputs = {{.name = "distances",
                        .summary = "to the neighbours, rising",
                        .dtypes = {DType::f64},
                        .shape = "(n, k)",
                        .errors = ErrorModel::exact},
                       {"indices", "rows of the neighbours", {DType::i64}, "(n, k)"}};
  operation.parameters = {{"k", "neighbours of each point", ParameterType::integer, std::nullopt, 1},
                          {"theiler_window", "rows of the same trial this near in time are no neighbours",
                           ParameterType::integer, std::int64_t{0}, 0},
                          search_parameter()};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.output_shapes = [](const Arguments& arguments) {
    const ConstTensorView& points = arguments.input("points");
    if (points.rank() != 2)
      throw ContractError(std::string(kName), "points",
                          "has shape " + to_string(points.shape) + "; expected 2 dimensions");
    const std::int64_t n = points.extent(0);
    const std::int64_t k = arguments.integer("k");
    if (k > n)  // before anything of that size is allocated
      throw ContractError(
          std::string(kName), "k",
          "is " + std::to_string(k) + "; expected less than the " + std::to_string(n) + " points");
    return std::vector<OutputShape>{{"distances", DType::f64, {n, k}}, {"indices", DType::i64, {n, k}}};
  };
  operation.work = [](const Arguments& arguments) {
    // the distances that are returned, each a difference, a magnitude and a maximum a dimension: no search
    // counted
    const auto n = static_cast<double>(arguments.input("points").extent(0));
    const auto d = static_cast<double>(arguments.input("points").extent(1));
    const auto k = static_cast<double>(arguments.integer("k"));
    return Work{.flops = 3.0 * n * k * d, .bytes = 8.0 * n * d + 16.0 * n * k};
  };
  operation.choices = [](Backend backend, const Arguments& arguments) {
    const ConstTensorView& points = arguments.input("points");
    return choice_of_search(backend, arguments,
                            kernels::spatial::tree_for_neighbours(kernels::spatial::Search::automatic,
                                                                  points.extent(0), points.extent(1)));
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    knn(context, arguments.input("points"), trials_of(arguments), arguments.integer("k"),
        arguments.integer("theiler_window"), outputs.at("distances"), outputs.at("indices"),
        search_of(arguments.text("search")));
  };
  return operation;
}

}  // namespace assay::te
