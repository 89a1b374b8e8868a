#include "kernels/te/network.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "kernels/networks/shared_network.hpp"
#include "kernels/networks/surrogate_draws.hpp"

namespace assay::kernels::te {

namespace {

/// Every pair on its own, what depends on the target alone shared by its sources.
void evaluate_pairs(ThreadPool& pool, const NetworkSources& sources, const networks::SurrogateDraws& draws,
                    std::span<const std::int64_t> trial_lengths, const KsgOptions& options,
                    const NetworkTargets& targets, std::span<const std::int64_t> skip,
                    const NetworkResult& result) {
  const std::int64_t n = sources.n, m = sources.m, t = targets.t;
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  pool.parallel_for(t, 1, [&](std::int64_t begin, std::int64_t end, unsigned) {
    ThreadPool alone(1);
    std::vector<double> x(static_cast<std::size_t>(n * sources.d));
    std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
    for (std::int64_t target = begin; target < end; ++target) {
      const spatial::Rows y{targets.y + target * n * targets.dy, n, targets.dy};
      const std::int64_t of_z = mutant("te.network.condition_of_first_target") ? 0 : target;
      const spatial::Rows z{targets.dz > 0 ? targets.z + of_z * n * targets.dz : nullptr, n, targets.dz};
      KsgPlan plan(alone, y, z, trial_lengths, options);
      const std::int64_t left_out = skip.empty() ? -1 : skip[static_cast<std::size_t>(target)];
      for (std::int64_t source = 0; source < m; ++source) {
        double value = nan;
        KsgResult one{.value = {&value, 1}, .local = {}, .radii = {}, .counts = {}};
        for (std::size_t p = 0; p < result.counted.size() && result.counts != nullptr; ++p)
          if (result.counted[p].source == source && result.counted[p].target == target)
            one.counts = {result.counts + static_cast<std::int64_t>(p) * 3 * n,
                          static_cast<std::size_t>(3 * n)};
        std::fill(one.counts.begin(), one.counts.end(), 0);
        if (source != left_out) plan.evaluate(alone, sources.source(source), one);
        if (result.values != nullptr) result.values[source * t + target] = value;
      }
      if (result.surrogates == nullptr || draws.count == 0) continue;
      KsgPlan without_trials(alone, y, z, {}, options);
      for (std::int64_t source = 0; source < m; ++source)
        for (std::int64_t index = 0; index < draws.count; ++index) {
          double value = nan;
          if (source != left_out) {
            draws.rows_of(source, index, n, rows.data());
            const spatial::Rows from = sources.source(source);
            for (std::int64_t i = 0; i < n; ++i)
              std::copy_n(from.row(rows[static_cast<std::size_t>(i)]), sources.d, x.data() + i * sources.d);
            without_trials.evaluate(alone, {x.data(), n, sources.d},
                                    {.value = {&value, 1}, .local = {}, .radii = {}, .counts = {}});
          }
          result.surrogates[(source * t + target) * draws.count + index] = value;
        }
    }
  });
}

}  // namespace

struct NetworkPlan::State {
  std::vector<double> x;
  std::int64_t m, n, d;
  std::vector<std::int64_t> trial_lengths;
  KsgOptions options;
  networks::SurrogateDraws draws;
  std::optional<networks::SharedNetwork> shared;

  NetworkSources sources() const { return {x.data(), m, n, d}; }
  bool shares(std::int64_t dy, std::int64_t dz) const {
    return shared && networks::SharedNetwork::suits(n, m, draws.count, dy, dz);
  }
};

NetworkPlan::NetworkPlan(ThreadPool& pool, const NetworkSources& sources,
                         std::span<const std::int64_t> trial_lengths, const KsgOptions& options,
                         const NetworkDraws& draws)
    : state_(std::make_unique<State>(State{.x = {sources.x, sources.x + sources.m * sources.n * sources.d},
                                           .m = sources.m,
                                           .n = sources.n,
                                           .d = sources.d,
                                           .trial_lengths = {trial_lengths.begin(), trial_lengths.end()},
                                           .options = options,
                                           .draws = {.count = draws.count,
                                                     .shift = draws.shift,
                                                     .seeds = {draws.seeds.begin(), draws.seeds.end()}}})) {
  State& state = *state_;
  state.draws.trial_lengths = state.trial_lengths.empty() ? std::vector{sources.n} : state.trial_lengths;
  if (networks::SharedNetwork::takes(sources, options))
    state.shared.emplace(pool, sources, trial_lengths, options, state.draws);
}
NetworkPlan::NetworkPlan(NetworkPlan&&) noexcept = default;
NetworkPlan& NetworkPlan::operator=(NetworkPlan&&) noexcept = default;
NetworkPlan::~NetworkPlan() = default;

std::int64_t NetworkPlan::working_bytes(std::int64_t, std::int64_t dy, std::int64_t dz) const {
  const State& state = *state_;
  if (state.shares(dy, dz)) return state.shared->working_bytes();
  return 64 * state.n * (state.d + dy + dz + 8);
}

void NetworkPlan::evaluate(ThreadPool& pool, const NetworkTargets& targets,
                           std::span<const std::int64_t> skip, const NetworkResult& result) {
  const State& state = *state_;
  if (state.shares(targets.dy, targets.dz))
    state.shared->evaluate(pool, targets, skip, result);
  else
    evaluate_pairs(pool, state.sources(), state.draws, state.trial_lengths, state.options, targets, skip,
                   result);
}

}  // namespace assay::kernels::te
