#include "validation/goodness.hpp"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <numeric>
#include <queue>
#include <stdexcept>

#include <fmt/format.h>

#include "engine/analysis/splitmix.hpp"

namespace assay::validation {

namespace {

using analysis::SplitMix64;

double sum_of_legal(std::span<const double> probabilities) {
  double sum = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (!(probabilities[i] >= 0) || !std::isfinite(probabilities[i]))
      throw std::invalid_argument(fmt::format(
          "goodness of fit: category {} has probability {}, expected 0 or more", i, probabilities[i]));
    sum += probabilities[i];
  }
  if (!(std::abs(sum - 1) <= 1e-9))
    throw std::invalid_argument(fmt::format("goodness of fit: probabilities sum to {}, expected 1", sum));
  return sum;
}

std::uint64_t fresh_seed(std::uint64_t seed) {
  SplitMix64 random(seed);
  random.next();  // the key of the bins
  return random.next();
}

// Joins the two smallest bins until the smallest has the expectation; gives each first bin its last one.
std::vector<std::size_t> merged(std::vector<double> probabilities, double least) {
  std::vector<std::size_t> into(probabilities.size());
  for (std::size_t bin = 0; bin < into.size(); ++bin) into[bin] = bin;
  using Entry = std::pair<double, std::size_t>;  // equal expectations in the order of their bins
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> smallest;
  for (std::size_t bin = 0; bin < probabilities.size(); ++bin) smallest.emplace(probabilities[bin], bin);
  while (smallest.size() > 1 && smallest.top().first < least) {
    const auto [first, from] = smallest.top();
    smallest.pop();
    const auto [second, to] = smallest.top();
    smallest.pop();
    into[from] = to;
    smallest.emplace(first + second, to);
  }
  for (std::size_t bin = 0; bin < into.size(); ++bin)
    while (into[bin] != into[into[bin]]) into[bin] = into[into[bin]];
  return into;
}

Goodness impossible(Goodness seen, std::int64_t category) {
  seen.outside = category;
  seen.red = true;
  seen.p_value = 0;
  return seen;
}

}  // namespace

Binning bins_of(std::span<const double> probabilities, std::int64_t draws, std::uint64_t seed,
                const GoodnessOptions& options) {
  if (draws < 1) throw std::invalid_argument("goodness of fit: no draws: nothing would be tested");
  const double sum = sum_of_legal(probabilities);
  const std::uint64_t key = SplitMix64(seed).next();
  const auto tail_bins = static_cast<std::uint64_t>(std::max<std::int64_t>(1, options.tail_bins));
  Binning made;
  made.bin_of.assign(probabilities.size(), -1);
  std::vector<double> first(tail_bins);  // the tail's bins, then the lone categories
  std::int64_t possible = 0;
  for (std::size_t category = 0; category < probabilities.size(); ++category) {
    const double probability = probabilities[category] / sum;
    if (probability == 0) continue;
    ++possible;
    if (probability > options.alone_above) {
      made.bin_of[category] = static_cast<std::int32_t>(first.size());
      first.push_back(probability);
    } else {
      const std::uint64_t bin = SplitMix64(key + category).next() % tail_bins;
      made.bin_of[category] = static_cast<std::int32_t>(bin);
      first[bin] += probability;
    }
  }
  const auto into = merged(first, options.least_expected / static_cast<double>(draws));
  std::vector<double> joined(first.size());
  for (std::size_t bin = 0; bin < first.size(); ++bin) joined[into[bin]] += first[bin];
  std::vector<std::int32_t> number(first.size(), -1);
  for (std::size_t bin = 0; bin < joined.size(); ++bin) {
    if (joined[bin] == 0) continue;  // no category fell into it
    number[bin] = static_cast<std::int32_t>(made.probabilities.size());
    made.probabilities.push_back(joined[bin]);
  }
  for (std::int32_t& bin : made.bin_of)
    if (bin >= 0) bin = number[into[static_cast<std::size_t>(bin)]];
  if (possible > 1 && made.degrees_of_freedom() < 1)
    throw std::invalid_argument(
        fmt::format("goodness of fit: {} draws of {} categories leave one bin of at least {} "
                    "expected draws: nothing would be tested",
                    draws, possible, options.least_expected));
  return made;
}

