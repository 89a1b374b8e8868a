#include <cmath>
#include <limits>

#include "engine/comparison.hpp"
#include "engine/runtime/philox.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"
#include "validation/logits/distributions.hpp"
#include "validation/logits/draws.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"

namespace assay::validation::sampling {

namespace {

using namespace logits;
constexpr const char* operation = "sampling.categorical";

/// Rows, and how often each is drawn from; seeds and positions follow from the rows' seed.
struct Call {
  Rows rows;
  std::int64_t draws = 1;

  std::int64_t seed_of(std::int64_t row) const { return static_cast<std::int64_t>(rows.seed) + 17 * row; }
  std::int64_t position_of(std::int64_t row) const {
    // At the end of the counter too, where it wraps.
    return row % 3 == 2 ? std::int64_t{-2} : 5 * row;
  }
  HostArguments arguments() const {
    HostArguments made;
    rows.add_to(made);
    made.inputs.emplace("seed",
                        per_row<std::int64_t>(rows.rows, [&](std::int64_t row) { return seed_of(row); }));
    made.inputs.emplace("position",
                        per_row<std::int64_t>(rows.rows, [&](std::int64_t row) { return position_of(row); }));
    made.parameters = {{"draws", draws}};
    return made;
  }
};

Call call_of(Rows rows, std::int64_t draws) {
  Call call;
  call.rows = std::move(rows);
  call.draws = draws;
  return call;
}

Call draw() {
  const std::int64_t draws = *rc::gen::element<std::int64_t>(1, 2, 7, 31, 32, 33, 70);
  return call_of(logits::draw(), draws);
}

void matches_reference(Probe& probe) {
  const Call call = draw();
  const Placement logits{*integers(0, 3, "elements off the alignment"),
                         *integers(0, 5, "elements between rows")};
  probe.expect_reference(operation, call.arguments(), {{"logits", logits}});
}

void matches_reference_across_blocks(Probe& probe) {
  for (const Rows& rows : rows_across_blocks(probe.seed()))
    probe.expect_reference(operation, call_of(rows, rows.rows > 2 ? 3 : 40).arguments());
}

/// Draw d of a row is what sampling.chain draws without a step at position + d, to the last bit.
void is_the_chain_without_steps(Probe& probe) {
  const Call call = draw();
  const HostArguments arguments = call.arguments();
  const auto outputs = probe.run(operation, arguments);
  for (std::int64_t d = 0; d < std::min<std::int64_t>(call.draws, 4); ++d) {
    HostArguments one = arguments.clone();
    one.inputs.erase("position");
    one.inputs.emplace("position", per_row<std::int64_t>(call.rows.rows, [&](std::int64_t row) {
                         return static_cast<std::int64_t>(static_cast<std::uint64_t>(call.position_of(row)) +
                                                          static_cast<std::uint64_t>(d));
                       }));
    one.parameters = {{"order", std::string()}};
    const auto expected = probe.run("sampling.chain", one);
    for (const char* const name : {"token", "log_prob"})
      for (std::int64_t row = 0; row < call.rows.rows; ++row)
        probe.expect_equal(name,
                           elements_of(outputs.at(name), static_cast<std::size_t>(row * call.draws + d), 1),
                           elements_of(expected.at(name), static_cast<std::size_t>(row), 1));
  }
}

/// More draws do not change the first ones.
void draws_do_not_depend_on_their_number(Probe& probe) {
  Call call = draw();
  const auto outputs = probe.run(operation, call.arguments());
  const std::int64_t fewer = call.draws;
  call.draws += *integers(1, 40, "more draws");
  const auto more = probe.run(operation, call.arguments());
  const auto log_probs = floats_of(outputs.at("log_prob")), of_more = floats_of(more.at("log_prob"));
  for (std::int64_t row = 0; row < call.rows.rows; ++row)
    for (std::int64_t d = 0; d < fewer; ++d) {
      const auto from = static_cast<std::size_t>(row * fewer + d),
                 to = static_cast<std::size_t>(row * call.draws + d);
      probe.expect(outputs.at("token").as<std::int32_t>()[from] == more.at("token").as<std::int32_t>()[to] &&
                       log_probs[from] == of_more[to],
                   "draw " + std::to_string(d) + " is the same among more");
    }
}

/// What is drawn is allowed, has a probability, and carries no more than 1.
void draws_what_is_allowed(Probe& probe) {
  const Call call = draw();
  const HostArguments arguments = call.arguments();
  const auto outputs = probe.run(operation, arguments);
  const auto values = to_doubles(arguments.inputs.at("logits").view());
  const auto log_probs = floats_of(outputs.at("log_prob"));
  for (std::int64_t row = 0; row < call.rows.rows; ++row) {
    const auto has_probability = [&](std::int64_t id) {
      const double value = values[static_cast<std::size_t>(row * call.rows.tokens + id)];
      return allows(arguments, row, id) && value > -std::numeric_limits<double>::infinity();
    };
    bool any = false;
    for (std::int64_t id = 0; id < call.rows.tokens; ++id) any = any || has_probability(id);
    for (std::int64_t d = 0; d < call.draws; ++d) {
      const auto at = static_cast<std::size_t>(row * call.draws + d);
      const std::int32_t token = outputs.at("token").as<std::int32_t>()[at];
      const float log_prob = log_probs[at];
      probe.expect((token >= 0) == any, "there is a token where one can be drawn");
      probe.expect(token < call.rows.tokens && (token < 0 || has_probability(token)),
                   "the token can be drawn");
      probe.expect(token < 0 ? std::isinf(log_prob) : log_prob <= 0 && std::isfinite(log_prob),
                   "a probability is at most 1, and above 0 where there is a token");
    }
  }
}

constexpr Along all_along[] = {Along::draws, Along::positions, Along::seeds};

Sampler sampler_of(std::int64_t tokens) {
  return {operation, zipf(tokens)};
}

void draws_its_distribution(Probe& probe) {
  for (const Along along : {Along::draws, Along::both})
    expect_distribution(probe, "16 tokens", sampler_of(16), draws_of_few, along);
}

void draws_its_distribution_of_many(Probe& probe) {
  for (const Along along : all_along)
    expect_distribution(probe, "64 tokens", sampler_of(64), draws_of_many, along);
}

void neighbouring_draws_are_independent(Probe& probe) {
  for (const Along along : all_along) expect_independence(probe, sampler_of(4), draws_of_few, along);
}

void of_another(Probe& probe) {
  expect_distribution_of_another(probe, sampler_of(16), draws_of_few, Along::draws);
}

void refuses_bad_arguments(Probe& probe) {
  const Call sound = call_of(rows_of(RowKind::normal, 2, 9, 1, 1), 3);
  const auto with = [&](const char* name, Tensor tensor) {
    HostArguments changed = sound.arguments();
    changed.inputs.erase(name);
    changed.inputs.emplace(name, std::move(tensor));
    return changed;
  };
  for (const std::int64_t draws : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{65'537}}) {
    HostArguments changed = sound.arguments();
    changed.parameters["draws"] = draws;
    expect_refused(probe, operation, changed, "draws", std::to_string(draws) + " draws");
  }
  expect_refused(probe, operation, with("seed", Tensor::from<std::int64_t>({1, 2, 3}, {3})), "seed",
                 "a seed too many");
  expect_refused(probe, operation, with("position", Tensor::from<std::int32_t>({1, 2}, {2})), "position",
                 "positions of 32 bits");
  expect_refused(probe, operation, with("mask", Tensor::from<std::uint32_t>({1, 2, 3, 4}, {2, 2})), "mask",
                 "a mask of two words");
}

}  // namespace

void describe_categorical(Suite& suite) {
  suite.calls([] { return draw().arguments(); });
  suite.property({"matches_reference", "Tokens are the reference's, logarithms within their bound.",
                  matches_reference, 400});
  suite.property({"matches_reference_across_blocks", "The same on 1,025 to 300,000 tokens and many rows.",
                  matches_reference_across_blocks, 1});
  suite.property({"is_the_chain_without_steps",
                  "Draw d is that of sampling.chain at position + d, bit for bit.",
                  is_the_chain_without_steps, 100});
  suite.property({"draws_do_not_depend_on_their_number", "The first draws among more are the same.",
                  draws_do_not_depend_on_their_number, 60});
  suite.property({"draws_what_is_allowed", "A token that can be drawn, or -1 where there is none.",
                  draws_what_is_allowed, 200});
  suite.property({.name = "draws_its_distribution",
                  .summary = "A million draws of a call, and of rows, fit; 0.5 % off would be found.",
                  .body = draws_its_distribution,
                  .cases = 1,
                  .negative_control = of_another});
  suite.property({.name = "draws_its_distribution_of_many",
                  .summary = "64 tokens over draws, positions and seeds, 1,600,000 each.",
                  .body = draws_its_distribution_of_many,
                  .cases = 1,
                  .negative_control = of_another,
                  .long_running = true});
  suite.property({.name = "neighbouring_draws_are_independent",
                  .summary = "A million pairs of consecutive draws, positions and seeds fit the product.",
                  .body = neighbouring_draws_are_independent,
                  .cases = 1,
                  .negative_control = of_another});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "Draws out of range, rows that do not fit together, masks that are none.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation,
                                   call_of(rows_of(RowKind::ladder, 1, 4, 1, 1), 2).arguments(), "draws",
                                   "a sound call");
                  }});
  const auto fault = [&](const char* id, const char* fault_class, const char* what,
                         Backend backend = Backend::cpu) {
    suite.mutant({std::string("sampling.categorical.") + id, fault_class, what, backend});
  };
  fault("counter_reused", "reused seed", "all draws of a row are by the same bits");
  fault("counter_doubled", "wrong key", "draw d is by the bits of position + 2 d");
  fault("row_in_the_seed", "wrong key", "the row's place in the batch enters the draw");
  fault("draw_shifted", "off by one", "the token before the one that the point falls on is drawn");
  fault("position_for_id", "wrong index", "the place among what is allowed is given for the id");
  fault("log_prob_of_maximum", "wrong index", "log_prob is that of the most likely token");
  fault("mask_ignored", "missing mask", "tokens that the mask forbids are drawn");
  fault("last_token_dropped", "unhandled tail", "the last token of a row is not weighed");
  fault("cuda_counter_reused", "reused seed", "all draws of a row are by the same bits", Backend::cuda);
  fault("cuda_row_in_the_seed", "wrong key", "the row's place in the batch enters the draw", Backend::cuda);
  fault("cuda_draw_shifted", "off by one", "the token after the one that the point falls on is drawn",
        Backend::cuda);
  fault("cuda_log_prob_of_maximum", "wrong index", "log_prob is that of the most likely token",
        Backend::cuda);
  fault("cuda_lost_sum_of_lanes", "missing term", "lanes take their tokens to be the tile's first",
        Backend::cuda);
  fault("cuda_last_draws_lost", "unhandled tail", "draws beyond the last 32 are not written", Backend::cuda);
  fault("cuda_mask_ignored", "missing mask", "tokens that the mask forbids are drawn", Backend::cuda);
}

}  // namespace assay::validation::sampling
