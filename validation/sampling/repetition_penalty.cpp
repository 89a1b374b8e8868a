#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "validation/filters/properties.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"

namespace assay::validation::sampling {

namespace {

using namespace filters;
constexpr const char* operation = "sampling.repetition_penalty";
constexpr float infinity = std::numeric_limits<float>::infinity();

/// The ids of a row that count: the last last_n of `previous`.
std::set<std::int32_t> seen_in(const HostArguments& arguments, std::size_t row) {
  const Tensor& previous = arguments.inputs.at("previous");
  const auto length = static_cast<std::size_t>(previous.shape()[1]);
  const auto ids = previous.as<std::int32_t>().subspan(row * length, length);
  auto count = static_cast<std::int64_t>(length);
  if (const auto last = arguments.inputs.find("last_n"); last != arguments.inputs.end())
    count = std::clamp<std::int64_t>(last->second.as<std::int32_t>()[row], 0, count);
  return {ids.end() - count, ids.end()};
}

bool same_bits(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

void leaves_what_was_not_seen(Probe& probe, const Call& call, const HostArguments& arguments,
                              const TensorMap& outputs) {
  const auto rows = rows_in(arguments);
  const auto adjusted = floats_of(outputs.at("adjusted"));
  const auto tokens = static_cast<std::size_t>(call.rows.tokens);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto seen = seen_in(arguments, row);
    for (std::size_t id = 0; id < tokens; ++id) {
      const float value = adjusted[row * tokens + id];
      if (!rows[row].allowed[id])
        probe.expect(same_bits(value, -infinity), "what the mask forbids is -Inf");
      else if (seen.find(static_cast<std::int32_t>(id)) == seen.end())
        probe.expect(same_bits(value, rows[row].logits[id]), "what was not seen stays, bit for bit");
    }
  }
}

/// A penalty above 1 and positive presence and frequency lower every finite logit that was seen.
void lowers_what_was_seen(Probe& probe) {
  Call call = draw(operation);
  call.left_out = 0;
  const std::int64_t n = call.rows.rows;
  HostArguments arguments = call.arguments();
  const auto same = [&](float value) {
    return logits::per_row<float>(n, [&](std::int64_t) { return value; });
  };
  arguments = with_input(arguments, "repetition", same(1.25F));
  arguments = with_input(arguments, "presence", same(0.5F));
  arguments = with_input(arguments, "frequency", same(0.25F));
  const auto rows = rows_in(arguments);
  const auto outputs = probe.run(operation, arguments);
  const auto adjusted = floats_of(outputs.at("adjusted"));
  const auto tokens = static_cast<std::size_t>(call.rows.tokens);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t id = 0; id < tokens; ++id) {
      const float logit = rows[row].logits[id], value = adjusted[row * tokens + id];
      const auto seen = seen_in(arguments, row);
      if (!rows[row].allowed[id])
        probe.expect(value == -infinity, "what the mask forbids is -Inf");
      else if (seen.find(static_cast<std::int32_t>(id)) == seen.end())
        probe.expect(value == logit, "what was not seen stays");
      else if (std::fabs(logit) < 100)  // 0.75 and more is far above the rounding of such logits
        probe.expect(value < logit, "what was seen is lowered");
      else
        probe.expect(value <= logit, "what was seen is not raised");
    }
}

/// Neutral penalties change nothing, and neither does last_n = 0 whatever they are.
void neutral_penalties_change_nothing(Probe& probe) {
  Call call = draw(operation);
  call.left_out = 0;
  HostArguments arguments = call.arguments();
  const std::int64_t n = call.rows.rows;
  const auto same = [&](float value) {
    return logits::per_row<float>(n, [&](std::int64_t) { return value; });
  };
  if (*integers(0, 1, "neutral by last_n") == 1) {
    arguments = with_input(arguments, "last_n", logits::per_row<std::int32_t>(n, [](std::int64_t row) {
                             return static_cast<std::int32_t>(-row);
                           }));
  } else {
    arguments = with_input(arguments, "repetition", same(1));
    arguments = with_input(arguments, "presence", same(0));
    arguments = with_input(arguments, "frequency", same(0));
  }
  const auto rows = rows_in(arguments);
  const auto outputs = probe.run(operation, arguments);
  const auto adjusted = floats_of(outputs.at("adjusted"));
  const auto tokens = static_cast<std::size_t>(call.rows.tokens);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t id = 0; id < tokens; ++id)
      probe.expect(
          same_bits(adjusted[row * tokens + id], rows[row].allowed[id] ? rows[row].logits[id] : -infinity),
          "nothing changes");
}

