#include <algorithm>
#include <numeric>

#include "validation/logits/distributions.hpp"
#include "validation/sampler_power.hpp"
#include "validation/speculation/properties.hpp"
#include "validation/speculation/verified.hpp"

namespace assay::validation::speculation {

namespace {

using namespace logits;

/// How many are drawn, and the total variation that they find.
struct Depth {
  std::int64_t draws;
  double distance;
};
constexpr Depth everyday{200'000, 0.015}, nightly{draws_of_many, 0.005};

/// Of each token, what both have of it: the probability that it is drafted and taken.
std::vector<double> shared_of(const Pair& pair) {
  const auto p = softmax_of(pair.target), q = softmax_of(pair.draft);
  std::vector<double> made;
  for (std::size_t id = 0; id < p.size(); ++id) made.push_back(std::min(p[id], q[id]));
  return made;
}

DrawCategories first_tokens(Probe& probe, const Pair& pair) {
  return [&](std::uint64_t seed, std::int64_t count) {
    return categories(probe, pair, seed, count, 1,
                      [](const std::int32_t* tokens, std::int32_t) -> std::int64_t { return tokens[0]; });
  };
}

/// How many of so many steps are taken.
DrawCategories taken(Probe& probe, const Pair& pair, std::int64_t steps) {
  return [&, steps](std::uint64_t seed, std::int64_t count) {
    return categories(probe, pair, seed, count, steps,
                      [](const std::int32_t*, std::int32_t accepted) -> std::int64_t { return accepted; });
  };
}

/// The first token that comes out is the target's own draw, whatever the draft.
void first_token_has_the_targets_distribution(Probe& probe, const Depth& depth) {
  for (const Pair& pair : pairs(32)) {
    const auto p = softmax_of(pair.target);
    expect_fits_and_finds(probe, std::string("the first token: ") + pair.name, p,
                          wrong_samplers(p, depth.distance), first_tokens(probe, pair), depth.draws,
                          each_alone());
  }
}

/// ... and not the draft's.
void first_token_has_the_drafts_distribution(Probe& probe) {
  const Pair pair = pairs(32)[1];
  expect_fits(probe, "the first token", softmax_of(pair.draft), first_tokens(probe, pair), everyday.draws);
}

/// Of two drafts none, the first, or both are taken, each at that rate.
std::vector<double> two_at(double rate) {
  return {1 - rate, rate * (1 - rate), rate * rate};
}

/// Leviathan et al., theorem 3.5: sum min(p, q) of the first drafts are taken, and of the second ones among
/// those.
void takes_as_many_as_they_share(Probe& probe, const Depth& depth) {
  const auto all = pairs(16);
  for (const Pair* const pair : {&all[1], &all[3], &all[5]}) {
    const auto shared = shared_of(*pair);
    const double rate = std::accumulate(shared.begin(), shared.end(), 0.0);
    const auto p = two_at(rate);
    std::vector<Alternative> wrong;
    const auto at_another_rate = [&](const char* name, double limit) {
      const auto family = [&](double way) { return two_at(rate + way * (limit - rate)); };
      if (const auto found = at_distance(p, depth.distance, family)) wrong.push_back({name, *found});
    };
    at_another_rate("drafts are taken too seldom", 0);
    at_another_rate("drafts are taken too often", 1);
    if (const auto both = mixed(p, {1 - rate, 0, rate}, depth.distance))
      wrong.push_back({"the second is taken with the first now and then", *both});
    expect_fits_and_finds(probe, std::string("tokens taken of two: ") + pair->name, p, wrong,
                          taken(probe, *pair, 2), depth.draws, each_alone());
  }
}

void takes_more_than_they_share(Probe& probe) {
  const Pair pair = pairs(16)[1];
  const auto shared = shared_of(pair);
  const double rate = std::accumulate(shared.begin(), shared.end(), everyday.distance);
  expect_fits(probe, "tokens taken", std::vector<double>{1 - rate, rate}, taken(probe, pair, 1),
              everyday.draws);
}

/// Where the first draft is taken, with probability min(p, q) of each token, the second token is the target's
/// own whether it was drafted or drawn; where it is not, the first is of the residual.
void pairs_of_tokens_are_independent(Probe& probe, const Depth& depth) {
  constexpr std::int64_t tokens = 8;
  const Pair pair = pairs(tokens)[1];
  const auto p = softmax_of(pair.target);
  const auto shared = shared_of(pair);
  std::vector<double> probabilities, repeating, of_target;
  for (std::size_t first = 0; first < p.size(); ++first)
    for (std::size_t second = 0; second < p.size(); ++second) {
      probabilities.push_back(shared[first] * p[second]);
      repeating.push_back(first == second ? shared[first] : 0);
    }
  of_target = probabilities;
  const double rejected = 1 - std::accumulate(shared.begin(), shared.end(), 0.0);
  for (std::size_t id = 0; id < p.size(); ++id) {
    probabilities.push_back(p[id] - shared[id]);
    repeating.push_back(p[id] - shared[id]);
    of_target.push_back(rejected * p[id]);
  }
  std::vector<Alternative> wrong;
  if (auto found = mixed(probabilities, repeating, depth.distance))
    wrong.push_back({"the second token repeats the first now and then", std::move(*found)});
  if (auto found = mixed(probabilities, of_target, depth.distance))
    wrong.push_back({"a rejection draws from the target now and then", std::move(*found)});
  for (const std::int64_t steps : {std::int64_t{1}, std::int64_t{2}})
    expect_fits_and_finds(
        probe, "pairs of tokens, " + std::to_string(steps) + " drafted", probabilities, wrong,
        [&](std::uint64_t seed, std::int64_t count) {
          return categories(probe, pair, seed, count, steps,
                            [](const std::int32_t* got, std::int32_t accepted) -> std::int64_t {
                              return accepted > 0 ? got[0] * tokens + got[1] : tokens * tokens + got[0];
                            });
        },
        depth.draws, each_alone());
}

template <typename Body>
std::function<void(Probe&)> at(const Depth& depth, const Body& body) {
  return [=](Probe& probe) { body(probe, depth); };
}

}  // namespace

void add_distribution_properties(Suite& suite) {
  suite.property(
      {.name = "first_token_has_the_targets_distribution",
       .summary = "Equal, random, disjoint and nested distributions: 200,000 first tokens fit the target.",
       .body = at(everyday, first_token_has_the_targets_distribution),
       .cases = 1,
       .negative_control = first_token_has_the_drafts_distribution});
  suite.property(
      {.name = "takes_as_many_as_they_share",
       .summary = "Drafts are taken at the rate sum min(p, q), the second independently of the first.",
       .body = at(everyday, takes_as_many_as_they_share),
       .cases = 1,
       .negative_control = takes_more_than_they_share});
  suite.property({.name = "pairs_of_tokens_are_independent",
                  .summary = "First and second tokens fit their joint distribution, drafted or drawn.",
                  .body = at(everyday, pairs_of_tokens_are_independent),
                  .cases = 1,
                  .negative_control = first_token_has_the_drafts_distribution});
  suite.property({.name = "has_the_targets_distribution_to_half_a_per_cent",
                  .summary = "The three before, 1,600,000 draws each: 0.5 % off would be found.",
                  .body =
                      [](Probe& probe) {
                        first_token_has_the_targets_distribution(probe, nightly);
                        takes_as_many_as_they_share(probe, nightly);
                        pairs_of_tokens_are_independent(probe, nightly);
                      },
                  .cases = 1,
                  .negative_control = first_token_has_the_drafts_distribution,
                  .long_running = true});
}

}  // namespace assay::validation::speculation
