#include <algorithm>
#include <cmath>
#include <limits>

#include "validation/chains/call.hpp"
#include "validation/chains/properties.hpp"
#include "validation/floats.hpp"
#include "validation/logits/distributions.hpp"
#include "validation/logits/draws.hpp"

namespace assay::validation::chains {

namespace {

using namespace logits;

/// What is drawn is left, and carries its own probability.
void draws_what_is_left(Probe& probe) {
  const Call call = draw();
  const auto outputs = probe.run(operation, call.arguments());
  const auto bits = outputs.at("left").as<std::uint32_t>();
  const auto logits = floats_of(outputs.at("left_logits"));
  const auto log_probs = floats_of(outputs.at("log_prob"));
  const std::int64_t v = call.rows.tokens, words = (v + 31) / 32;
  for (std::int64_t row = 0; row < call.rows.rows; ++row) {
    const std::int32_t token = outputs.at("token").as<std::int32_t>()[static_cast<std::size_t>(row)];
    const float log_prob = log_probs[static_cast<std::size_t>(row)];
    float most = -std::numeric_limits<float>::infinity();
    for (std::int64_t id = 0; id < v; ++id)
      most = std::max(most, logits[static_cast<std::size_t>(row * v + id)]);
    if (most == -std::numeric_limits<float>::infinity()) {
      probe.expect(token == -1 && std::isinf(log_prob), "nothing is drawn where nothing has a probability");
      continue;
    }
    probe.expect(token >= 0 && token < v, "a token is drawn");
    probe.expect((bits[static_cast<std::size_t>(row * words + token / 32)] >> (token % 32) & 1u) != 0,
                 "the token is one of those left");
    probe.expect(logits[static_cast<std::size_t>(row * v + token)] > -std::numeric_limits<float>::infinity(),
                 "the token has a probability");
    probe.expect(log_prob <= 0, "a probability is at most 1");
  }
}

/// A chain without a step.
Sampler unfiltered(std::int64_t tokens) {
  return {operation, zipf(tokens),
          [](HostArguments& arguments, std::int64_t) { arguments.parameters["order"] = std::string(); }};
}

/// Temperature 2 and a top_k of half the tokens.
Sampler filtered(std::int64_t tokens) {
  const auto add = [tokens](HostArguments& arguments, std::int64_t rows) {
    arguments.inputs.emplace("temperature", per_row<float>(rows, [](std::int64_t) { return 2.0F; }));
    arguments.inputs.emplace("top_k", per_row<std::int32_t>(rows, [&](std::int64_t) {
                               return static_cast<std::int32_t>(tokens / 2);
                             }));
    arguments.parameters["order"] = std::string("temperature,top_k");
  };
  return {operation, zipf(tokens), add, half_of_zipf_at_two(tokens)};
}

void draws_its_distribution(Probe& probe) {
  expect_distribution(probe, "16 tokens", unfiltered(16), draws_of_few, Along::both);
  expect_distribution(probe, "16 left of 32", filtered(32), draws_of_few, Along::both);
}

void draws_its_distribution_of_many(Probe& probe) {
  for (const Along along : {Along::positions, Along::seeds})
    expect_distribution(probe, "64 tokens", unfiltered(64), draws_of_many, along);
}

void neighbouring_draws_are_independent(Probe& probe) {
  for (const Along along : {Along::positions, Along::seeds})
    expect_independence(probe, unfiltered(4), draws_of_few, along);
}

void of_another(Probe& probe) {
  expect_distribution_of_another(probe, unfiltered(16), draws_of_few, Along::both);
}

}  // namespace

void add_draw_properties(Suite& suite) {
  suite.property({"draws_what_is_left", "The token is a survivor with a probability; -1 where there is none.",
                  draws_what_is_left, 200});
  suite.property({.name = "draws_its_distribution",
                  .summary = "A million draws fit, unfiltered and filtered; 0.5 % off would be found.",
                  .body = draws_its_distribution,
                  .cases = 1,
                  .negative_control = of_another});
  suite.property({.name = "draws_its_distribution_of_many",
                  .summary = "64 tokens over positions and over seeds, 1,600,000 draws each.",
                  .body = draws_its_distribution_of_many,
                  .cases = 1,
                  .negative_control = of_another,
                  .long_running = true});
  suite.property({.name = "neighbouring_draws_are_independent",
                  .summary = "A million pairs of consecutive positions, and of seeds, fit the product.",
                  .body = neighbouring_draws_are_independent,
                  .cases = 1,
                  .negative_control = of_another});
}

}  // namespace assay::validation::chains
