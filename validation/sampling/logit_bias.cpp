#include <cstring>
#include <limits>

#include "validation/filters/properties.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"

namespace assay::validation::sampling {

namespace {

using namespace filters;
constexpr const char* operation = "sampling.logit_bias";
constexpr float infinity = std::numeric_limits<float>::infinity();

bool same_bits(float a, float b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

/// Token by token: the biases of its id one after the other, each sum rounded to float.
void adds_the_biases(Probe& probe, const Call& call, const HostArguments& arguments,
                     const TensorMap& outputs) {
  const auto rows = rows_in(arguments);
  const auto adjusted = floats_of(outputs.at("adjusted"));
  const auto ids = arguments.inputs.at("bias_ids").as<std::int32_t>();
  const auto biases = arguments.inputs.at("biases").as<float>();
  const auto count = static_cast<std::size_t>(arguments.inputs.at("biases").shape()[1]);
  const auto tokens = static_cast<std::size_t>(call.rows.tokens);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t id = 0; id < tokens; ++id) {
      float expected = rows[row].allowed[id] ? rows[row].logits[id] : -infinity;
      for (std::size_t i = row * count; i < (row + 1) * count; ++i) {
        if (ids[i] != static_cast<std::int32_t>(id) || !rows[row].allowed[id]) continue;
        const volatile float sum = expected + biases[i];
        expected = sum == sum ? sum + 0.0F : -infinity;
      }
      probe.expect(same_bits(adjusted[row * tokens + id], expected),
                   "a logit with its biases, and what has none stays bit for bit");
    }
}

/// A bias of -Inf forbids a token, as a mask does.
void minus_infinity_forbids(Probe& probe) {
  Call call = draw(operation);
  call.rows.masked = false;
  const std::int64_t n = call.rows.rows, v = call.rows.tokens;
  const std::int64_t id = *integers(0, v - 1, "id");
  HostArguments arguments = call.arguments();
  arguments = with_input(
      arguments, "bias_ids",
      Tensor::from<std::int32_t>(
          std::vector<std::int32_t>(static_cast<std::size_t>(n), static_cast<std::int32_t>(id)), {n, 1}));
  arguments =
      with_input(arguments, "biases",
                 Tensor::from<float>(std::vector<float>(static_cast<std::size_t>(n), -infinity), {n, 1}));
  const auto by_bias = probe.run(operation, arguments);
  // The same by a mask, with a bias of 0.
  const auto words = static_cast<std::size_t>((v + 31) / 32);
  std::vector<std::uint32_t> mask(static_cast<std::size_t>(n) * words, 0xFFFFFFFFu);
  for (std::size_t row = 0; row < static_cast<std::size_t>(n); ++row)
    mask[row * words + static_cast<std::size_t>(id / 32)] &= ~(1u << (id % 32));
  HostArguments masked =
      with_input(arguments, "mask", Tensor::from<std::uint32_t>(mask, {n, static_cast<std::int64_t>(words)}));
  masked = with_input(masked, "biases",
                      Tensor::from<float>(std::vector<float>(static_cast<std::size_t>(n), 0.0F), {n, 1}));
  probe.expect_equal("adjusted", by_bias.at("adjusted"), probe.run(operation, masked).at("adjusted"));
}

void refuses_bad_arguments(Probe& probe) {
  Call sound;
  sound.operation = operation;
  sound.rows = rows_of(logits::RowKind::normal, 2, 9, 1, 1);
  const HostArguments arguments = sound.arguments();
  const HostArguments one = with_input(arguments, "bias_ids", Tensor::from<std::int32_t>({0, 8}, {2, 1}));
  expect_refused(probe, operation, one, "biases", "more biases than ids");
  const HostArguments two = with_input(one, "biases", Tensor::from<float>({0, 1}, {2, 1}));
  expect_refused(probe, operation, with_input(two, "bias_ids", Tensor::from<std::int32_t>({0, 9}, {2, 1})),
                 "bias_ids", "an id beyond the last", RefusalOf::value);
  expect_refused(
      probe, operation,
      with_input(two, "biases", Tensor::from<float>({0, std::numeric_limits<float>::quiet_NaN()}, {2, 1})),
      "biases", "a NaN", RefusalOf::value);
}

}  // namespace

void describe_logit_bias(Suite& suite) {
  add_reference_properties(suite);
  add_look(suite, {"adds_the_biases", "Each token's logit and its biases, and nothing else changes.",
                   adds_the_biases, [](TensorMap& outputs) {
                     change_floats(outputs.at("adjusted"), [](auto) { return 1e30F; });
                   }});
  suite.property(
      {"minus_infinity_forbids", "A bias of -Inf does what a mask does.", minus_infinity_forbids, 100});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "NaN, ids beyond the vocabulary, shapes that differ.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation, draw(operation).arguments(), "biases", "a sound call");
                  }});
  add_fault(suite, "of_the_first_row", "wrong index", "all rows have the biases of the first");
  add_fault(suite, "last_lost", "unhandled tail", "the last bias of a row is not added");
  add_fault(suite, "twice", "applied twice", "biases are added twice");
  add_fault(suite, "cuda_once", "lost", "of biases of one token the first alone is added", Backend::cuda);
  add_fault(suite, "cuda_twice", "applied twice", "biases are added twice", Backend::cuda);
}

}  // namespace assay::validation::sampling
