#include <algorithm>
#include <cmath>
#include <limits>

#include "validation/filters/properties.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"

namespace assay::validation::sampling {

namespace {

using namespace filters;
constexpr const char* operation = "sampling.nucleus_filtering";

/// The probabilities of a row sum to 1. They are w_i / W, whose exact sum is 1: conversions, division and the
/// rounding to float are off by 2^-24 (1 + 2^-20) of each, and so of the sum; this sum in extended precision
/// adds nothing beside it.
void sums_to_one(Probe& probe, const Call& call, const HostArguments& arguments, const TensorMap& outputs) {
  const auto rows = rows_in(arguments);
  const auto tokens = static_cast<std::size_t>(call.rows.tokens);
  const auto probabilities = floats_of(outputs.at("probabilities"));
  const auto kept = outputs.at("kept").as<std::int32_t>();
  for (std::size_t at = 0; at < rows.size(); ++at) {
    long double sum = 0;
    std::int64_t positive = 0;
    for (std::size_t id = 0; id < tokens; ++id) {
      const float p = probabilities[at * tokens + id];
      probe.expect(p >= 0 && p <= 1, "a probability lies in [0, 1]");
      if (!rows[at].allowed[id]) probe.expect(p == 0, "what the mask forbids has no probability");
      positive += p > 0 ? 1 : 0;
      sum += p;
    }
    probe.expect(positive <= kept[at], "no more tokens have a probability than are kept");
    // A temperature may divide the greatest logit down to -Inf.
    float most = -std::numeric_limits<float>::infinity();
    if (!rows[at].order.empty()) most = rows[at].logits[static_cast<std::size_t>(rows[at].order.front())];
    if (const auto t = arguments.inputs.find("temperature"); t != arguments.inputs.end())
      if (const float by = t->second.as<float>()[at]; by > 0) most /= by;
    const bool none = most == -std::numeric_limits<float>::infinity();
    if (none)
      probe.expect(sum == 0, "nothing has a probability where all is -Inf");
    else
      probe.expect_within("sum of probabilities less 1", static_cast<double>(sum - 1),
                          0x1p-24 * (1 + 0x1p-20));
  }
}

/// The nucleus is what sampling.temperature and sampling.top_p leave, and its probabilities fall as the
/// logits do.
void is_temperature_and_top_p(Probe& probe, const Call& call, const HostArguments& arguments,
                              const TensorMap& outputs) {
  HostArguments cut = arguments.clone();
  if (arguments.inputs.find("temperature") != arguments.inputs.end()) {
    HostArguments divided = arguments.clone();
    divided.inputs.erase("top_p");
    divided.parameters.clear();
    cut =
        with_input(arguments, "logits", as_floats(probe.run("sampling.temperature", divided).at("adjusted")));
    cut.inputs.erase("temperature");
  }
  const auto filtered = probe.run("sampling.top_p", cut);
  probe.expect_equal("kept", filtered.at("kept"), outputs.at("kept"));
  const auto left = left_in(filtered);
  const auto rows = rows_in(cut);
  const auto tokens = static_cast<std::size_t>(call.rows.tokens);
  const auto probabilities = floats_of(outputs.at("probabilities"));
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const float* const p = probabilities.data() + at * tokens;
    float most = -std::numeric_limits<float>::infinity();
    if (!rows[at].order.empty()) most = rows[at].logits[static_cast<std::size_t>(rows[at].order.front())];
    for (std::size_t id = 0; id < tokens; ++id) {
      if (!left[at].left[id]) probe.expect(p[id] == 0, "what is not in the nucleus has no probability");
      // 20 below the maximum is far above 2^-46 of it.
      if (left[at].left[id] && std::isfinite(most) && rows[at].logits[id] > most - 20)
        probe.expect(p[id] > 0, "what is in the nucleus has a probability");
    }
    for (std::size_t place = 1; place < rows[at].order.size(); ++place) {
      const auto above = static_cast<std::size_t>(rows[at].order[place - 1]),
                 below = static_cast<std::size_t>(rows[at].order[place]);
      probe.expect(p[above] >= p[below], "probabilities fall as the logits do");
      if (left[at].left[below] && rows[at].logits[above] == rows[at].logits[below])
        probe.expect(p[above] == p[below], "equal logits have equal probabilities");
    }
  }
}

/// Of v equal tokens those kept have 1 / kept each, rounded once.
void equal_tokens_share(Probe& probe) {
  const std::int64_t v = *integers(1, 2000, "equal tokens");
  const std::int64_t wanted = *integers(1, v, "tokens to keep");
  HostArguments arguments;
  arguments.inputs.emplace(
      "logits", Tensor::from<float>(std::vector<float>(static_cast<std::size_t>(v), 7.5F), {1, v}));
  arguments.inputs.emplace(
      "top_p", Tensor::from<double>({(static_cast<double>(wanted) - 0.5) / static_cast<double>(v)}, {1}));
  arguments.inputs.emplace("temperature", Tensor::from<float>({0.3F}, {1}));
  const auto outputs = probe.run(operation, arguments);
  probe.expect(outputs.at("kept").as<std::int32_t>()[0] == wanted, "so many are kept");
  const auto expected = static_cast<float>(1.0 / static_cast<double>(wanted));
  const auto probabilities = floats_of(outputs.at("probabilities"));
  for (std::int64_t id = 0; id < v; ++id)
    probe.expect(probabilities[static_cast<std::size_t>(id)] == (id < wanted ? expected : 0.0F),
                 "the first have equal shares, the others none");
}

void refuses_bad_arguments(Probe& probe) {
  Call sound;
  sound.operation = operation;
  sound.rows = rows_of(logits::RowKind::normal, 2, 9, 1, 1);
  const HostArguments arguments = sound.arguments();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_refused(probe, operation, with_input(arguments, "top_p", Tensor::from<double>({0.5, nan}, {2})),
                 "top_p", "a NaN", RefusalOf::value);
  expect_refused(probe, operation,
                 with_input(arguments, "temperature", Tensor::from<float>({1, static_cast<float>(nan)}, {2})),
                 "temperature", "a NaN", RefusalOf::value);
  HostArguments missing = arguments.clone();
  missing.inputs.erase("top_p");
  expect_refused(probe, operation, missing, "top_p", "no p");
}

}  // namespace

