#include "validation/golden.hpp"

#include <chrono>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "engine/analysis/network.hpp"
#include "engine/runtime/error.hpp"
#include "reference/operations.hpp"
#include "validation/estimators.hpp"

namespace assay::validation {

namespace {

using analysis::AisSpec;
using analysis::SeriesTable;
using analysis::TeSpec;

template <typename T>
T accepted(Result<T> result) {
  if (!result) throw Failed("refused: " + result.error().message);
  return std::move(result).value();
}

std::string name_of_folder(const std::string& path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
}

class CaseRun {
 public:
  CaseRun(const GoldenFolder& folder, const GoldenCase& item, Context& context, Backend backend,
          CheckResult& result)
      : item_(item),
        context_(context),
        backend_(backend),
        estimator_(estimator_for(context, backend)),
        result_(result),
        table_(prepare_table(folder)) {}

  void run() {
    if (item_.measure == "te_matrix")
      matrix();
    else
      single();
  }

 private:
  SeriesTable prepare_table(const GoldenFolder& folder) const {
    const SeriesTable& stored = folder.tables.at(item_.file);
    SeriesTable table;
    table.names = stored.names;
    table.values = stored.values.clone();
    if (item_.trial_column) table = accepted(analysis::with_trials(table, *item_.trial_column));
    if (item_.use_first_rows) table = accepted(analysis::take_first_rows(table, *item_.use_first_rows));
    return table;
  }

  // Records the difference. Where it exceeds the tolerance: a failure, or information.
  void hold(const std::string& what, double value, double expected, double tolerance) {
    ++result_.assertions;
    const double difference = std::abs(value - expected);
    result_.samples.push_back({what, difference, tolerance});
    if (difference <= tolerance) return;
    const std::string line = fmt::format("{} is {:.17g}; expected {:.17g} within {:.3g}, differs by {:.3g}",
                                         what, value, expected, tolerance, difference);
    if (!item_.information_only()) throw Failed(line);
    result_.notes.emplace_back("information", line + " (" +
                                                  (item_.has_tag("order_dependent_ties")
                                                       ? "depends on the order of ties"
                                                       : "depends on how the normalisation is rounded") +
                                                  ")");
  }

  void hold(const std::string& what, std::int64_t value, std::int64_t expected) {
    ++result_.assertions;
    if (value != expected) throw Failed(fmt::format("{} is {}; expected {}", what, value, expected));
  }

  template <typename Spec>
  Spec searched(const Spec& asked) {
    if constexpr (std::is_same_v<Spec, analysis::CmiSpec>) {
      return asked;
    } else {
      if (!item_.search) return asked;
      // The histories and spacings of the manifest are the result to be found, not an input.
      Spec open = asked;
      open.k_history = open.k_tau = 1;
      if constexpr (std::is_same_v<Spec, TeSpec>) open.l_history = open.l_tau = 1;
      const Spec found =
          accepted(analysis::auto_embed(table_, open, item_.options, *item_.search, estimator_));
      hold("k_history", found.k_history, asked.k_history);
      hold("k_tau", found.k_tau, asked.k_tau);
      if constexpr (std::is_same_v<Spec, TeSpec>) {
        hold("l_history", found.l_history, asked.l_history);
        hold("l_tau", found.l_tau, asked.l_tau);
      }
      return found;
    }
  }

  void single() {
    analysis::MeasureOptions options;
    options.estimation = item_.options;
    options.local = item_.locals.has_value();
    options.surrogates.permutations = item_.permutations;
    const analysis::Estimate estimate = std::visit(
        [&](const auto& asked) {
          const auto spec = searched(asked);
          layout_ = accepted(analysis::layout_of(table_, spec));
          return accepted(analysis::estimate(table_, spec, options, estimator_, context_.pool()));
        },
        item_.question);
    if (item_.observations) hold("n_observations", estimate.samples, *item_.observations);
    hold("average", estimate.value, item_.average, item_.tolerance);
    if (item_.published) {
      hold("average as published", estimate.value, *item_.published,
           *item_.published_tolerance + item_.tolerance);
    }
    if (!item_.permutations.empty()) surrogates(estimate);
    if (item_.locals) locals(estimate);
  }

