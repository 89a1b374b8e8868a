// Whether every order, and every lag, is as likely as the definition says, seen from outside: all surrogates
// that there can be are enumerated and put through the reference, and what an operation or an analysis gives
// is held to that distribution. Several targets share a surrogate, so that their values together tell the
// orders apart. Reference and bodies share the generator, so that only this looks at what is drawn.
//
// False alarms: validation/README.md. With 5,000 draws a total variation of 10 % over 120 orders or 162 lags,
// or a lag that is lost, is found with a probability above 0.99 (surrogates_test.cpp). Of the 120 orders of
// the scene below the targets tell 95 apart, of the lags all.

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "engine/runtime/philox.hpp"
#include "validation/goodness.hpp"
#include "validation/transfer_entropy/points.hpp"
#include "validation/transfer_entropy/properties.hpp"
#include "validation/transfer_entropy/surrogate_orders.hpp"

namespace assay::validation::transfer_entropy {

namespace {

using analysis::SurrogateMethod;
constexpr std::int64_t k = 1;
/// Every outcome has a bin of its own.
constexpr GoodnessOptions all_alone{.alone_above = 0};

/// Points of which surrogates are drawn: fixed, so that the power is known.
struct Scene {
  Tensor sources;  ///< (m, n, 1)
  Tensor targets;  ///< (t, n, 1)
  Tensor past;     ///< (t, n, 1), the condition; or (t, n, 0): another way through the bodies
  std::vector<std::int64_t> trial_lengths;
  SurrogateMethod method;
  std::int64_t m() const { return sources.shape()[0]; }
  std::int64_t n() const { return sources.shape()[1]; }
  std::int64_t t() const { return targets.shape()[0]; }
};

Tensor part_of(const Tensor& all, std::int64_t index) {
  const std::int64_t n = all.shape()[1], width = all.shape()[2];
  return Tensor::from(all.as<double>().subspan(static_cast<std::size_t>(index * n * width),
                                               static_cast<std::size_t>(n * width)),
                      {n, width});
}

Scene scene_of(std::int64_t m, std::int64_t t, std::vector<std::int64_t> trial_lengths,
               SurrogateMethod method, bool conditioned) {
  const std::int64_t n = std::accumulate(trial_lengths.begin(), trial_lengths.end(), std::int64_t{0});
  const auto normals = [n](std::int64_t parts, std::uint64_t seed) {
    Tensor made(DType::f64, {parts, n, 1});
    Philox random(seed);
    for (double& value : made.as<double>()) value = random.normal();
    return made;
  };
  return {normals(m, 3), normals(t, 4), conditioned ? normals(t, 5) : Tensor(DType::f64, {t, n, 0}),
          std::move(trial_lengths), method};
}

/// Surrogates (m, t, count) of a scene, nats. Source s draws from seed + s.
using Draw = std::vector<double> (*)(Probe&, const Scene&, std::uint64_t seed, std::int64_t count);

std::vector<double> by_network(Probe& probe, const Scene& scene, std::uint64_t seed, std::int64_t count) {
  HostArguments arguments;
  arguments.inputs.emplace("sources", scene.sources.clone());
  arguments.inputs.emplace("y", scene.targets.clone());
  if (scene.past.elements() > 0) arguments.inputs.emplace("z", scene.past.clone());
  arguments.inputs.emplace("trial_lengths", integers_tensor(scene.trial_lengths));
  arguments.parameters.emplace("k", k);
  arguments.parameters.emplace("skip_diagonal", false);
  arguments.parameters.emplace("surrogates", count);
  arguments.parameters.emplace("surrogate_method",
                               std::string(scene.method == SurrogateMethod::shift ? "shift" : "permute"));
  arguments.parameters.emplace("seed",
                               static_cast<std::int64_t>(seed >> 2));  // not negative, nor with s added
  const auto outputs = probe.run("te.network", arguments);
  const auto values = outputs.at("surrogates").as<double>();
  return {values.begin(), values.end()};
}

std::vector<double> by_analysis(Probe& probe, const Scene& scene, std::uint64_t seed, std::int64_t count) {
  std::vector<double> made;
  analysis::EstimationOptions options;
  options.k = k;
  for (std::int64_t source = 0; source < scene.m(); ++source)
    for (std::int64_t target = 0; target < scene.t(); ++target) {
      const analysis::Points points{part_of(scene.sources, source), part_of(scene.targets, target),
                                    part_of(scene.past, target), scene.trial_lengths,
                                    std::vector<std::int64_t>(static_cast<std::size_t>(scene.n()))};
      const auto values = analysis::surrogate_values(
          points, options,
          {.count = count, .method = scene.method, .seed = (seed >> 2) + static_cast<std::uint64_t>(source)},
          estimator_of(probe), probe.context().pool());
      if (!values) throw Failed("refused: " + values.error().message);
      made.insert(made.end(), values.value().begin(), values.value().end());
    }
  return made;
}

/// What the surrogates of one source can be: the values of all targets, by the reference, each with its
/// probability. Orders that no target tells apart are one outcome.
class Outcomes {
 public:
  Outcomes(Probe& probe, const Scene& scene, std::int64_t source,
           const std::vector<std::vector<std::int64_t>>& orders)
      : bound_(value_bound(scene.n(), k)), levels_(static_cast<std::size_t>(scene.t())) {
    std::vector<std::vector<double>> values(orders.size());
    for (std::size_t i = 0; i < orders.size(); ++i)
      for (std::int64_t target = 0; target < scene.t(); ++target) {
        HostArguments arguments;
        arguments.inputs.emplace("x", rows_of(part_of(scene.sources, source), orders[i]));
        arguments.inputs.emplace("y", part_of(scene.targets, target));
        if (scene.past.elements() > 0) arguments.inputs.emplace("z", part_of(scene.past, target));
        arguments.parameters.emplace("k", k);
        values[i].push_back(probe.reference("te.ksg", arguments).at("value").as<double>()[0]);
        levels_[static_cast<std::size_t>(target)].push_back(values[i].back());
      }
    for (std::vector<double>& levels : levels_) {
      std::sort(levels.begin(), levels.end());
      const auto same = [&](double low, double high) { return high - low <= 2 * bound_; };
      levels.erase(std::unique(levels.begin(), levels.end(), same), levels.end());
    }
    for (const auto& of_order : values) {
      const auto [at, added] =
          numbers_.emplace(level_of(of_order), static_cast<std::int64_t>(numbers_.size()));
      if (added) probabilities.push_back(0);
      probabilities[static_cast<std::size_t>(at->second)] += 1 / static_cast<double>(orders.size());
      of_orders.push_back(at->second);
    }
  }

