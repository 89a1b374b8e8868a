#include <algorithm>
#include <cmath>
#include <limits>

#include "validation/generators.hpp"
#include "validation/logits/distributions.hpp"
#include "validation/refusals.hpp"
#include "validation/speculation/call.hpp"
#include "validation/speculation/properties.hpp"
#include "validation/speculation/verified.hpp"
#include "validation/tensors/recipe.hpp"

namespace assay::validation::sampling {

namespace {

using namespace logits;
using namespace speculation;
using speculation::draw;  // not of rows
constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

void matches_reference(Probe& probe) {
  const Call call = draw();
  const auto apart = [](const char* what) {
    return Placement{*integers(0, 3, what), *integers(0, 5, "elements between rows")};
  };
  probe.expect_reference(operation, call.arguments(),
                         {{"target_logits", apart("elements that the target is off the alignment")},
                          {"draft_logits", apart("elements that the draft is off the alignment")}});
}

void matches_reference_across_blocks(Probe& probe) {
  struct Size {
    std::int64_t rows, steps, tokens;
    DType type;
    RowKind filling;
  };
  for (const Size& size :
       {Size{2, 3, 1'300, DType::f32, RowKind::normal}, Size{40, 4, 1'030, DType::f16, RowKind::ties},
        Size{1, 2, 16'385, DType::f32, RowKind::peaked}, Size{1, 1, 131'073, DType::bf16, RowKind::normal},
        Size{1, 2, 300'000, DType::f32, RowKind::normal}})
    for (const Kin kin : {Kin::near, Kin::other}) {
      Rows rows = rows_of(size.filling, 1, size.tokens, 2, probe.seed());
      rows.type = size.type;
      probe.expect_reference(operation, call_of(rows, size.rows, size.steps, kin).arguments());
    }
}

/// A draft of the target's own distribution is always taken; what comes out is the draft and one more.
void equal_distributions_take_all(Probe& probe) {
  Call call = draw();
  call.kin = Kin::same;
  call.lengths = false;
  HostArguments arguments = call.arguments();
  // Tokens that the draft can have drawn: by sampling.categorical, step by step.
  const std::vector<double> target = call.rows.values();
  std::vector<std::int32_t> drafted(static_cast<std::size_t>(call.calls * call.steps));
  for (std::int64_t step = 0; step < call.steps; ++step) {
    std::vector<double> values;
    for (std::int64_t row = 0; row < call.calls; ++row) {
      const auto begin = target.begin() + (row * (call.steps + 1) + step) * call.rows.tokens;
      values.insert(values.end(), begin, begin + call.rows.tokens);
    }
    const Tensor logits = encode(call.rows.type, values, {call.calls, call.rows.tokens});
    const auto tokens = drafted_by_categorical(probe, logits, arguments.inputs.at("seed"), step);
    for (std::int64_t row = 0; row < call.calls; ++row)
      drafted[static_cast<std::size_t>(row * call.steps + step)] = tokens[static_cast<std::size_t>(row)];
  }
  for (const std::int32_t token : drafted)
    probe.expect(token >= -1 && token < call.rows.tokens, "a token is drafted, or none");
  // Rows of nothing but -Inf have no draft.
  const bool none = std::count(drafted.begin(), drafted.end(), -1) > 0;
  std::replace(drafted.begin(), drafted.end(), -1, 0);
  arguments.inputs.erase("draft_tokens");
  arguments.inputs.emplace("draft_tokens", Tensor::from<std::int32_t>(drafted, {call.calls, call.steps}));
  const auto outputs = probe.run(operation, arguments);
  const auto tokens = outputs.at("tokens").as<std::int32_t>();
  for (std::int64_t row = 0; row < call.calls; ++row) {
    const std::int32_t accepted = outputs.at("accepted").as<std::int32_t>()[static_cast<std::size_t>(row)];
    if (!none) probe.expect(accepted == call.steps, "every draft token is taken");
    probe.expect(accepted >= 0 && accepted <= call.steps, "a number of steps");
    for (std::int64_t step = 0; step < accepted; ++step)
      probe.expect(tokens[static_cast<std::size_t>(row * (call.steps + 1) + step)] ==
                       drafted[static_cast<std::size_t>(row * call.steps + step)],
                   "what is taken is the draft");
    if (!none)
      probe.expect(tokens[static_cast<std::size_t>(row * (call.steps + 1) + call.steps)] < call.rows.tokens,
                   "one more is drawn");
  }
}

/// Tokens that the draft cannot have drawn, and steps without any probability, by the limits of the contract.
void limits_are_as_documented(Probe& probe) {
  const float no = minus_infinity;
  const auto verify = [&](const std::vector<float>& target, const std::vector<float>& draft,
                          std::int32_t token) {
    HostArguments arguments;
    arguments.inputs.emplace("target_logits", in_steps(target, 3, 2));
    arguments.inputs.emplace("draft_logits", in_steps(draft, 3, 1));
    arguments.inputs.emplace("draft_tokens", Tensor::from<std::int32_t>({token, token, token}, {3, 1}));
    arguments.inputs.emplace("seed", Tensor::from<std::int64_t>({1, 2, 3}, {3}));
    arguments.inputs.emplace("position", Tensor::from<std::int64_t>({0, 0, 0}, {3}));
    return probe.run(operation, arguments);
  };
  const auto expect = [&](const std::map<std::string, Tensor>& outputs, std::int32_t accepted,
                          std::vector<std::int32_t> tokens, const char* what) {
    for (std::size_t row = 0; row < 3; ++row) {
      probe.expect(outputs.at("accepted").as<std::int32_t>()[row] == accepted, what);
      for (std::size_t at = 0; at < 2; ++at)
        probe.expect(outputs.at("tokens").as<std::int32_t>()[2 * row + at] == tokens[at], what);
    }
  };
  expect(verify({no, 0, no}, {0, no, no}, 1), 1, {1, 1}, "q = 0 and p > 0: taken");
  expect(verify({no, 0, no}, {0, no, no}, 2), 0, {1, -1}, "q = 0 and p = 0: not taken");
  expect(verify({no, 0, no}, {no, 0, no}, 2), 0, {1, -1}, "p = q and a token of neither: drawn from p");
  expect(verify({no, no, 5}, {no, no, no}, 2), 0, {2, -1}, "a draft without any: drawn from p");
  expect(verify({no, no, no}, {0, 0, 0}, 1), 0, {-1, -1}, "a target without any: none");
  expect(verify({0, -40, no}, {no, 0, no}, 1), 0, {0, -1}, "40 below the maximum weighs nothing");
  expect(verify({std::nanf(""), -0.0F, no}, {no, 0, no}, 1), 1, {1, 1}, "NaN is -Inf, -0 is 0");
  const float infinity = std::numeric_limits<float>::infinity();
  expect(verify({infinity, 7, no}, {no, 0, 0}, 1), 0, {0, -1}, "+Inf has it all");
}

/// A row of which fewer tokens were drafted is one of fewer steps.
void a_length_cuts_the_draft(Probe& probe) {
  Call call = draw();
  call.lengths = false;
  const HostArguments whole = call.arguments();
  const std::int64_t length = *integers(0, call.steps, "length");
  HostArguments cut = whole.clone();
  cut.inputs.emplace("drafted", per_row<std::int32_t>(call.calls, [&](std::int64_t) {
                       return static_cast<std::int32_t>(length);
                     }));
  const auto all = probe.run(operation, whole), some = probe.run(operation, cut);
  for (std::int64_t row = 0; row < call.calls; ++row) {
    const auto of_row = static_cast<std::size_t>(row);
    const std::int32_t accepted = some.at("accepted").as<std::int32_t>()[of_row];
    probe.expect(accepted == std::min<std::int64_t>(length, all.at("accepted").as<std::int32_t>()[of_row]),
                 "as many are taken as before, up to the length");
    for (std::int64_t step = 0; step <= call.steps; ++step) {
      const auto at = static_cast<std::size_t>(row * (call.steps + 1) + step);
      const std::int32_t token = some.at("tokens").as<std::int32_t>()[at];
      if (step < accepted || (step == accepted && accepted < length))
        probe.expect(token == all.at("tokens").as<std::int32_t>()[at], "the same tokens come out");
      if (step > accepted) probe.expect(token == -1, "nothing comes after the one drawn");
    }
  }
}

void refuses_bad_arguments(Probe& probe) {
  const Call sound = call_of(rows_of(RowKind::normal, 1, 9, 1, 1), 2, 3, Kin::near);
  const auto with = [&](const char* name, Tensor tensor) {
    HostArguments changed = sound.arguments();
    changed.inputs.erase(name);
    changed.inputs.emplace(name, std::move(tensor));
    return changed;
  };
  const auto value = RefusalOf::value;
  expect_refused(probe, operation,
                 with("draft_tokens", Tensor::from<std::int32_t>({0, 1, 2, 3, 9, 5}, {2, 3})), "draft_tokens",
                 "an id beyond the last", value);
  expect_refused(probe, operation,
                 with("draft_tokens", Tensor::from<std::int32_t>({0, 1, -1, 3, 4, 5}, {2, 3})),
                 "draft_tokens", "an id below 0", value);
  expect_refused(probe, operation, with("drafted", Tensor::from<std::int32_t>({3, 4}, {2})), "drafted",
                 "more than were drafted", value);
  expect_refused(probe, operation, with("drafted", Tensor::from<std::int32_t>({-1, 3}, {2})), "drafted",
                 "a length below 0", value);
  expect_refused(probe, operation, with("target_logits", Tensor(DType::f32, {2, 3, 9})), "target_logits",
                 "no step for the extra token");
  expect_refused(probe, operation, with("target_logits", Tensor(DType::f16, {2, 4, 9})), "draft_logits",
                 "two types of logits");
  expect_refused(probe, operation, with("draft_logits", Tensor(DType::f32, {2, 27})), "draft_logits",
                 "a matrix");
  expect_refused(probe, operation, with("draft_tokens", Tensor::from<std::int32_t>({0, 1}, {2, 1})),
                 "draft_tokens", "a token a row");
  expect_refused(probe, operation, with("seed", Tensor::from<std::int64_t>({1}, {1})), "seed",
                 "a seed too few");
}

}  // namespace

void describe_speculative_verify(Suite& suite) {
  suite.calls([] { return draw().arguments(); });
  suite.property(
      {"matches_reference", "Tokens and how many were taken are the reference's.", matches_reference, 400});
  suite.property({"matches_reference_across_blocks", "The same on 1,030 to 300,000 tokens and many rows.",
                  matches_reference_across_blocks, 1});
  add_distribution_properties(suite);
  suite.property({"equal_distributions_take_all", "Where p = q every draft token is taken.",
                  equal_distributions_take_all, 100});
  suite.property({"limits_are_as_documented",
                  "Impossible draft tokens, rows without a probability, NaN, infinities.",
                  limits_are_as_documented, 1});
  suite.property({"a_length_cuts_the_draft", "Of fewer drafted tokens come the same, up to there.",
                  a_length_cuts_the_draft, 100});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "Ids and lengths out of range, shapes and types that do not fit together.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation,
                                   call_of(rows_of(RowKind::ladder, 1, 4, 1, 1), 1, 1, Kin::same).arguments(),
                                   "seed", "a sound call");
                  }});
  const auto fault = [&](const char* id, const char* fault_class, const char* what,
                         Backend backend = Backend::cpu) {
    suite.mutant({std::string("sampling.speculative_verify.") + id, fault_class, what, backend});
  };
  fault("always_taken", "missing condition", "a draft token is taken wherever p > 0");
  fault("ratio_inverted", "swapped operands", "a draft token is taken with probability q / p");
  fault("totals_left_out", "wrong scale", "weights are compared without their totals");
  fault("counter_reused", "reused seed", "all steps of a row are by the same bits");
  fault("stream_reused", "reused seed", "the draw is by the bits that decided on the draft token");
  fault("target_for_residual", "wrong formula", "after a rejection the draw is from p");
  fault("residual_of_both", "wrong sign", "the residual is |p - q|");
  fault("stale_bonus", "off by one", "the extra token is drawn from the step before");
  fault("rejected_kept", "missing condition", "draft tokens after the rejection are put out");
  fault("length_ignored", "missing condition", "all draft tokens count whatever the row's length");
  fault("cuda_ratio_inverted", "swapped operands", "a draft token is taken with probability q / p",
        Backend::cuda);
  fault("cuda_totals_left_out", "wrong scale", "weights are compared without their totals", Backend::cuda);
  fault("cuda_counter_reused", "reused seed", "all steps of a row are by the same bits", Backend::cuda);
  fault("cuda_stream_reused", "reused seed", "the draw is by the bits that decided on the draft token",
        Backend::cuda);
  fault("cuda_target_for_residual", "wrong formula", "after a rejection the draw is from p", Backend::cuda);
  fault("cuda_upper_half_lost", "lost part", "sums over warps lose their upper 64 bits", Backend::cuda);
  fault("cuda_stale_bonus", "off by one", "the extra token is drawn from the step before", Backend::cuda);
  fault("cuda_rejected_kept", "missing condition", "draft tokens after the rejection are put out",
        Backend::cuda);
  fault("cuda_length_ignored", "missing condition", "all draft tokens count whatever the row's length",
        Backend::cuda);
  fault("cuda_ids_unchecked", "missing condition", "draft tokens that are none are looked up", Backend::cuda);
}

}  // namespace assay::validation::sampling
