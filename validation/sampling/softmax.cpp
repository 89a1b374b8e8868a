#include <cmath>
#include <limits>

#include "engine/runtime/philox.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"
#include "validation/logits/distributions.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"

namespace assay::validation::sampling {

namespace {

using namespace logits;
constexpr const char* operation = "sampling.softmax";

HostArguments arguments_of(const Rows& rows) {
  HostArguments made;
  rows.add_to(made);
  return made;
}

HostArguments arguments_of(Tensor logits) {
  HostArguments made;
  made.inputs.emplace("logits", std::move(logits));
  return made;
}

/// What the contract allows of a probability, relative to it; 2^-149 comes on top.
double relative_bound(std::int64_t tokens) {
  return static_cast<double>(tokens) * 0x1p-45 + 2e-13 + 0x1p-24;
}

void matches_reference(Probe& probe) {
  const Rows rows = logits::draw();
  const Placement logits{*integers(0, 3, "elements off the alignment"),
                         *integers(0, 5, "elements between rows")};
  const Placement out{.offset = *integers(0, 3, "elements that the output is off the alignment")};
  probe.expect_reference(operation, arguments_of(rows), {{"logits", logits}, {"probabilities", out}});
}

void matches_reference_across_blocks(Probe& probe) {
  for (const Rows& rows : rows_across_blocks(probe.seed()))
    probe.expect_reference(operation, arguments_of(rows));
}

/// Each is off by its bound at most, so their sum is off 1 by the sum of those; in double, whose own rounding
/// of n terms is below n 2^-53.
void rows_sum_to_one(Probe& probe) {
  const Rows rows = logits::draw();
  const auto outputs = probe.run(operation, arguments_of(rows));
  const auto p = floats_of(outputs.at("probabilities"));
  const auto n = static_cast<double>(rows.tokens);
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    double sum = 0;
    bool legal = true;
    for (std::int64_t id = 0; id < rows.tokens; ++id) {
      const float each = p[static_cast<std::size_t>(row * rows.tokens + id)];
      legal = legal && each >= 0 && each <= 1;
      sum += each;
    }
    probe.expect(legal, "probabilities are from 0 to 1");
    if (sum == 0) continue;  // matches_reference says where
    probe.expect_within("a row's sum less 1", sum - 1,
                        relative_bound(rows.tokens) + n * (0x1p-149 + 0x1p-53));
  }
}

void rows_sum_to_two(Probe& probe) {
  const auto outputs = probe.run(operation, arguments_of(repeated(zipf(40), 2)));
  double sum = 0;  // of both rows
  for (const float each : floats_of(outputs.at("probabilities"))) sum += each;
  probe.expect_within("a row's sum less 1", sum - 1, relative_bound(40) + 40 * (0x1p-149 + 0x1p-53));
}

/// Two tokens, one of them d below: 1 / (1 + exp(d)), down to the smallest subnormal.
void tokens_far_below_have_their_share(Probe& probe) {
  for (const double distance :
       {1.0, 20.0, 31.5, 32.0, 33.0, 40.0, 64.5, 80.0, 87.0, 90.0, 100.0, 103.0, 104.5, 750.0}) {
    const auto outputs =
        probe.run(operation, arguments_of(Tensor::from<float>({static_cast<float>(-distance), 0}, {1, 2})));
    const auto p = floats_of(outputs.at("probabilities"));
    const double exact = 1 / (1 + std::exp(distance));
    probe.expect_within("the share of what lies far below", p[0] - exact,
                        relative_bound(2) * exact + 0x1p-149);
    probe.expect_within("the share of the other", p[1] - (1 - exact), relative_bound(2));
    if (distance <= 103) probe.expect(p[0] > 0, "is not 0");
  }
}

/// What a mask forbids does not exist: the others have the bits that they have alone.
void forbidden_tokens_do_not_exist(Probe& probe) {
  Rows rows = logits::draw();
  rows.masked = true;
  rows.type = DType::f32;
  const HostArguments arguments = arguments_of(rows);
  const auto outputs = probe.run(operation, arguments);
  const auto p = floats_of(outputs.at("probabilities"));
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    std::vector<float> left, shares;
    for (std::int64_t id = 0; id < rows.tokens; ++id) {
      const auto at = static_cast<std::size_t>(row * rows.tokens + id);
      const float share = p[at];
      if (!allows(arguments, row, id)) {
        probe.expect(share == 0, "what is forbidden has no probability");
        continue;
      }
      left.push_back(arguments.inputs.at("logits").as<float>()[at]);
      shares.push_back(share);
    }
    if (left.empty()) continue;
    const Shape shape{1, std::ssize(left)};
    const auto alone = probe.run(operation, arguments_of(Tensor::from<float>(left, shape)));
    probe.expect_equal("what is allowed, with the rest and alone", Tensor::from<float>(shares, shape),
                       Tensor::from<float>(floats_of(alone.at("probabilities")), shape));
  }
}