void describe_nucleus_filtering(Suite& suite) {
  add_reference_properties(suite);
  add_look(suite, {"sums_to_one", "Probabilities of a row sum to 1, within a rounding each.", sums_to_one,
                   [](TensorMap& outputs) {
                     change_floats(outputs.at("probabilities"), [](auto p) { return 2 * p + 0x1p-20F; });
                   }});
  add_look(suite, {"is_temperature_and_top_p",
                   "The nucleus is what temperature and top_p leave; probabilities fall as the logits do.",
                   is_temperature_and_top_p,
                   [](TensorMap& outputs) { outputs.at("kept").as<std::int32_t>()[0] += 1; }});
  suite.property(
      {"equal_tokens_share", "Of equal tokens those kept have 1 / kept each.", equal_tokens_share, 100});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "NaN, a missing p.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation, draw(operation).arguments(), "top_p", "a sound call");
                  }});
  add_fault(suite, "cut_before_temperature", "wrong order",
            "the nucleus is cut before the temperature is applied");
  add_fault(suite, "relative_to_maximum", "wrong denominator",
            "probabilities are relative to the most likely token's");
  add_fault(suite, "single_precision_sum", "low precision", "the weights are added up in float");
  add_fault(suite, "by_position", "wrong index", "probabilities stand at the place among what is left");
  add_fault(suite, "cuda_cut_before_temperature", "wrong order",
            "the nucleus is cut before the temperature is applied", Backend::cuda);
  add_fault(suite, "cuda_exclusive_sum", "off by one", "the token that crosses p is dropped", Backend::cuda);
  add_fault(suite, "cuda_single_precision_weight", "low precision", "the exponential is taken in float",
            Backend::cuda);
}

}  // namespace assay::validation::sampling
