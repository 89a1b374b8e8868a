#include "engine/te/ksg.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "engine/error_bounds.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "engine/te/digamma.hpp"
#include "engine/view_checks.hpp"
#include "kernels/spatial/exclusion.hpp"
#include "kernels/spatial/search.hpp"
#include "kernels/te/ksg.hpp"
#include "kernels/windows/evaluate.hpp"

namespace assay::te {

namespace {

constexpr std::string_view kName = "te.ksg";

[[noreturn]] void refuse(std::string argument, std::string expected) {
  throw ContractError(std::string(kName), std::move(argument), std::move(expected));
}

std::span<const std::int64_t> trials_of(const Arguments& arguments) {
  if (!arguments.has("trial_lengths")) return {};
  return arguments.input("trial_lengths").as<std::int64_t>();
}

kernels::spatial::Rows rows_of(Context& context, const char* argument, const ConstTensorView& view) {
  check_view(kName, argument, view, DType::f64, 2);
  if (view.extent(1) < 1) refuse(argument, "has no columns; expected at least 1");
  check_row_count(kName, argument, view.extent(0));
  check_memory(kName, argument, context, view.space);
  const auto values = view.as<double>();
  check_values(kName, argument, values, context);
  return {values.data(), view.extent(0), view.extent(1)};
}

/// A condition that is absent, or has no columns, is no condition.
bool given(const ConstTensorView& z) {
  return z.data != nullptr && !(z.rank() == 2 && z.extent(1) == 0);
}

void check_rows(const char* argument, std::int64_t rows, std::int64_t n) {
  if (rows != n)
    refuse(argument, "has " + std::to_string(rows) + " rows; expected the " + std::to_string(n) + " of y");
}

void check_parameters(const KsgParameters& parameters) {
  if (parameters.k < 1) refuse("k", "is " + std::to_string(parameters.k) + "; expected at least 1");
  if (parameters.algorithm != 1 && parameters.algorithm != 2)
    refuse("algorithm", "is " + std::to_string(parameters.algorithm) + "; expected 1 or 2");
  if (parameters.theiler_window < 0)
    refuse("theiler_window", "is " + std::to_string(parameters.theiler_window) + "; expected at least 0");
}

void check_admissible(const kernels::spatial::Exclusion& exclusion, const KsgParameters& parameters) {
  if (exclusion.points() < 1) refuse("y", "has no rows; expected at least k + 1");
  for (std::int64_t i = 0; i < exclusion.points(); ++i)
    if (exclusion.admissible(i) < parameters.k)
      refuse("k", "is " + std::to_string(parameters.k) + ", but point " + std::to_string(i) + " has only " +
                      std::to_string(exclusion.admissible(i)) +
                      " admissible neighbours (n = " + std::to_string(exclusion.points()) +
                      ", theiler_window = " + std::to_string(parameters.theiler_window) +
                      "); expected k of at most that");
}

template <typename T>
std::span<T> output_span(const Context& context, const char* name, const TensorView& view,
                         const Shape& shape) {
  if (view.data == nullptr) return {};
  check_view(kName, name, view, dtype_of<T>(), shape);
  check_memory(kName, name, context, view.space);
  return view.as<T>();
}

std::vector<double> error_bound(const Arguments& arguments, std::string_view output,
                                std::span<const double> reference) {
  const double allowed = ksg_error(arguments.input("y").extent(0), arguments.integer("k"),
                                   static_cast<int>(arguments.integer("algorithm")), output == "value");
  return std::vector<double>(reference.size(), allowed);
}

Work work(const Arguments& arguments) {
  // each point: the k joint distances (a difference, a magnitude and a maximum a dimension), 3 psi summed; no
  // search
  const auto n = static_cast<double>(arguments.input("y").extent(0));
  double d = static_cast<double>(arguments.input("x").extent(1) + arguments.input("y").extent(1));
  if (arguments.has("z")) d += static_cast<double>(arguments.input("z").extent(1));
  const auto k = static_cast<double>(arguments.integer("k"));
  return {.flops = n * (3.0 * k * d + 4.0), .bytes = 8.0 * n * (d + 7.0)};
}

std::vector<OutputShape> shapes(const Arguments& arguments) {
  const ConstTensorView& y = arguments.input("y");
  if (y.rank() != 2) refuse("y", "has shape " + to_string(y.shape) + "; expected 2 dimensions");
  const std::int64_t n = y.extent(0);
  return {{"value", DType::f64, {1}},
          {"local", DType::f64, {n}},
          {"radii", DType::f64, {n, 3}},
          {"counts", DType::i64, {n, 3}}};
}

}  // namespace

double ksg_error(std::int64_t n, std::int64_t k, int algorithm, bool mean) {
  const double points = static_cast<double>(n);
  Bounded psi{std::max(0.58, std::log(points)), 0};
  for (std::int64_t m = 1; m <= n; ++m)
    psi.error = std::max(psi.error, digamma_error(static_cast<double>(m)));
  const double of_k = static_cast<double>(k);
  // Magnitudes, so that no cancellation makes a step's rounding look smaller than in another order.
  Terms body, reference;
  const auto add = [&](const Bounded& term) {
    body.add(term);
    reference.add(exactly(term.exact));
  };
  for (int term = 0; term < 3; ++term) add(psi);
  add({std::max(0.58, std::log(of_k)), digamma_error(of_k)});
  if (algorithm == 2) {
    add(quotient(exactly(2), exactly(of_k), in_double));
    for (int count = 0; count < 2; ++count) add(quotient(exactly(1), exactly(1), in_double));
  }
  constexpr double additions = 6;
  const Bounded local = sum(body, additions, in_double);
  const double of_reference = sum(reference, additions, in_double).error;
  if (!mean) return local.error + of_reference;
  // The mean of n errors is no larger than the largest, that of n magnitudes neither: all n are taken equal.
  const Bounded total{local.exact,
                      local.error + gamma(40 + std::log2(points), in_double) * (local.exact + local.error)};
  return rounded(total, in_double).error + of_reference +
         (in_double.unit + 0x1p-64 * points / (1 - 0x1p-64 * points)) * local.exact;
}

struct KsgPlan::State {
  std::int64_t n = 0;
  std::optional<kernels::te::KsgPlan> on_cpu;
#ifdef ASSAY_HAVE_CUDA
  /// Memory of the plan's own, or the context's; what is taken from it stays taken while the frame is open.
  std::unique_ptr<Workspace> own;
  std::unique_ptr<Workspace::Frame> frame;
  std::optional<kernels::te::KsgCudaPlan> on_cuda;
#endif
};

namespace {

struct CheckedTarget {
  kernels::spatial::Rows y, z;
  kernels::te::KsgOptions options;
};

CheckedTarget checked(Context& context, const ConstTensorView& y, const ConstTensorView& z,
                      std::span<const std::int64_t> trial_lengths, const KsgParameters& parameters) {
  check_parameters(parameters);
  CheckedTarget target{rows_of(context, "y", y), {}, {}};
  if (given(z)) {
    target.z = rows_of(context, "z", z);
    check_rows("z", target.z.n, target.y.n);
  }
  check_trial_lengths(kName, trial_lengths, target.y.n);
  check_admissible(kernels::spatial::Exclusion(target.y.n, trial_lengths, parameters.theiler_window),
                   parameters);
  target.options = {.k = parameters.k,
                    .algorithm = parameters.algorithm,
                    .theiler_window = parameters.theiler_window,
                    .search = static_cast<kernels::spatial::Search>(parameters.search)};
  return target;
}

struct CheckedSource {
  kernels::spatial::Rows x;
  kernels::te::KsgResult result;
};

CheckedSource checked(Context& context, std::int64_t n, const ConstTensorView& x, const KsgOutputs& outputs) {
  CheckedSource source{rows_of(context, "x", x), {}};
  check_rows("x", source.x.n, n);
  source.result = {.value = output_span<double>(context, "value", outputs.value, {1}),
                   .local = output_span<double>(context, "local", outputs.local, {n}),
                   .radii = output_span<double>(context, "radii", outputs.radii, {n, 3}),
                   .counts = output_span<std::int64_t>(context, "counts", outputs.counts, {n, 3})};
  return source;
}

}  // namespace

KsgPlan::KsgPlan(Context& context, const ConstTensorView& y, const ConstTensorView& z,
                 std::span<const std::int64_t> trial_lengths, const KsgParameters& parameters) {
  const CheckedTarget target = checked(context, y, z, trial_lengths, parameters);
  state_ = std::make_unique<State>();
  state_->n = target.y.n;
#ifdef ASSAY_HAVE_CUDA
  if (context.backend() == Backend::cuda) {
    const DeviceScope device(context.device());
    state_->own = std::make_unique<Workspace>(MemorySpace::device, context.device());
    state_->frame = std::make_unique<Workspace::Frame>(*state_->own);
    state_->on_cuda.emplace(context.stream().handle(), *state_->own, target.y, target.z, trial_lengths,
                            target.options);
    return;
  }
#endif
  state_->on_cpu.emplace(context.pool(), target.y, target.z, trial_lengths, target.options);
}

KsgPlan::KsgPlan(KsgPlan&&) noexcept = default;
KsgPlan& KsgPlan::operator=(KsgPlan&&) noexcept = default;
KsgPlan::~KsgPlan() = default;

void KsgPlan::evaluate(Context& context, const ConstTensorView& x, const KsgOutputs& outputs) {
  const CheckedSource source = checked(context, state_->n, x, outputs);
#ifdef ASSAY_HAVE_CUDA
  if (context.backend() == Backend::cuda) {
    const DeviceScope device(context.device());
    state_->on_cuda->evaluate(context.stream().handle(), context.workspace(), source.x, source.result);
    return;
  }
#endif
  state_->on_cpu->evaluate(context.pool(), source.x, source.result);
}

void ksg(Context& context, const ConstTensorView& x, const ConstTensorView& y, const ConstTensorView& z,
         std::span<const std::int64_t> trial_lengths, const KsgParameters& parameters,
         const KsgOutputs& outputs) {
#ifdef ASSAY_HAVE_CUDA
  if (context.backend() ==
      Backend::cuda) {  // in the context's own memory: nothing is allocated once it has grown
    const CheckedTarget target = checked(context, y, z, trial_lengths, parameters);
    const CheckedSource source = checked(context, target.y.n, x, outputs);
    const DeviceScope device(context.device());
    const Workspace::Frame frame(context.workspace());
    const kernels::te::KsgCudaPlan plan(context.stream().handle(), context.workspace(), target.y, target.z,
                                        trial_lengths, target.options);
    plan.evaluate(context.stream().handle(), context.workspace(), source.x, source.result);
    return;
  }
#endif
  KsgPlan(context, y, z, trial_lengths, parameters).evaluate(context, x, outputs);
}

Operation describe_ksg() {
  Operation operation;
  operation.name = kName;
  operation.summary =
      "Conditional mutual information I(x; y | z) by nearest neighbours in Kraskov's form; without z, "
      "mutual information.";
  operation.paper =
      "Kraskov, Stoegbauer, Grassberger 2004, eqs. 8 and 9; Frenzel, Pompe 2007, eq. 7; Lizier 2014";
  operation.error_model =
      "counts and radii exact; a local value by the bounds of four psi and 6 additions, the mean by 40 + "
      "log2 n more";
  operation.inputs = {{"x", "finite (source past)", {DType::f64}, "(n, dx)"},
                      {"y", "finite (target next)", {DType::f64}, "(n, dy)"},
                      {"z", "finite (target past); absent: no condition", {DType::f64}, "(n, dz)", true},
                      {"trial_lengths",
                       "rows of each trial, summing to n; absent: one trial",
                       {DType::i64},
                       "(num_trials)",
                       true,
                       true}};
  operation.outputs = {{"value", "nats", {DType::f64}, "(1)"},
                       {"local", "nats; their mean is value", {DType::f64}, "(n)"},
                       {.name = "radii",
                        .summary = "eps_x, eps_y, eps_z",
                        .dtypes = {DType::f64},
                        .shape = "(n, 3)",
                        .errors = ErrorModel::exact},
                       {"counts", "n_xz, n_yz, n_z (without z: n_x, n_y, n - 1)", {DType::i64}, "(n, 3)"}};
  operation.parameters = {
      {"k", "nearest neighbours in the joint space", ParameterType::integer, std::int64_t{4}, 1},
      {"algorithm", "1: one radius, strict counts; 2: a radius each for x, y and z, counts with <=",
       ParameterType::integer, std::int64_t{1}, 1, 2},
      {"theiler_window", "rows of the same trial this near in time are no neighbours", ParameterType::integer,
       std::int64_t{0}, 0},
      search_parameter()};
  operation.cuda_body = CudaBody::cuda_only;
  operation.deterministic = true;
  operation.output_shapes = shapes;
  operation.work = work;
  operation.error_bound = error_bound;
  operation.choices = [](Backend backend, const Arguments& arguments) {
    const ConstTensorView &x = arguments.input("x"), &y = arguments.input("y");
    const bool conditional = arguments.has("z") && arguments.input("z").extent(1) > 0;
    constexpr auto automatic = kernels::spatial::Search::automatic;
    if (backend == Backend::cuda && arguments.text("search") == "auto") {
      const bool sweep = conditional && kernels::windows::sweep_suits(
                                            x.extent(1), y.extent(1), arguments.input("z").extent(1),
                                            static_cast<int>(arguments.integer("algorithm")),
                                            arguments.integer("k"), x.extent(0));
      return std::map<std::string, std::string>{{"search", sweep ? "sweep" : "windows"}};
    }
    return choice_of_search(backend, arguments,
                            conditional ? kernels::spatial::tree_for_conditional(automatic, x.extent(0))
                                        : kernels::spatial::tree_for_neighbours(automatic, x.extent(0),
                                                                                x.extent(1) + y.extent(1)));
  };
  operation.run = [](Context& context, const Arguments& arguments, const Outputs& outputs) {
    const KsgParameters parameters{.k = arguments.integer("k"),
                                   .algorithm = static_cast<int>(arguments.integer("algorithm")),
                                   .theiler_window = arguments.integer("theiler_window"),
                                   .search = search_of(arguments.text("search"))};
    ksg(context, arguments.input("x"), arguments.input("y"),
        arguments.has("z") ? arguments.input("z") : ConstTensorView{}, trials_of(arguments), parameters,
        {.value = outputs.at("value"),
         .local = outputs.at("local"),
         .radii = outputs.at("radii"),
         .counts = outputs.at("counts")});
  };
  return operation;
}

}  // namespace assay::te