/// Neither the order of what was seen counts nor padding among it, where all of it counts.
void order_and_padding_do_not_count(Probe& probe) {
  Call call = draw(operation);
  HostArguments arguments = call.arguments();
  arguments.inputs.erase("last_n");
  const auto straight = probe.run(operation, arguments);
  const Tensor& previous = arguments.inputs.at("previous");
  const std::int64_t n = previous.shape()[0], length = previous.shape()[1];
  std::vector<std::int32_t> turned;
  for (std::int64_t row = 0; row < n; ++row) {
    const auto ids = previous.as<std::int32_t>().subspan(static_cast<std::size_t>(row * length),
                                                         static_cast<std::size_t>(length));
    turned.insert(turned.end(), ids.rbegin(), ids.rend());
    turned.insert(turned.end(), {-1, -7});
  }
  const auto outputs = probe.run(
      operation, with_input(arguments, "previous", Tensor::from<std::int32_t>(turned, {n, length + 2})));
  probe.expect_equal("adjusted", straight.at("adjusted"), outputs.at("adjusted"));
}

void refuses_bad_arguments(Probe& probe) {
  Call sound;
  sound.operation = operation;
  sound.rows = rows_of(logits::RowKind::normal, 2, 9, 1, 1);
  const HostArguments arguments = sound.arguments();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto value = RefusalOf::value;
  for (const float bad : {0.0F, -1.0F, nan, infinity})
    expect_refused(probe, operation, with_input(arguments, "repetition", Tensor::from<float>({1, bad}, {2})),
                   "repetition", "repetition 0, below, NaN or infinite", value);
  for (const float bad : {nan, infinity}) {
    expect_refused(probe, operation, with_input(arguments, "presence", Tensor::from<float>({bad, 0}, {2})),
                   "presence", "presence not finite", value);
    expect_refused(probe, operation, with_input(arguments, "frequency", Tensor::from<float>({bad, 0}, {2})),
                   "frequency", "frequency not finite", value);
  }
  expect_refused(probe, operation,
                 with_input(arguments, "previous", Tensor::from<std::int32_t>({1, 9}, {2, 1})), "previous",
                 "an id beyond the last", value);
  expect_refused(probe, operation, with_input(arguments, "previous", Tensor::from<std::int32_t>({1}, {1, 1})),
                 "previous", "a row too few");
  HostArguments missing = arguments.clone();
  missing.inputs.erase("previous");
  expect_refused(probe, operation, missing, "previous", "no past");
}

}  // namespace

void describe_repetition_penalty(Suite& suite) {
  add_reference_properties(suite);
  add_look(suite, {"leaves_what_was_not_seen", "Logits of tokens that were not seen stay, bit for bit.",
                   leaves_what_was_not_seen, [](TensorMap& outputs) {
                     change_floats(outputs.at("adjusted"), [](auto) { return 1e30F; });
                   }});
  suite.property(
      {"lowers_what_was_seen", "Penalties lower what was seen and nothing else.", lowers_what_was_seen, 200});
  suite.property({"neutral_penalties_change_nothing", "Penalties of 1, 0 and 0, or a last_n of 0 or less.",
                  neutral_penalties_change_nothing, 100});
  suite.property({"order_and_padding_do_not_count", "The past in another order and with more padding.",
                  order_and_padding_do_not_count, 100});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "Penalties out of range, ids beyond the vocabulary, no past.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation, draw(operation).arguments(), "previous", "a sound call");
                  }});
  add_fault(suite, "of_the_first_row", "wrong index", "all rows have the past of the first");
  add_fault(suite, "one_more", "off by one", "last_n + 1 ids count");
  add_fault(suite, "swapped", "swapped arguments", "presence and frequency are exchanged");
  add_fault(suite, "cuda_wrong_sign", "wrong sign", "negative logits are divided by the penalty",
            Backend::cuda);
  add_fault(suite, "cuda_each_time", "applied twice",
            "the penalty is applied once for each time a token was seen", Backend::cuda);
  add_fault(suite, "cuda_frequency_once", "missing factor", "the frequency penalty ignores how often",
            Backend::cuda);
  add_fault(suite, "cuda_last_n_from_the_front", "wrong end", "the oldest ids count instead of the latest",
            Backend::cuda);
  add_fault(suite, "cuda_swapped", "swapped arguments", "presence and frequency are exchanged",
            Backend::cuda);
}

}  // namespace assay::validation::sampling