  /// -1: what no order gives.
  std::int64_t category(std::span<const double> values) const {
    const auto found = numbers_.find(level_of(values));
    return found == numbers_.end() ? -1 : found->second;
  }

  std::vector<double> probabilities;
  std::vector<std::int64_t> of_orders;  ///< the outcome of each order

 private:
  std::vector<std::ptrdiff_t> level_of(std::span<const double> values) const {
    std::vector<std::ptrdiff_t> made;
    for (std::size_t target = 0; target < values.size(); ++target) {
      const std::vector<double>& levels = levels_[target];
      const auto at = std::lower_bound(levels.begin(), levels.end(), values[target] - 2 * bound_);
      made.push_back(at != levels.end() && *at <= values[target] + 2 * bound_ ? at - levels.begin() : -1);
    }
    return made;
  }

  double bound_;
  std::vector<std::vector<double>> levels_;  ///< of each target, ascending
  std::map<std::vector<std::ptrdiff_t>, std::int64_t> numbers_;
};

/// The values of all targets for surrogate `index` of a source, of what a Draw gave.
std::vector<double> surrogate(std::span<const double> drawn, const Scene& scene, std::int64_t source,
                              std::int64_t count, std::int64_t index) {
  std::vector<double> made;
  for (std::int64_t target = 0; target < scene.t(); ++target)
    made.push_back(drawn[static_cast<std::size_t>((source * scene.t() + target) * count + index)]);
  return made;
}

/// `wrong`: in place of the surrogates, the number of an order among all; a negative control.
using WrongOrder = std::int64_t (*)(Philox&);

void fits_all_orders(Probe& probe, Draw draw, const Scene& scene,
                     const std::vector<std::vector<std::int64_t>>& orders, std::size_t least_outcomes,
                     std::int64_t draws, WrongOrder wrong) {
  const Outcomes outcomes(probe, scene, 0, orders);
  probe.note("outcomes", fmt::format("{} of {} orders", outcomes.probabilities.size(), orders.size()));
  probe.expect(outcomes.probabilities.size() >= least_outcomes, "the targets tell the orders apart");
  const DrawCategories categories = [&](std::uint64_t seed, std::int64_t count) {
    std::vector<std::int64_t> made;
    Philox random(seed);
    if (wrong != nullptr) {
      while (static_cast<std::int64_t>(made.size()) < count)
        made.push_back(outcomes.of_orders[static_cast<std::size_t>(wrong(random))]);
      return made;
    }
    const auto drawn = draw(probe, scene, seed, count);
    for (std::int64_t index = 0; index < count; ++index)
      made.push_back(outcomes.category(surrogate(drawn, scene, 0, count, index)));
    return made;
  };
  expect_fits(probe, scene.method == SurrogateMethod::shift ? "lags" : "orders", outcomes.probabilities,
              categories, draws, all_alone);
}

// All 120 orders of five rows.
void permuted(Probe& probe, Draw draw, WrongOrder wrong) {
  const Scene scene = scene_of(1, 5, {5}, SurrogateMethod::permute, true);
  fits_all_orders(probe, draw, scene, all_permutations(5), 60, 5000, wrong);
}

// 18 lags of a trial of 23 rows with 9 of one of 12; the row between them stays.
void shifted_in_trials(Probe& probe, Draw draw, WrongOrder wrong) {
  const Scene scene = scene_of(1, 2, {23, 1, 12}, SurrogateMethod::shift, true);
  fits_all_orders(probe, draw, scene, all_shifts(scene.trial_lengths), 140, 5000, wrong);
}

// Number of a naive shuffle of five: every place exchanged with any place.
std::int64_t naive(Philox& random) {
  std::vector<std::int64_t> order(5);
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t& value : order) std::swap(value, order[random.below(5)]);
  return number_of(order);
}

// The longest lag of the first trial is never drawn.
std::int64_t longest_lag_lost(Philox& random) {
  return static_cast<std::int64_t>(random.below(17) * 9 + random.below(9));
}

// Two surrogates of three rows, as a pair of outcomes: neighbours of one source, and those of two sources.
void independent(Probe& probe, bool own_seeds) {
  constexpr std::int64_t draws = 2000;
  const Scene scene = scene_of(2, 4, {3}, SurrogateMethod::permute, false);
  const auto orders = all_permutations(3);
  const Outcomes outcomes[] = {Outcomes(probe, scene, 0, orders), Outcomes(probe, scene, 1, orders)};
  for (const Outcomes& of_source : outcomes)
    probe.expect(of_source.probabilities.size() == 6, "the targets tell the orders apart");
  std::map<std::uint64_t, std::vector<std::int64_t>> kept[2];  // by seed: one run serves both questions
  const auto drawn = [&](std::uint64_t seed) {
    if (!kept[0].contains(seed)) {
      const auto values = by_network(probe, scene, seed, draws);
      // the seed of source 1, given to source 0
      const auto again = own_seeds ? values : by_network(probe, scene, seed + 4, draws);
      for (std::int64_t s = 0; s < draws; ++s) {
        kept[0][seed].push_back(outcomes[0].category(surrogate(again, scene, 0, draws, s)));
        kept[1][seed].push_back(outcomes[1].category(surrogate(values, scene, 1, draws, s)));
      }
    }
    return std::pair{kept[0][seed], kept[1][seed]};
  };
  const auto cell = [](std::int64_t first, std::int64_t second) {
    return first < 0 || second < 0 ? -1 : first * 6 + second;
  };
  expect_fits(
      probe, "surrogates 2s and 2s + 1 of a source", uniform_probabilities(36),
      [&](std::uint64_t seed, std::int64_t count) {
        const auto own = drawn(seed).first;
        std::vector<std::int64_t> made;
        for (std::size_t s = 0; s < static_cast<std::size_t>(count); ++s)
          made.push_back(cell(own[2 * s], own[2 * s + 1]));
        return made;
      },
      draws / 2, all_alone);
  expect_fits(
      probe, "surrogate s of two sources", uniform_probabilities(36),
      [&](std::uint64_t seed, std::int64_t count) {
        const auto [own, other] = drawn(seed);
        std::vector<std::int64_t> made;
        for (std::size_t s = 0; s < static_cast<std::size_t>(count); ++s)
          made.push_back(cell(own[s], other[s]));
        return made;
      },
      draws, all_alone);
}

void add_uniform(Suite& suite, Draw draw) {
  suite.property({.name = "surrogates_are_uniform",
                  .summary = "Permuted surrogates have every order of five rows equally often (chi-squared, "
                             "1e-6, confirmed).",
                  .body = [draw](Probe& probe) { permuted(probe, draw, nullptr); },
                  .cases = 1,
                  .negative_control = [draw](Probe& probe) { permuted(probe, draw, naive); }});
  suite.property(
      {.name = "surrogate_lags_are_uniform",
       .summary = "Shifted surrogates have every lag of their range equally often, each trial its own.",
       .body = [draw](Probe& probe) { shifted_in_trials(probe, draw, nullptr); },
       .cases = 1,
       .negative_control = [draw](Probe& probe) { shifted_in_trials(probe, draw, longest_lag_lost); }});
}

}  // namespace

void add_surrogate_properties(Suite& suite) {
  add_uniform(suite, by_analysis);
}

void add_network_surrogate_properties(Suite& suite) {
  add_uniform(suite, by_network);
  suite.property({.name = "surrogates_are_independent",
                  .summary =
                      "Neighbouring surrogates of a source, and those of two sources, come in every pair "
                      "as often as chance has it.",
                  .body = [](Probe& probe) { independent(probe, true); },
                  .cases = 1,
                  .negative_control = [](Probe& probe) { independent(probe, false); }});
}

}  // namespace assay::validation::transfer_entropy
