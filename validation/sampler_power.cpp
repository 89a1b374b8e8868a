#include "validation/sampler_power.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

namespace assay::validation {

namespace {

using Probabilities = std::vector<double>;

/// Above 0 and at most this is a rare token: one that shares a bin (GoodnessOptions::alone_above).
constexpr double rare = 0.02;

Probabilities scaled_to_one(Probabilities p) {
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& each : p) each /= sum;
  return p;
}

/// p^(1 / t), which is the distribution at temperature t.
Probabilities at_temperature(std::span<const double> p, double temperature) {
  Probabilities made;
  for (const double each : p) made.push_back(each > 0 ? std::pow(each, 1 / temperature) : 0);
  return scaled_to_one(std::move(made));
}

/// Those that `gains` takes get `distance` from the others, each side in proportion; nothing where the others
/// have less.
std::optional<Probabilities> favoured(std::span<const double> p, double distance,
                                      const std::function<bool(std::size_t)>& gains) {
  double gaining = 0;
  for (std::size_t i = 0; i < p.size(); ++i) gaining += gains(i) ? p[i] : 0;
  if (!(gaining > 0) || 1 - gaining < distance) return std::nullopt;
  Probabilities made(p.begin(), p.end());
  for (std::size_t i = 0; i < made.size(); ++i)
    made[i] *= gains(i) ? 1 + distance / gaining : 1 - distance / (1 - gaining);
  return made;
}

/// Rare tokens gain and lose in turn, each side in proportion; nothing where they have too little.
std::optional<Probabilities> rare_ones_apart(std::span<const double> p, double distance) {
  double of_turn[2] = {0, 0};
  std::size_t turn = 0;
  for (const double each : p)
    if (each > 0 && each <= rare) of_turn[turn++ % 2] += each;
  if (!(of_turn[0] > 0) || of_turn[1] < distance) return std::nullopt;
  Probabilities made(p.begin(), p.end());
  turn = 0;
  for (double& each : made)
    if (each > 0 && each <= rare)
      each *= turn++ % 2 == 0 ? 1 + distance / of_turn[0] : 1 - distance / of_turn[1];
  return made;
}

/// The two whose probabilities differ by `distance` or as little more as there is.
std::optional<std::pair<std::size_t, std::size_t>> pair_apart(std::span<const double> p, double distance) {
  std::optional<std::pair<std::size_t, std::size_t>> best;
  double least = 1;
  for (std::size_t i = 0; i < p.size(); ++i)
    for (std::size_t j = 0; j < p.size(); ++j)
      if (p[i] > 0 && p[j] > 0 && p[i] - p[j] >= distance && p[i] - p[j] < least) {
        least = p[i] - p[j];
        best.emplace(i, j);
      }
  return best;
}

class List {
 public:
  explicit List(std::vector<Alternative>& all) : all_(all) {}
  void add(std::string name, std::optional<Probabilities> made) {
    if (made) all_.push_back({std::move(name), std::move(*made)});
  }

 private:
  std::vector<Alternative>& all_;
};

}  // namespace

double total_variation(std::span<const double> p, std::span<const double> q) {
  if (p.size() != q.size())
    throw std::invalid_argument(fmt::format("total variation: {} categories and {}", p.size(), q.size()));
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += std::fabs(p[i] - q[i]);
  return sum / 2;
}

std::optional<std::vector<double>> mixed(std::span<const double> p, const std::vector<double>& q,
                                         double distance) {
  const double whole = total_variation(p, q);
  if (whole < distance) return std::nullopt;
  const double share = distance / whole;
  Probabilities made;
  for (std::size_t i = 0; i < p.size(); ++i) made.push_back((1 - share) * p[i] + share * q[i]);
  return made;
}

std::optional<std::vector<double>> at_distance(std::span<const double> p, double distance,
                                               const std::function<std::vector<double>(double)>& family) {
  double near = 0, far = 1;
  if (total_variation(p, family(far)) < distance) return std::nullopt;
  for (int halvings = 0; halvings < 60; ++halvings) {
    const double middle = (near + far) / 2;
    (total_variation(p, family(middle)) < distance ? near : far) = middle;
  }
  return family(far);
}

