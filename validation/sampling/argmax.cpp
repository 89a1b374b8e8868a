#include <cmath>
#include <limits>

#include "engine/comparison.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"
#include "validation/logits/distributions.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"

namespace assay::validation::sampling {

namespace {

using namespace logits;
constexpr const char* operation = "sampling.argmax";
constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

HostArguments arguments_of(const Rows& rows) {
  HostArguments made;
  rows.add_to(made);
  return made;
}

/// Rows side by side, or apart and off the alignment.
Placements draw_placements() {
  const Placement logits{*integers(0, 3, "elements off the alignment"),
                         *integers(0, 5, "elements between rows")};
  return {{"logits", logits}};
}

void matches_reference(Probe& probe) {
  const Rows rows = logits::draw();
  probe.expect_reference(operation, arguments_of(rows), draw_placements());
}

void matches_reference_across_blocks(Probe& probe) {
  for (const Rows& rows : rows_across_blocks(probe.seed()))
    probe.expect_reference(operation, arguments_of(rows));
}

/// Read off the logits alone: nothing allowed is greater, and nothing before is equal.
void is_the_first_maximum(Probe& probe) {
  const Rows rows = logits::draw();
  const HostArguments arguments = arguments_of(rows);
  const auto outputs = probe.run(operation, arguments);
  const auto values = to_doubles(arguments.inputs.at("logits").view());  // as the type holds them
  const auto logits = floats_of(outputs.at("logit"));
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const auto of_row = static_cast<std::size_t>(row);
    const std::int32_t token = outputs.at("token").as<std::int32_t>()[of_row];
    const float logit = logits[of_row];
    const auto value = [&](std::int64_t id) {
      const auto held = static_cast<float>(values[static_cast<std::size_t>(row * rows.tokens + id)]);
      return std::isnan(held) ? minus_infinity : held;
    };
    probe.expect(token >= -1 && token < rows.tokens, "the token is one, or -1");
    if (token >= 0) {
      probe.expect(allows(arguments, row, token), "the token is allowed");
      probe.expect(logit == value(token) && logit > minus_infinity, "the logit is that of the token");
    } else {
      probe.expect(logit == minus_infinity, "there is no logit without a token");
    }
    for (std::int64_t id = 0; id < rows.tokens; ++id)
      if (allows(arguments, row, id))
        probe.expect(id < token ? value(id) < logit : value(id) <= logit,
                     "what is before is less, and what follows no greater");
  }
}

/// One maximum, at each place of the row in turn.
void finds_it_at_every_place(Probe& probe) {
  for (const std::int64_t tokens : {1, 3, 4, 5, 31, 127, 128, 129, 517, 1'030}) {
    std::vector<float> values(static_cast<std::size_t>(tokens * tokens), -1);
    for (std::int64_t row = 0; row < tokens; ++row) values[static_cast<std::size_t>(row * tokens + row)] = 2;
    HostArguments arguments;
    arguments.inputs.emplace("logits", Tensor::from<float>(values, {tokens, tokens}));
    const auto outputs = probe.run(operation, arguments);
    for (std::int64_t row = 0; row < tokens; ++row)
      probe.expect(outputs.at("token").as<std::int32_t>()[static_cast<std::size_t>(row)] == row,
                   "the maximum at place " + std::to_string(row) + " of " + std::to_string(tokens));
    for (const float logit : floats_of(outputs.at("logit"))) probe.expect(logit == 2, "its logit");
  }
}

void refuses_bad_arguments(Probe& probe) {
  const auto with = [](const char* name, Tensor tensor) {
    HostArguments made = arguments_of(rows_of(RowKind::normal, 2, 9, 1, 1));
    made.inputs.erase(name);
    made.inputs.emplace(name, std::move(tensor));
    return made;
  };
  expect_refused(probe, operation, with("logits", Tensor::from<float>({1, 2}, {2})), "logits", "a vector");
  expect_refused(probe, operation, with("logits", Tensor(DType::f32, {2, 0})), "logits", "no tokens");
  expect_refused(probe, operation, with("logits", Tensor(DType::f64, {2, 2})), "logits", "doubles");
  expect_refused(probe, operation, with("mask", Tensor::from<std::uint32_t>({1, 2, 3, 4}, {2, 2})), "mask",
                 "a mask of two words");
}

}  // namespace

void describe_argmax(Suite& suite) {
  suite.calls([] { return arguments_of(logits::draw()); });
  suite.property({"matches_reference", "Token and logit are the reference's, rows side by side or apart.",
                  matches_reference, 400});
  suite.property({"matches_reference_across_blocks", "The same on 1,025 to 300,000 tokens and many rows.",
                  matches_reference_across_blocks, 1});
  suite.property({"is_the_first_maximum", "No allowed token is greater, and none before it is equal.",
                  is_the_first_maximum, 200});
  suite.property(
      {"finds_it_at_every_place", "A single maximum at each place of a row.", finds_it_at_every_place, 1});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "Shapes, types and masks that are none.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation, arguments_of(rows_of(RowKind::ladder, 1, 4, 1, 1)),
                                   "logits", "a sound call");
                  }});
  const auto fault = [&](const char* id, const char* fault_class, const char* what,
                         Backend backend = Backend::cpu) {
    suite.mutant({std::string("sampling.argmax.") + id, fault_class, what, backend});
  };
  fault("last_maximum", "wrong order", "of equal maxima the last is taken");
  fault("minus_infinity_taken", "missing condition", "the first token is taken where all are at -Inf");
  fault("position_for_id", "wrong index", "the place among what is allowed is given for the id");
  fault("mask_ignored", "missing mask", "tokens that the mask forbids are taken");
  fault("ignored_row_stride", "ignored stride", "rows are taken to lie side by side");
  fault("last_token_dropped", "unhandled tail", "the last token of a row is not looked at");
  fault("cuda_last_maximum", "wrong order", "of equal maxima the last is taken", Backend::cuda);
  fault("cuda_minus_infinity_taken", "missing condition", "the first token is taken where all are at -Inf",
        Backend::cuda);
  fault("cuda_mask_ignored", "missing mask", "tokens that the mask forbids are taken", Backend::cuda);
  fault("cuda_ignored_row_stride", "ignored stride", "rows are taken to lie side by side", Backend::cuda);
  fault("cuda_unhandled_tail", "unhandled tail", "tokens beyond the last four are not read", Backend::cuda);
  fault("cuda_lost_block", "lost tile", "the last block of a cluster reads nothing", Backend::cuda);
}

}  // namespace assay::validation::sampling
