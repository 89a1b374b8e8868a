#include "validation/logits/draws.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "validation/logits/distributions.hpp"
#include "validation/sampler_power.hpp"

namespace assay::validation::logits {

namespace {

constexpr std::int64_t at_once = 20'000;
constexpr std::int64_t positions_of_a_seed = 1'000;

}  // namespace

std::vector<double> Sampler::expected() const {
  return probabilities.empty() ? softmax_of(logits) : probabilities;
}

std::string_view name_of(Along along) {
  switch (along) {
    case Along::draws:
      return "draws of a call";
    case Along::positions:
      return "positions";
    case Along::seeds:
      return "seeds";
    case Along::both:
      return "positions and seeds";
  }
  return "";
}

std::vector<std::int64_t> tokens_of(Probe& probe, const Sampler& sampler, std::uint64_t seed,
                                    std::int64_t count, Along along) {
  std::vector<std::int64_t> drawn;
  for (std::int64_t first = 0; first < count; first += at_once) {
    const std::int64_t part = std::min(at_once, count - first);
    const std::int64_t rows = along == Along::draws ? 1 : part;
    HostArguments arguments;
    arguments.inputs.emplace("logits", repeated(sampler.logits, rows));
    arguments.inputs.emplace("seed", per_row<std::int64_t>(rows, [&](std::int64_t row) {
                               const std::int64_t at = first + row;
                               return static_cast<std::int64_t>(seed) + (along == Along::seeds ? at
                                                                         : along == Along::both
                                                                             ? at / positions_of_a_seed
                                                                             : 0);
                             }));
    arguments.inputs.emplace(
        "position", per_row<std::int64_t>(rows, [&](std::int64_t row) {
          const std::int64_t at = first + row;
          return along == Along::seeds ? 0 : along == Along::both ? at % positions_of_a_seed : at;
        }));
    if (sampler.add) sampler.add(arguments, rows);
    if (along == Along::draws) arguments.parameters["draws"] = part;
    const auto outputs = probe.run(sampler.operation, arguments);
    for (const std::int32_t token : outputs.at("token").as<std::int32_t>()) drawn.push_back(token);
  }
  return drawn;
}

void expect_distribution(Probe& probe, std::string_view what, const Sampler& sampler, std::int64_t draws,
                         Along along) {
  const auto p = sampler.expected();
  expect_fits_and_finds(
      probe, fmt::format("{}, {}", what, name_of(along)), p, wrong_samplers(p),
      [&](std::uint64_t seed, std::int64_t count) { return tokens_of(probe, sampler, seed, count, along); },
      draws, each_alone());
}

void expect_independence(Probe& probe, const Sampler& sampler, std::int64_t pairs, Along along) {
  const auto p = sampler.expected();
  expect_fits_and_finds(
      probe, fmt::format("pairs of {}", name_of(along)), independent_pairs(p), dependent_pairs(p),
      [&](std::uint64_t seed, std::int64_t count) {
        const auto tokens = tokens_of(probe, sampler, seed, 2 * count, along);
        std::vector<std::int64_t> made;
        for (std::size_t at = 0; at < tokens.size(); at += 2) {
          const bool none =
              tokens[at] < 0 || tokens[at + 1] < 0;  // a category that there is not: red at once
          made.push_back(none ? -1 : tokens[at] * std::ssize(p) + tokens[at + 1]);
        }
        return made;
      },
      pairs, each_alone());
}

void expect_distribution_of_another(Probe& probe, const Sampler& sampler, std::int64_t draws, Along along) {
  const auto p = sampler.expected();
  Sampler wrong = sampler;
  const Alternative another = wrong_samplers(p).front();
  for (std::size_t id = 0; id < p.size(); ++id)
    wrong.logits[id] = static_cast<float>(std::log(another.probabilities[id]));
  expect_fits(
      probe, another.name, p,
      [&](std::uint64_t seed, std::int64_t count) { return tokens_of(probe, wrong, seed, count, along); },
      draws);
}

}  // namespace assay::validation::logits
