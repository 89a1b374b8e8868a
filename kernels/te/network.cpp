#include "kernels/te/network.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "engine/runtime/thread_pool.hpp"
#include "kernels/resampling/surrogate_rows.hpp"

namespace assay::kernels::te {

namespace {

struct Item {
  std::int64_t source, target;
};

}  // namespace

struct NetworkPlan::State {
  std::vector<double> x;
  std::int64_t m, n, d;
  std::vector<std::int64_t> trial_lengths;
  KsgOptions options;
  std::int64_t count;
  bool shift;
  std::vector<std::uint64_t> seeds;

  NetworkSources sources() const { return {x.data(), m, n, d}; }
  std::vector<std::int64_t> surrogate_rows(std::int64_t source, std::int64_t index) const;
};

std::vector<std::int64_t> NetworkPlan::State::surrogate_rows(std::int64_t source, std::int64_t index) const {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
  const std::uint64_t seed = seeds[static_cast<std::size_t>(source)];
  if (!shift) {
    resampling::permuted_rows(seed, index, n, rows.data());
    return rows;
  }
  const std::vector<std::int64_t> whole{n};
  const auto& lengths = trial_lengths.empty() ? whole : trial_lengths;
  std::int64_t begin = 0;
  resampling::shift_lags(seed, index, lengths.data(), static_cast<std::int64_t>(lengths.size()),
                         [&](std::int64_t trial, std::int64_t lag) {
                           const std::int64_t length = lengths[static_cast<std::size_t>(trial)];
                           for (std::int64_t at = 0; at < length; ++at)
                             rows[static_cast<std::size_t>(begin + at)] =
                                 begin + resampling::shifted_row(at, length, lag);
                           begin += length;
                         });
  return rows;
}

NetworkPlan::NetworkPlan(ThreadPool&, const NetworkSources& sources,
                         std::span<const std::int64_t> trial_lengths, const KsgOptions& options,
                         const NetworkDraws& draws)
    : state_(std::make_unique<State>(State{{sources.x, sources.x + sources.m * sources.n * sources.d},
                                           sources.m,
                                           sources.n,
                                           sources.d,
                                           {trial_lengths.begin(), trial_lengths.end()},
                                           options,
                                           draws.count,
                                           draws.shift,
                                           {draws.seeds.begin(), draws.seeds.end()}})) {}
NetworkPlan::NetworkPlan(NetworkPlan&&) noexcept = default;
NetworkPlan& NetworkPlan::operator=(NetworkPlan&&) noexcept = default;
NetworkPlan::~NetworkPlan() = default;

std::int64_t NetworkPlan::working_bytes(std::int64_t, std::int64_t dy, std::int64_t dz) const {
  const State& state = *state_;
  return 64 * state.n * (state.d + dy + dz + 8);
}

void NetworkPlan::evaluate(ThreadPool& pool, const NetworkTargets& targets,
                           std::span<const std::int64_t> skip, const NetworkResult& result) {
  const State& state = *state_;
  const std::int64_t n = state.n, m = state.m, t = targets.t;
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  pool.parallel_for(t, 1, [&](std::int64_t begin, std::int64_t end, unsigned) {
    ThreadPool alone(1);
    std::vector<double> x(static_cast<std::size_t>(n * state.d));
    for (std::int64_t target = begin; target < end; ++target) {
      const spatial::Rows y{targets.y + target * n * targets.dy, n, targets.dy};
      const spatial::Rows z{targets.dz > 0 ? targets.z + target * n * targets.dz : nullptr, n, targets.dz};
      KsgPlan plan(alone, y, z, state.trial_lengths, state.options);
      const std::int64_t left_out = skip.empty() ? -1 : skip[static_cast<std::size_t>(target)];
      for (std::int64_t source = 0; source < m; ++source) {
        double value = nan;
        KsgResult one{.value = {&value, 1}, .local = {}, .radii = {}, .counts = {}};
        for (std::size_t p = 0; p < result.counted.size() && result.counts != nullptr; ++p)
          if (result.counted[p].source == source && result.counted[p].target == target)
            one.counts = {result.counts + static_cast<std::int64_t>(p) * 3 * n,
                          static_cast<std::size_t>(3 * n)};
        std::fill(one.counts.begin(), one.counts.end(), 0);
        if (source != left_out) plan.evaluate(alone, state.sources().source(source), one);
        if (result.values != nullptr) result.values[source * t + target] = value;
      }
      if (result.surrogates == nullptr || state.count == 0) continue;
      KsgPlan without_trials(alone, y, z, {}, state.options);
      for (std::int64_t source = 0; source < m; ++source)
        for (std::int64_t index = 0; index < state.count; ++index) {
          double value = nan;
          if (source != left_out) {
            const auto rows = state.surrogate_rows(source, index);
            const spatial::Rows from = state.sources().source(source);
            for (std::int64_t i = 0; i < n; ++i)
              std::copy_n(from.row(rows[static_cast<std::size_t>(i)]), state.d, x.data() + i * state.d);
            without_trials.evaluate(alone, {x.data(), n, state.d},
                                    {.value = {&value, 1}, .local = {}, .radii = {}, .counts = {}});
          }
          result.surrogates[(source * t + target) * state.count + index] = value;
        }
    }
  });
}

}  // namespace assay::kernels::te