std::string Goodness::words() const {
  if (outside)
    return fmt::format("category {} was drawn, which has no probability ({} draws, seed {})", *outside, draws,
                       seed);
  return fmt::format("chi-squared {:.1f} at {} degrees of freedom, p = {:.2g} ({} draws, seed {}{})",
                     statistic, degrees_of_freedom, p_value, draws, seed,
                     tests == 2 ? ", after a first red" : "");
}

Goodness test_counts(std::span<const double> probabilities, std::span<const std::int64_t> counts,
                     std::uint64_t seed, const GoodnessOptions& options) {
  if (counts.size() != probabilities.size())
    throw std::invalid_argument(
        fmt::format("goodness of fit: {} counts, expected {}", counts.size(), probabilities.size()));
  const std::int64_t draws = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const Binning binning = bins_of(probabilities, draws, seed, options);
  Goodness seen;
  seen.draws = draws;
  seen.seed = seed;
  seen.bins = static_cast<int>(binning.probabilities.size());
  seen.degrees_of_freedom = binning.degrees_of_freedom();
  std::vector<std::int64_t> observed(binning.probabilities.size());
  for (std::size_t category = 0; category < counts.size(); ++category) {
    const std::int32_t bin = binning.bin_of[category];
    if (bin >= 0)
      observed[static_cast<std::size_t>(bin)] += counts[category];
    else if (counts[category] > 0)
      return impossible(std::move(seen), static_cast<std::int64_t>(category));
  }
  if (seen.degrees_of_freedom < 1) return seen;  // one possible category, and it was drawn
  for (std::size_t bin = 0; bin < observed.size(); ++bin) {
    const double expected = static_cast<double>(draws) * binning.probabilities[bin];
    const double difference = static_cast<double>(observed[bin]) - expected;
    seen.statistic += difference * difference / expected;
  }
  const boost::math::chi_squared distribution(seen.degrees_of_freedom);
  seen.p_value = boost::math::cdf(boost::math::complement(distribution, seen.statistic));
  seen.red = seen.p_value < options.alpha;
  return seen;
}

Goodness test_draws(std::span<const double> probabilities, std::span<const std::int64_t> draws,
                    std::uint64_t seed, const GoodnessOptions& options) {
  std::vector<std::int64_t> counts(probabilities.size());
  for (const std::int64_t category : draws) {
    if (category < 0 || category >= static_cast<std::int64_t>(counts.size()))
      return impossible({.draws = static_cast<std::int64_t>(draws.size()), .seed = seed}, category);
    ++counts[static_cast<std::size_t>(category)];
  }
  return test_counts(probabilities, counts, seed, options);
}

Goodness goodness_of_fit(std::span<const double> probabilities, const DrawCategories& draw,
                         std::int64_t draws, std::uint64_t seed, const GoodnessOptions& options) {
  const auto test = [&](std::uint64_t with) {
    const auto drawn = draw(with, draws);
    if (static_cast<std::int64_t>(drawn.size()) != draws)
      throw std::invalid_argument(
          fmt::format("goodness of fit: {} draws were given, {} asked for", drawn.size(), draws));
    return test_draws(probabilities, drawn, with, options);
  };
  const Goodness first = test(seed);
  if (!first.red || first.outside) return first;
  Goodness second = test(fresh_seed(seed));
  second.tests = 2;
  return second;
}

void expect_fits(Probe& probe, std::string_view what, std::span<const double> probabilities,
                 const DrawCategories& draw, std::int64_t draws, const GoodnessOptions& options) {
  const Goodness seen = goodness_of_fit(probabilities, draw, draws, probe.seed(), options);
  probe.note(what, seen.words());
  probe.expect(!seen.red, fmt::format("{}: {}", what, seen.words()));
}

std::vector<double> uniform_probabilities(std::int64_t categories) {
  return std::vector<double>(static_cast<std::size_t>(categories), 1.0 / static_cast<double>(categories));
}

}  // namespace assay::validation