std::vector<Alternative> wrong_samplers(std::span<const double> p, double distance) {
  std::vector<Alternative> all;
  List list(all);
  const auto most = static_cast<std::int64_t>(std::max_element(p.begin(), p.end()) - p.begin());
  const double greatest = p[static_cast<std::size_t>(most)];
  if (greatest > distance && 1 - greatest > distance) {
    list.add("the most probable token has too little", shifted(p, most, -distance / greatest));
    list.add("the most probable token has too much", shifted(p, most, distance / greatest));
  }
  const auto heated = [&](double most) {
    return [p, most](double way) { return at_temperature(p, std::pow(most, way)); };
  };
  list.add("the temperature is too high", at_distance(p, distance, heated(2)));
  list.add("the temperature is too low", at_distance(p, distance, heated(0.5)));
  list.add("every other token is favoured",
           favoured(p, distance, [](std::size_t id) { return id % 2 == 0; }));
  list.add("rare tokens are favoured over others as rare", rare_ones_apart(p, distance));
  Probabilities next(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) next[(i + 1) % p.size()] = p[i];
  list.add("the next token comes in its place now and then", mixed(p, next, distance));
  list.add("any token at all comes now and then",
           mixed(p, Probabilities(p.size(), 1 / static_cast<double>(p.size())), distance));
  // Of tokens that are left out or exchanged those that make the least difference.
  std::optional<std::size_t> lost, forbidden;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] >= distance && p[i] < 1 && (!lost || p[i] < p[*lost])) lost = i;
    if (p[i] == 0 && !forbidden) forbidden = i;
  }
  if (lost) list.add("a token is lost", shifted(p, static_cast<std::int64_t>(*lost), -1));
  if (const auto apart = pair_apart(p, distance)) {
    Probabilities exchanged(p.begin(), p.end());
    std::swap(exchanged[apart->first], exchanged[apart->second]);
    list.add("two tokens are exchanged", std::move(exchanged));
  }
  if (forbidden) list.add("a token too many", leaking(p, static_cast<std::int64_t>(*forbidden), distance));
  return all;
}

std::vector<double> independent_pairs(std::span<const double> p) {
  std::vector<double> pairs;
  for (const double first : p)
    for (const double second : p) pairs.push_back(first * second);
  return pairs;
}

std::vector<Alternative> dependent_pairs(std::span<const double> p, double distance) {
  const std::size_t n = p.size();
  const Probabilities pairs = independent_pairs(p);
  Probabilities repeating(n * n), avoiding(n * n), alike(n * n);
  double even = 0;
  for (std::size_t i = 0; i < n; i += 2) even += p[i];
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      repeating[a * n + b] = a == b ? p[a] : 0;
      avoiding[a * n + b] = a == b ? 0 : p[a] * p[b] / (1 - p[a]);
      // As likely as ever among those of the first one's parity, and none of the other.
      if (a % 2 == b % 2) alike[a * n + b] = p[a] * p[b] / (a % 2 == 0 ? even : 1 - even);
    }
  std::vector<Alternative> all;
  List list(all);
  list.add("a draw repeats the one before it now and then", mixed(pairs, repeating, distance));
  list.add("a draw avoids the one before it now and then", mixed(pairs, avoiding, distance));
  list.add("tokens of one parity come together", mixed(pairs, alike, distance));
  return all;
}

std::vector<FoundAlternative> found_of(std::span<const double> probabilities,
                                       const std::vector<Alternative>& alternatives, std::int64_t draws,
                                       const GoodnessOptions& options) {
  const int seeds = options.alone_above > 0 ? 500 : 1;  // where the seed chooses the bins, over many of them
  std::vector<FoundAlternative> found;
  for (const Alternative& one : alternatives)
    found.push_back({one.name, total_variation(probabilities, one.probabilities),
                     goodness_power(probabilities, one.probabilities, draws, options, seeds).confirmed});
  return found;
}

void expect_fits_and_finds(Probe& probe, std::string_view what, std::span<const double> probabilities,
                           const std::vector<Alternative>& alternatives, const DrawCategories& draw,
                           std::int64_t draws, const GoodnessOptions& options) {
  const auto found = found_of(probabilities, alternatives, draws, options);
  probe.expect(!found.empty(), "there is something to find");
  Table table;
  table.columns = {fmt::format("{}: wrong by", what), "total variation", "draws", "found with probability"};
  for (const FoundAlternative& one : found)
    table.rows.push_back({one.name, fmt::format("{:.2f} %", 100 * one.distance), std::to_string(draws),
                          fmt::format("{:.5f}", one.power)});
  probe.show(std::move(table));
  for (const FoundAlternative& one : found)
    probe.expect(one.power >= least_power,
                 fmt::format("{}: {} draws find '{}' with probability {:.4f}, expected {}", what, draws,
                             one.name, one.power, least_power));
  expect_fits(probe, what, probabilities, draw, draws, options);
}

}  // namespace assay::validation