  void surrogates(const analysis::Estimate& estimate) {
    const auto& values = estimate.surrogates->values;
    hold("number of surrogates", static_cast<std::int64_t>(values.size()),
         static_cast<std::int64_t>(item_.surrogate_averages.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      hold(fmt::format("surrogate {}", i), values[i], item_.surrogate_averages[i], item_.tolerance);
    }
    // A count divided by the number of surrogates: one rounding.
    if (item_.p_value) hold("p_value", estimate.surrogates->p_value_raw, *item_.p_value, 0x1p-52);
  }

  void locals(const analysis::Estimate& estimate) {
    const GoldenLocals& expected = *item_.locals;
    const auto n = static_cast<std::int64_t>(expected.rows.size());
    hold("number of local values", static_cast<std::int64_t>(estimate.local.size()), n);
    for (std::size_t i = 0; i < expected.rows.size(); ++i) {
      hold(fmt::format("row of local value {}", i), estimate.times[i], expected.rows[i]);
      hold(fmt::format("local value of row {}", expected.rows[i]), estimate.local[i], expected.values[i],
           item_.tolerance);
    }
    // Counts and, for algorithm 1, radii: te.ksg on the prepared points.
    const analysis::Points points = accepted(analysis::prepare(table_, layout_, item_.options));
    Arguments arguments;
    arguments.inputs.emplace("x", points.x.view());
    arguments.inputs.emplace("y", points.y.view());
    const bool conditioned = points.z.shape().at(1) > 0;
    if (conditioned) arguments.inputs.emplace("z", points.z.view());
    arguments.inputs.emplace(
        "trial_lengths",
        view_of(points.trial_lengths.data(), {static_cast<std::int64_t>(points.trial_lengths.size())}));
    arguments.parameters.emplace("k", item_.options.k);
    arguments.parameters.emplace("algorithm", std::int64_t{item_.options.algorithm});
    arguments.parameters.emplace("theiler_window", item_.options.theiler_window);
    const Operation& ksg = *find_operation("te.ksg");
    const auto outputs = backend_ == Backend::reference ? assay::reference::run(ksg, arguments)
                                                        : run_on_host(context_, ksg, arguments);
    const auto counts = outputs.at("counts").as<std::int64_t>();
    const auto radii = outputs.at("radii").as<double>();
    constexpr const char* names[] = {"n_xz", "n_yz", "n_z"};
    for (std::size_t i = 0; i < expected.rows.size(); ++i) {
      for (std::size_t c = 0; c < (conditioned ? 3u : 2u); ++c) {
        hold(fmt::format("{} of row {}", names[c], expected.rows[i]), counts[3 * i + c],
             expected.counts[3 * i + c]);
      }
      if (item_.options.algorithm == 1) {
        hold(fmt::format("k-th distance of row {}", expected.rows[i]), radii[3 * i], expected.kth_distance[i],
             item_.tolerance);
      }
    }
  }

  void matrix() {
    analysis::NetworkOptions options;
    options.columns = item_.matrix_columns;
    options.spec = std::get<TeSpec>(item_.question);
    options.estimation = item_.options;
    const analysis::Network network =
        accepted(analysis::network(table_, options, estimator_, context_.pool()));
    for (std::size_t source = 0; source < item_.matrix.size(); ++source) {
      for (std::size_t target = 0; target < item_.matrix.size(); ++target) {
        if (!item_.matrix[source][target]) continue;
        hold(fmt::format("entry [{}][{}]", source, target), network.te.at(source, target),
             *item_.matrix[source][target], item_.tolerance);
      }
    }
  }

  const GoldenCase& item_;
  Context& context_;
  Backend backend_;
  analysis::Estimator estimator_;
  CheckResult& result_;
  SeriesTable table_;
  analysis::Layout layout_;
};

}  // namespace

CheckResult run_golden_case(const GoldenFolder& folder, const GoldenCase& item, Backend backend,
                            const RunOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  CheckResult result;
  result.operation = "te.ksg";
  result.property = item.id;
  result.backend = name_of(backend);
  result.against = "golden " + name_of_folder(folder.path);
  result.kind = CheckKind::golden;
  result.seed = options.seed;
  try {
    Context context = backend == Backend::cuda ? Context::cuda(options.device, options.threads)
                                               : Context::cpu(options.threads);
    const Operation* ksg = find_operation("te.ksg");
    if (ksg == nullptr || !ksg->has(backend)) {
      result.verdict = Verdict::unsupported;
      result.message = "te.ksg has no body for this backend";
      return result;
    }
    result.cases = 1;
    CaseRun(folder, item, context, backend, result).run();
    result.verdict = result.assertions > 0 ? Verdict::pass : Verdict::vacuous;
    if (!result.notes.empty()) result.message = "information: " + result.notes.front().second;
  } catch (const BackendUnavailable& error) {
    const bool required = backend == Backend::cuda && options.require_cuda;
    result.verdict = required ? Verdict::fail : Verdict::not_executed;
    result.message = error.what();
  } catch (const std::exception& error) {
    result.verdict = Verdict::fail;
    result.message = error.what();
  }
  if (result.verdict == Verdict::fail) {
    Replay& replay = result.replay.emplace();
    replay.operation = result.operation;
    replay.property = result.property;
    replay.backend = result.backend;
    replay.version = options.version;
    replay.seed = options.seed;
    replay.cases = 1;
    replay.golden = folder.path;
    replay.message = result.message;
  }
  keep_worst(result, 20);
  result.elapsed_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return result;
}

std::vector<CheckResult> run_golden(const GoldenFolder& folder, const std::vector<Backend>& backends,
                                    const RunOptions& options, const Progress& progress) {
  std::vector<CheckResult> results;
  const std::size_t total = folder.cases.size() * backends.size();
  results.reserve(total);
  for (const GoldenCase& item : folder.cases) {
    for (const Backend backend : backends) {
      results.push_back(run_golden_case(folder, item, backend, options));
      if (progress) progress(results.back(), results.size(), total);
    }
  }
  return results;
}

}  // namespace assay::validation
