#include <cmath>
#include <cstring>
#include <limits>

#include "validation/filters/properties.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"

namespace assay::validation::sampling {

namespace {

using namespace filters;
constexpr const char* operation = "sampling.temperature";
constexpr float infinity = std::numeric_limits<float>::infinity();

Tensor same_for_all(const Call& call, float temperature) {
  return logits::per_row<float>(call.rows.rows, [&](std::int64_t) { return temperature; });
}

void expect_bits(Probe& probe, float got, float expected, const char* what) {
  probe.expect(std::memcmp(&got, &expected, sizeof got) == 0, what);
}

/// Temperature 1 changes nothing, and a power of two what an exponent can hold exactly.
void powers_of_two_are_exact(Probe& probe) {
  const Call call = draw(operation);
  const int power = static_cast<int>(*integers(0, 3, "log2 of the temperature"));
  const HostArguments arguments =
      with_input(call.arguments(), "temperature", same_for_all(call, std::ldexp(1.0F, power)));
  const auto rows = rows_in(arguments);
  const auto adjusted = floats_of(probe.run(operation, arguments).at("adjusted"));
  const auto tokens = static_cast<std::size_t>(call.rows.tokens);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t id = 0; id < tokens; ++id) {
      const float logit = rows[row].logits[id];
      // ldexp rounds to even where a subnormal loses bits, as the division does.
      expect_bits(probe, adjusted[row * tokens + id],
                  rows[row].allowed[id] ? std::ldexp(logit, -power) + 0.0F : -infinity,
                  "logits are scaled exactly, and what the mask forbids is -Inf");
    }
}

/// A greater logit never gets below a smaller one; equal ones stay equal.
void keeps_the_order(Probe& probe, const Call& call, const HostArguments& arguments,
                     const TensorMap& outputs) {
  const auto rows = rows_in(arguments);
  const auto adjusted = floats_of(outputs.at("adjusted"));
  const auto temperature = arguments.inputs.at("temperature").as<float>();
  const auto tokens = static_cast<std::size_t>(call.rows.tokens);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const float* const values = adjusted.data() + row * tokens;
    const auto& order = rows[row].order;
    for (std::size_t place = 1; place < order.size(); ++place) {
      const auto above = static_cast<std::size_t>(order[place - 1]),
                 below = static_cast<std::size_t>(order[place]);
      probe.expect(values[above] >= values[below], "the order of tokens stays");
      if (temperature[row] > 0 && rows[row].logits[above] == rows[row].logits[below])
        probe.expect(values[above] == values[below], "equal logits stay equal");
    }
    for (std::size_t id = 0; id < tokens; ++id) {
      if (!rows[row].allowed[id]) probe.expect(values[id] == -infinity, "what the mask forbids is -Inf");
      if (temperature[row] > 0) continue;
      const bool first = !order.empty() && static_cast<std::size_t>(order.front()) == id;
      probe.expect(values[id] == (first ? rows[row].logits[id] : -infinity),
                   "greedy keeps the first maximum alone");
    }
  }
}

void refuses_bad_arguments(Probe& probe) {
  Call sound;
  sound.operation = operation;
  sound.rows = rows_of(logits::RowKind::normal, 2, 9, 1, 1);
  const HostArguments arguments = sound.arguments();
  for (const float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()})
    expect_refused(probe, operation, with_input(arguments, "temperature", Tensor::from<float>({1, bad}, {2})),
                   "temperature", "not finite", RefusalOf::value);
  expect_refused(probe, operation, with_input(arguments, "temperature", Tensor::from<double>({1, 1}, {2})),
                 "temperature", "another type");
}

}  // namespace

void describe_temperature(Suite& suite) {
  add_reference_properties(suite);
  suite.property({"powers_of_two_are_exact",
                  "Temperatures of 1, 2, 4 and 8 scale exactly; 1 is the identity.", powers_of_two_are_exact,
                  200});
  add_look(suite, {"keeps_the_order", "Tokens keep their order; 0 or less keeps the first maximum alone.",
                   keeps_the_order, [](TensorMap& outputs) {
                     // The first row's first token is greater and smaller than all others at once.
                     change_floats(outputs.at("adjusted"),
                                   [](auto) { return std::numeric_limits<float>::quiet_NaN(); });
                   }});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "Temperatures that are not finite, another type.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation, draw(operation).arguments(), "temperature",
                                   "a sound call");
                  }});
  add_fault(suite, "of_the_first_row", "wrong index", "all rows are divided by the temperature of the first");
  add_fault(suite, "zero_ignored", "missing condition", "temperature 0 changes nothing");
  add_fault(suite, "sign_lost", "wrong sign", "a negative temperature divides by its magnitude");
  add_fault(suite, "cuda_twice", "applied twice", "logits are divided twice", Backend::cuda);
  add_fault(suite, "cuda_greedy_last_maximum", "wrong order", "temperature 0 keeps the last maximum",
            Backend::cuda);
  add_fault(suite, "cuda_mask_ignored", "missing mask", "tokens that the mask forbids keep a logit",
            Backend::cuda);
}

}  // namespace assay::validation::sampling
