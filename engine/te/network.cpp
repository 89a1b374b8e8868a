#include "engine/te/network.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "engine/view_checks.hpp"
#include "kernels/lists/long_lists.hpp"
#include "kernels/networks/shared_network.hpp"
#include "kernels/spatial/exclusion.hpp"
#include "kernels/spatial/search.hpp"
#include "kernels/te/network.hpp"
#include "kernels/windows/evaluate.hpp"

namespace assay::te {

namespace {

constexpr std::string_view kName = "te.network";

[[noreturn]] void refuse(std::string argument, std::string expected) {
  throw ContractError(std::string(kName), std::move(argument), std::move(expected));
}

/// (count, n, d) with at least one column; all values finite.
const double* checked(Context& context, const char* argument, const ConstTensorView& view) {
  check_view(kName, argument, view, DType::f64, 3);
  if (view.extent(2) < 1) refuse(argument, "has no columns; expected at least 1");
  check_row_count(kName, argument, view.extent(1));
  check_memory(kName, argument, context, view.space);
  check_values(kName, argument, view.as<double>(), context);
  return view.as<double>().data();
}

void check_rows(const char* argument, const ConstTensorView& view, std::int64_t n) {
  if (view.extent(1) != n)
    refuse(argument, "has " + std::to_string(view.extent(1)) + " rows; expected the " + std::to_string(n) +
                         " of the sources");
}

void check_parameters(const KsgParameters& parameters) {
  if (parameters.k < 1) refuse("k", "is " + std::to_string(parameters.k) + "; expected at least 1");
  if (parameters.algorithm != 1 && parameters.algorithm != 2)
    refuse("algorithm", "is " + std::to_string(parameters.algorithm) + "; expected 1 or 2");
  if (parameters.theiler_window < 0)
    refuse("theiler_window", "is " + std::to_string(parameters.theiler_window) + "; expected at least 0");
}

void check_admissible(std::int64_t n, std::span<const std::int64_t> trial_lengths,
                      const KsgParameters& parameters) {
  const kernels::spatial::Exclusion exclusion(n, trial_lengths, parameters.theiler_window);
  for (std::int64_t i = 0; i < n; ++i)
    if (exclusion.admissible(i) < parameters.k)
      refuse("k", "is " + std::to_string(parameters.k) + ", but point " + std::to_string(i) + " has only " +
                      std::to_string(exclusion.admissible(i)) + " admissible neighbours (n = " +
                      std::to_string(n) + ", theiler_window = " + std::to_string(parameters.theiler_window) +
                      "); expected k of at most that");
}

bool given(const ConstTensorView& z) {
  return z.data != nullptr && !(z.rank() == 3 && z.extent(2) == 0);
}

std::span<const std::int64_t> trials_of(const Arguments& arguments) {
  if (!arguments.has("trial_lengths")) return {};
  return arguments.input("trial_lengths").as<std::int64_t>();
}

std::vector<OutputShape> shapes(const Arguments& arguments) {
  const ConstTensorView& sources = arguments.input("sources");
  const ConstTensorView& y = arguments.input("y");
  if (sources.rank() != 3)
    refuse("sources", "has shape " + to_string(sources.shape) + "; expected 3 dimensions");
  if (y.rank() != 3) refuse("y", "has shape " + to_string(y.shape) + "; expected 3 dimensions");
  const std::int64_t m = sources.extent(0), n = sources.extent(1), t = y.extent(0);
  const std::int64_t counted = arguments.flag("counts") ? 1 : 0;
  return {{"values", DType::f64, {m, t}},
          {"surrogates", DType::f64, {m, t, arguments.integer("surrogates")}},
          {"counts", DType::i64, {counted * m, t, n, 3}}};
}

Work work(const Arguments& arguments) {
  // each pair: the k joint distances of each point (a difference, a magnitude and a maximum a dimension), 3
  // psi summed; no search
  const ConstTensorView& sources = arguments.input("sources");
  const ConstTensorView& y = arguments.input("y");
  const auto n = static_cast<double>(sources.extent(1));
  double d = static_cast<double>(y.extent(2));
  if (arguments.has("z")) d += static_cast<double>(arguments.input("z").extent(2));
  const auto m = static_cast<double>(sources.extent(0)), t = static_cast<double>(y.extent(0));
  const auto dx = static_cast<double>(sources.extent(2));
  const auto k = static_cast<double>(arguments.integer("k"));
  const double evaluated = m * t * (1.0 + static_cast<double>(arguments.integer("surrogates")));
  return {.flops = evaluated * n * (3.0 * k * (d + dx) + 4.0),
          .bytes = 8.0 * (n * (m * dx + t * d) + evaluated)};
}

std::vector<double> error_bound(const Arguments& arguments, std::string_view,
                                std::span<const double> reference) {
  const double allowed = ksg_error(arguments.input("sources").extent(1), arguments.integer("k"),
                                   static_cast<int>(arguments.integer("algorithm")), true);
  return std::vector<double>(reference.size(), allowed);
}

}  // namespace

struct NetworkPlan::State {
  std::int64_t m = 0, n = 0;
  std::int64_t surrogates = 0;
  std::optional<kernels::te::NetworkPlan> on_cpu;
#ifdef ASSAY_HAVE_CUDA
  /// Memory of the plan's own, or the context's; what is taken from it stays taken while the frame is open.
  std::unique_ptr<Workspace> own;
  std::unique_ptr<Workspace::Frame> frame;
  std::optional<kernels::te::NetworkCudaPlan> on_cuda;
#endif
};

NetworkPlan::NetworkPlan(Context& context, const ConstTensorView& sources,
                         std::span<const std::int64_t> trial_lengths, const KsgParameters& parameters,
                         const NetworkSurrogates& surrogates)
    : NetworkPlan(context, sources, trial_lengths, parameters, surrogates, false) {}

NetworkPlan::NetworkPlan(Context& context, const ConstTensorView& sources,
                         std::span<const std::int64_t> trial_lengths, const KsgParameters& parameters,
                         const NetworkSurrogates& surrogates, [[maybe_unused]] bool in_context_memory)
    : state_(std::make_unique<State>()) {
  check_parameters(parameters);
  const kernels::te::NetworkSources all{checked(context, "sources", sources), sources.extent(0),
                                        sources.extent(1), sources.extent(2)};
  check_trial_lengths(kName, trial_lengths, all.n);
  check_admissible(all.n, trial_lengths, parameters);
  if (surrogates.count < 0)
    refuse("surrogates", "is " + std::to_string(surrogates.count) + "; expected at least 0");
  if (surrogates.count > 0) {
    if (static_cast<std::int64_t>(surrogates.seeds.size()) != all.m)
      refuse("seeds", "has " + std::to_string(surrogates.seeds.size()) +
                          " entries; expected one for each of the " + std::to_string(all.m) + " sources");
    check_admissible(all.n, {}, parameters);
  }
  const kernels::te::KsgOptions options{.k = parameters.k,
                                        .algorithm = parameters.algorithm,
                                        .theiler_window = parameters.theiler_window,
                                        .search = static_cast<kernels::spatial::Search>(parameters.search)};
  const kernels::te::NetworkDraws draws{surrogates.count, surrogates.method == Resampling::shift,
                                        surrogates.seeds};
  state_->m = all.m;
  state_->n = all.n;
  state_->surrogates = surrogates.count;
#ifdef ASSAY_HAVE_CUDA
  if (context.backend() == Backend::cuda) {
    const DeviceScope device(context.device());
    if (!in_context_memory) state_->own = std::make_unique<Workspace>(MemorySpace::device, context.device());
    Workspace& memory = in_context_memory ? context.workspace() : *state_->own;
    state_->frame = std::make_unique<Workspace::Frame>(memory);
    state_->on_cuda.emplace(context.stream().handle(), memory, all, trial_lengths, options, draws);
    return;
  }
#endif
  state_->on_cpu.emplace(context.pool(), all, trial_lengths, options, draws);
}

NetworkPlan::NetworkPlan(NetworkPlan&&) noexcept = default;
NetworkPlan& NetworkPlan::operator=(NetworkPlan&&) noexcept = default;
NetworkPlan::~NetworkPlan() = default;

std::int64_t NetworkPlan::working_bytes(std::int64_t targets, std::int64_t dy, std::int64_t dz) const {
#ifdef ASSAY_HAVE_CUDA
  if (state_->on_cuda) return state_->on_cuda->working_bytes(targets, dy, dz);
#endif
  return state_->on_cpu->working_bytes(targets, dy, dz);
}

void NetworkPlan::evaluate(Context& context, const ConstTensorView& y, const ConstTensorView& z,
                           std::span<const std::int64_t> skip, const NetworkOutputs& outputs) {
  const State& state = *state_;
  kernels::te::NetworkTargets targets{checked(context, "y", y), nullptr, y.extent(0), y.extent(2), 0};
  check_rows("y", y, state.n);
  if (given(z)) {
    targets.z = checked(context, "z", z);
    targets.dz = z.extent(2);
    check_rows("z", z, state.n);
    if (z.extent(0) != targets.t)
      refuse("z", "holds " + std::to_string(z.extent(0)) + " targets; expected the " +
                      std::to_string(targets.t) + " of y");
  }
  if (!skip.empty() && static_cast<std::int64_t>(skip.size()) != targets.t)
    refuse("skip", "has " + std::to_string(skip.size()) + " entries; expected one for each of the " +
                       std::to_string(targets.t) + " targets");
  std::vector<kernels::te::CountedPair> counted;
  for (const NetworkPair& pair : outputs.counted) {
    if (pair.source < 0 || pair.source >= state.m || pair.target < 0 || pair.target >= targets.t)
      refuse("counted", "names source " + std::to_string(pair.source) + " and target " +
                            std::to_string(pair.target) + "; expected below " + std::to_string(state.m) +
                            " and " + std::to_string(targets.t));
    counted.push_back({pair.source, pair.target});
  }
  kernels::te::NetworkResult result{.counted = counted};
  const auto check_output = [&](const char* name, const TensorView& view, DType type, const Shape& shape) {
    if (view.data == nullptr) return false;
    check_view(kName, name, view, type, shape);
    check_memory(kName, name, context, view.space);
    return true;
  };
  if (check_output("values", outputs.values, DType::f64, {state.m, targets.t}))
    result.values = outputs.values.as<double>().data();
  if (check_output("surrogates", outputs.surrogates, DType::f64, {state.m, targets.t, state.surrogates}))
    result.surrogates = outputs.surrogates.as<double>().data();
  if (check_output("counts", outputs.counts, DType::i64,
                   {static_cast<std::int64_t>(counted.size()), state.n, 3}))
    result.counts = outputs.counts.as<std::int64_t>().data();
#ifdef ASSAY_HAVE_CUDA
  if (state_->on_cuda) {
    const DeviceScope device(context.device());
    state_->on_cuda->evaluate(context.stream().handle(), context.workspace(), targets, skip, result);
    return;
  }
#endif
  state_->on_cpu->evaluate(context.pool(), targets, skip, result);
}

Operation describe_network() {
  Operation operation;
  operation.name = kName;
  operation.summary = "te.ksg of every source with every target: the matrix of a network, with surrogates.";
  operation.paper = "Kraskov, Stoegbauer, Grassberger 2004, eqs. 8 and 9; Frenzel, Pompe 2007, eq. 7";
  operation.error_model = "counts exact; values as te.ksg's";
  operation.inputs = {{"sources", "finite; one matrix a source", {DType::f64}, "(m, n, dx)"},
                      {"y", "finite; one matrix a target", {DType::f64}, "(t, n, dy)"},
                      {"z", "finite; absent: no condition", {DType::f64}, "(t, n, dz)", true},
                      {"trial_lengths",
                       "rows of each trial, summing to n; absent: one trial",
                       {DType::i64},
                       "(num_trials)",
                       true,
                       true}};
  operation.outputs = {{"values", "nats; NaN on a diagonal that is skipped", {DType::f64}, "(m, t)"},
                       {"surrogates", "nats, of each surrogate", {DType::f64}, "(m, t, surrogates)"},
                       {"counts",
                        "n_xz, n_yz, n_z where asked for, 0 on a skipped diagonal",
                        {DType::i64},
                        "(m or 0, t, n, 3)"}};
  operation.parameters = {
      {"k", "nearest neighbours in the joint space", ParameterType::integer, std::int64_t{4}, 1},
      {"algorithm", "1: one radius, strict counts; 2: a radius each for x, y and z, counts with <=",
       ParameterType::integer, std::int64_t{1}, 1, 2},
      {"theiler_window", "rows of the same trial this near in time are no neighbours", ParameterType::integer,
       std::int64_t{0}, 0},
      search_parameter(),
      {"skip_diagonal", "source i is left out for target i", ParameterType::flag, true},
      {"counts", "write the counts of every entry", ParameterType::flag, false},
      {"surrogates", "surrogates of each source", ParameterType::integer, std::int64_t{0}, 0},
      {"surrogate_method",
       "permute or shift",
       ParameterType::text,
       std::string("permute"),
       -std::numeric_limits<double>::infinity(),
       std::numeric_limits<double>::infinity(),
       {"permute", "shift"}},
      {"seed", "source s draws its surrogates from seed + s", ParameterType::integer, std::int64_t{1}, 0}};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.batches = {{.name = "sources",
                        .inputs = {{"sources", 0}},
                        .outputs = {{"values", 0}, {"surrogates", 0}, {"counts", 0}},
                        .counted_from = "seed",
                        .backends = {Backend::cpu}},
                       {.name = "targets",
                        .inputs = {{"y", 0}, {"z", 0}},
                        .outputs = {{"values", 1}, {"surrogates", 1}, {"counts", 1}}}};
  operation.output_shapes = shapes;
  operation.work = work;
  operation.error_bound = error_bound;
  operation.choices = [](Backend backend, const Arguments& arguments) {
    std::map<std::string, std::string> chosen;
    if (backend == Backend::reference || arguments.text("search") != "auto") return chosen;
    const ConstTensorView& sources = arguments.input("sources");
    const std::int64_t m = sources.extent(0), n = sources.extent(1), dx = sources.extent(2);
    const std::int64_t dy = arguments.input("y").extent(2);
    const std::int64_t dz = arguments.has("z") ? arguments.input("z").extent(2) : 0;
    const kernels::te::KsgOptions options{.k = arguments.integer("k"),
                                          .algorithm = static_cast<int>(arguments.integer("algorithm"))};
    if (backend == Backend::cuda)
      chosen["search"] =
          kernels::lists::suit(dx, dy, dz, options.algorithm, options.k, n) ? "shared lists"
          : kernels::lists::suit_long(dx, dy, dz, options.algorithm, options.k, n,
                                      m * std::max<std::int64_t>(1, arguments.integer("surrogates")))
              ? "long lists"
          : kernels::windows::sweep_suits(dx, dy, dz, options.algorithm, options.k, n) ? "sweep"
                                                                                       : "windows";
    else if (kernels::networks::SharedNetwork::takes({nullptr, m, n, sources.extent(2)}, options) &&
             kernels::networks::SharedNetwork::suits(n, m, arguments.integer("surrogates"),
                                                     arguments.input("y").extent(2), dz))
      chosen["search"] = "shared lists";
    else if (dz > 0)  // pair by pair, as te.ksg chooses
      chosen["search"] =
          kernels::spatial::tree_for_conditional(kernels::spatial::Search::automatic, n) ? "tree" : "sorted";
    return chosen;
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    const KsgParameters parameters{.k = arguments.integer("k"),
                                   .algorithm = static_cast<int>(arguments.integer("algorithm")),
                                   .theiler_window = arguments.integer("theiler_window"),
                                   .search = search_of(arguments.text("search"))};
    const ConstTensorView& sources = arguments.input("sources");
    const ConstTensorView& y = arguments.input("y");
    const std::int64_t m = sources.extent(0), t = y.extent(0), n = sources.extent(1);
    NetworkSurrogates surrogates{
        .count = arguments.integer("surrogates"),
        .method = arguments.text("surrogate_method") == "shift" ? Resampling::shift : Resampling::permute};
    for (std::int64_t s = 0; s < m && surrogates.count > 0; ++s)
      surrogates.seeds.push_back(static_cast<std::uint64_t>(arguments.integer("seed") + s));
    std::vector<std::int64_t> skip;
    if (arguments.flag("skip_diagonal"))
      for (std::int64_t target = 0; target < t; ++target) skip.push_back(target < m ? target : -1);
    std::vector<NetworkPair> counted;
    NetworkOutputs made{.values = outputs.at("values"), .surrogates = outputs.at("surrogates")};
    if (surrogates.count == 0) made.surrogates = {};
    if (arguments.flag("counts")) {
      for (std::int64_t source = 0; source < m; ++source)
        for (std::int64_t target = 0; target < t; ++target) counted.push_back({source, target});
      made.counts = outputs.at("counts");
      made.counts.shape = {m * t, n, 3};
      made.counts.strides = contiguous_strides(made.counts.shape);
      made.counted = counted;
    }
    // in the context's memory, so that a call made again allocates nothing
    NetworkPlan(context, sources, trials_of(arguments), parameters, surrogates, true)
        .evaluate(context, y, arguments.has("z") ? arguments.input("z") : ConstTensorView{}, skip, made);
  };
  return operation;
}

}  // namespace assay::te
