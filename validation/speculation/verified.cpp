#include "validation/speculation/verified.hpp"

#include <limits>

#include "engine/runtime/philox.hpp"
#include "validation/logits/distributions.hpp"
#include "validation/speculation/call.hpp"

namespace assay::validation::speculation {

namespace {

using namespace logits;
constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

/// Logits of a spread of 1.5, by the seed.
std::vector<float> random_logits(std::int64_t tokens, std::uint64_t seed) {
  std::vector<float> made;
  Philox random(seed);
  for (std::int64_t id = 0; id < tokens; ++id) made.push_back(static_cast<float>(1.5 * random.normal()));
  return made;
}

/// Those of `logits` whose id `keep` takes; the others at -Inf.
template <typename Keep>
std::vector<float> restricted(std::vector<float> logits, const Keep& keep) {
  for (std::size_t id = 0; id < logits.size(); ++id)
    if (!keep(id)) logits[id] = minus_infinity;
  return logits;
}

}  // namespace

std::vector<std::int32_t> drafted_by_categorical(Probe& probe, const Tensor& logits, const Tensor& seed,
                                                 std::int64_t position) {
  const std::int64_t rows = logits.shape()[0];
  HostArguments arguments;
  arguments.inputs.emplace("logits", logits.clone());
  arguments.inputs.emplace("seed", seed.clone());
  arguments.inputs.emplace("position", per_row<std::int64_t>(rows, [&](std::int64_t) { return position; }));
  const auto outputs = probe.run("sampling.categorical", arguments);
  const auto tokens = outputs.at("token").as<std::int32_t>();
  return {tokens.begin(), tokens.end()};
}

Tensor in_steps(const std::vector<float>& logits, std::int64_t rows, std::int64_t steps) {
  const Tensor flat = repeated(logits, rows * steps);
  const auto values = flat.as<float>();
  return Tensor::from<float>(std::vector<float>(values.begin(), values.end()),
                             {rows, steps, std::ssize(logits)});
}

Verified verified(Probe& probe, const Pair& pair, std::uint64_t seed, std::int64_t first, std::int64_t rows,
                  std::int64_t steps) {
  HostArguments arguments;
  const Tensor seeds = per_row<std::int64_t>(
      rows, [&](std::int64_t row) { return static_cast<std::int64_t>(seed) + first + row; });
  std::vector<std::int32_t> drafted(static_cast<std::size_t>(rows * steps));
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto tokens = drafted_by_categorical(probe, repeated(pair.draft, rows), seeds, step);
    for (std::int64_t row = 0; row < rows; ++row)
      drafted[static_cast<std::size_t>(row * steps + step)] = tokens[static_cast<std::size_t>(row)];
  }
  arguments.inputs.emplace("draft_tokens", Tensor::from<std::int32_t>(drafted, {rows, steps}));
  arguments.inputs.emplace("target_logits", in_steps(pair.target, rows, steps + 1));
  arguments.inputs.emplace("draft_logits", in_steps(pair.draft, rows, steps));
  arguments.inputs.emplace("seed", seeds.clone());
  arguments.inputs.emplace("position", per_row<std::int64_t>(rows, [](std::int64_t) { return 0; }));
  const auto outputs = probe.run(operation, arguments);
  const auto tokens = outputs.at("tokens").as<std::int32_t>();
  const auto accepted = outputs.at("accepted").as<std::int32_t>();
  return {{tokens.begin(), tokens.end()}, {accepted.begin(), accepted.end()}};
}

std::vector<Pair> pairs(std::int64_t tokens) {
  const std::vector<float> p = random_logits(tokens, 11), q = random_logits(tokens, 12);
  const auto even = [](std::size_t id) { return id % 2 == 0; };
  const auto odd = [](std::size_t id) { return id % 2 == 1; };
  return {{"equal", p, p},
          {"random", p, q},
          {"disjoint supports", restricted(p, even), restricted(q, odd)},
          {"the draft's support is a part", p, restricted(q, even)},
          {"the target's support is a part", restricted(p, odd), q},
          {"a flat draft", zipf(tokens), std::vector<float>(static_cast<std::size_t>(tokens), 0.0F)}};
}

}  // namespace assay::validation::speculation