/// Whole numbers and whole shifts are exact in float: the distances are the same numbers, and so is the rest.
void adding_a_constant_changes_nothing(Probe& probe) {
  const std::int64_t tokens = *integers(1, 300, "tokens");
  const auto shift = static_cast<float>(*integers(-1'000'000, 1'000'000, "shift"));
  const auto seed = static_cast<std::uint64_t>(*integers(0, std::int64_t{1} << 40, "seed"));
  std::vector<float> values, shifted;
  Philox random(seed);
  for (std::int64_t i = 0; i < 2 * tokens; ++i) {
    values.push_back(static_cast<float>(random.below(60)));
    shifted.push_back(values.back() + shift);
  }
  const auto plain = probe.run(operation, arguments_of(Tensor::from<float>(values, {2, tokens})));
  const auto moved = probe.run(operation, arguments_of(Tensor::from<float>(shifted, {2, tokens})));
  probe.expect_equal("probabilities with and without the shift", plain.at("probabilities"),
                     moved.at("probabilities"));
}

/// n equal tokens weigh n 2^45 exactly: 1 / n, rounded once, whatever they are equal to.
void equal_tokens_share_alike(Probe& probe) {
  const std::int64_t tokens = *integers(1, 3'000, "tokens");
  const float infinity = std::numeric_limits<float>::infinity();
  const float value = *rc::gen::element(0.0F, -7.5F, 3e38F, infinity);
  const auto outputs = probe.run(
      operation, arguments_of(repeated(std::vector<float>(static_cast<std::size_t>(tokens), value), 1)));
  // 1.0 / n is rounded to double first, as in the body.
  const auto share = static_cast<float>(1.0 / static_cast<double>(tokens));
  for (const float each : floats_of(outputs.at("probabilities")))
    probe.expect(each == share, "a share of one in " + std::to_string(tokens));
}

void refuses_bad_arguments(Probe& probe) {
  expect_refused(probe, operation, arguments_of(Tensor::from<float>({1, 2}, {2})), "logits", "a vector");
  expect_refused(probe, operation, arguments_of(Tensor(DType::f32, {2, 0})), "logits", "no tokens");
  expect_refused(probe, operation, arguments_of(Tensor(DType::i32, {2, 2})), "logits", "integers");
  HostArguments masked = arguments_of(Tensor::from<float>({1, 2}, {1, 2}));
  masked.inputs.emplace("mask", Tensor::from<std::uint32_t>({1, 2}, {2, 1}));
  expect_refused(probe, operation, masked, "mask", "a mask of two rows");
}

}  // namespace

void describe_softmax(Suite& suite) {
  suite.calls([] { return arguments_of(logits::draw()); });
  suite.property({"matches_reference", "Every probability within its bound, rows side by side or apart.",
                  matches_reference, 400});
  suite.property({"matches_reference_across_blocks", "The same on 1,025 to 300,000 tokens and many rows.",
                  matches_reference_across_blocks, 1});
  suite.property({.name = "rows_sum_to_one",
                  .summary = "A row's probabilities add up to 1, within the sum of their bounds.",
                  .body = rows_sum_to_one,
                  .cases = 200,
                  .negative_control = rows_sum_to_two});
  suite.property({"tokens_far_below_have_their_share", "Distances up to 103 give what exp gives, and not 0.",
                  tokens_far_below_have_their_share, 1});
  suite.property({"forbidden_tokens_do_not_exist", "A row under a mask has the bits of what is left of it.",
                  forbidden_tokens_do_not_exist, 100});
  suite.property({"adding_a_constant_changes_nothing", "Whole logits and a whole shift: the same bits.",
                  adding_a_constant_changes_nothing, 100});
  suite.property({"equal_tokens_share_alike", "n equal tokens have 1 / n each, +Inf among them.",
                  equal_tokens_share_alike, 60});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "Shapes, types and masks that are none.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation, arguments_of(repeated(zipf(4), 1)), "logits",
                                   "a sound call");
                  }});
  const auto fault = [&](const char* id, const char* fault_class, const char* what,
                         Backend backend = Backend::cpu) {
    suite.mutant({std::string("sampling.softmax.") + id, fault_class, what, backend});
  };
  fault("single_precision_total", "low precision", "the sum of weights is rounded to float");
  fault("total_of_maximum", "missing term", "probabilities are relative to the most likely token");
  fault("weight_for_share", "wrong formula", "a probability is the weight over the total: 0 far below");
  fault("uniform_of_nothing", "missing condition", "a row of -Inf gives equal probabilities");
  fault("mask_ignored", "missing mask", "tokens that the mask forbids have a probability");
  fault("infinity_unshared", "missing condition", "of tokens at +Inf only the first has a probability");
  fault("cuda_single_precision_total", "low precision", "the sum of weights is rounded to float",
        Backend::cuda);
  fault("cuda_total_of_maximum", "missing term", "probabilities are relative to the most likely token",
        Backend::cuda);
  fault("cuda_weight_for_share", "wrong formula", "a probability is the weight over the total: 0 far below",
        Backend::cuda);
  fault("cuda_lost_warp", "lost tile", "the second warp's weights are not in the sum", Backend::cuda);
  fault("cuda_forbidden_not_written", "missing condition", "forbidden tokens are left as they were",
        Backend::cuda);
  fault("cuda_mask_ignored", "missing mask", "tokens that the mask forbids have a probability",
        Backend::cuda);
}

}  // namespace assay::validation::sampling
