#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "engine/comparison.hpp"
#include "engine/runtime/philox.hpp"
#include "validation/chains/call.hpp"
#include "validation/chains/properties.hpp"
#include "validation/generators.hpp"
#include "validation/logits/distributions.hpp"

namespace assay::validation::chains {

namespace {

using namespace logits;

/// One row, once for each of these p, after that temperature.
HostArguments nuclei(const std::vector<float>& logits, float temperature, const std::vector<double>& p) {
  const auto v = static_cast<std::int64_t>(logits.size()), n = static_cast<std::int64_t>(p.size());
  std::vector<float> all;
  for (std::int64_t row = 0; row < n; ++row) all.insert(all.end(), logits.begin(), logits.end());
  HostArguments arguments;
  const auto add = [&](const char* name, Tensor tensor) {
    arguments.inputs.emplace(name, std::move(tensor));
  };
  add("logits", Tensor::from<float>(all, {n, v}));
  add("temperature", per_row<float>(n, [&](std::int64_t) { return temperature; }));
  add("top_p", Tensor::from<double>(p, {n}));
  add("seed", per_row<std::int64_t>(n, [](std::int64_t row) { return row; }));
  add("position", per_row<std::int64_t>(n, [](std::int64_t) { return 0; }));
  arguments.parameters = {{"order", std::string("temperature,top_p")}, {"survivors", true}};
  return arguments;
}

/// p a 10^-10 less and more than what the first tokens of a long row weigh: far closer than single precision
/// can tell, far enough for the integer weights.
void decides_top_p_beyond_single_precision(Probe& probe) {
  Philox random(probe.seed(), 7);
  for (const float temperature : {0.8F, 0.7F, 1.3F, 1.0F}) {
    std::vector<float> logits;
    for (int i = 0; i < 20'011; ++i) logits.push_back(static_cast<float>(3 * random.normal()));
    std::vector<float> order;
    for (const float logit : logits) order.push_back(logit / temperature);
    std::sort(order.begin(), order.end(), std::greater<>());
    std::vector<long double> sums{0};
    for (const float logit : order)
      sums.push_back(sums.back() + std::exp(static_cast<long double>(logit) - order[0]));
    std::vector<double> p;
    std::vector<std::int64_t> expected;
    for (const double share : {0.3, 0.6, 0.9, 0.95}) {
      std::size_t length = 1;
      while (sums[length] < share * sums.back()) ++length;
      const auto met = static_cast<double>(sums[length] / sums.back());
      p.insert(p.end(), {met * (1 - 1e-10), met * (1 + 1e-10)});
      const auto kept = static_cast<std::int64_t>(length);
      expected.insert(expected.end(), {kept, order[length] == order[length - 1] ? kept : kept + 1});
    }
    const auto outputs = probe.run(operation, nuclei(logits, temperature, p));
    const auto kept = outputs.at("kept").as<std::int32_t>();
    for (std::size_t row = 0; row < p.size(); ++row)
      probe.expect(kept[row] == expected[row], "kept " + std::to_string(kept[row]) + " tokens, expected " +
                                                   std::to_string(expected[row]));
  }
}

/// Neighbouring floats that a division makes equal: the first ids are kept, though the others were greater.
void division_makes_ties(Probe& probe) {
  constexpr std::int64_t v = 17'001;
  const float temperature = 1.3F;
  float low = 1.75F + static_cast<float>(*integers(0, 100'000, "number")) * 0x1p-23F;
  while (low / temperature != std::nextafter(low, 2.0F) / temperature) low = std::nextafter(low, 2.0F);
  const float high = std::nextafter(low, 2.0F);
  Philox random(static_cast<std::uint64_t>(*integers(0, 1'000'000, "seed")));
  std::vector<float> logits;
  for (std::int64_t i = 0; i < v; ++i) logits.push_back(random.below(20) == 0 ? high : low);
  HostArguments arguments = nuclei(logits, temperature, {0.01, 0.03});
  for (const char* const step : {"top_k", "top_p"}) {
    arguments.parameters["order"] = std::string("temperature,") + step;
    arguments.inputs.erase("top_k");
    arguments.inputs.emplace("top_k", Tensor::from<std::int32_t>({50, 200}, {2}));
    probe.expect_reference(operation, arguments);
  }
}

/// The greatest token, wherever it stands in a long row, is the one that is kept.
void looks_at_all_of_a_long_row(Probe& probe) {
  const std::int64_t v = 16'384 + *integers(0, 200, "tokens beyond 16,384");
  const std::int64_t at = *integers(0, 1, "end of the row") == 0 ? v - 1 - *integers(0, 70, "from the end")
                                                                 : *integers(0, 70, "from the start");
  Philox random(static_cast<std::uint64_t>(v), static_cast<std::uint64_t>(at));
  std::vector<float> logits;
  for (std::int64_t i = 0; i < v; ++i) logits.push_back(static_cast<float>(random.normal()));
  logits[static_cast<std::size_t>(at)] = 30;
  HostArguments arguments = nuclei(logits, 0.9F, {0.5, 0.9});
  arguments.inputs.emplace("top_k", Tensor::from<std::int32_t>({1, 1}, {2}));
  for (const char* const order : {"temperature,top_p", "top_p", "temperature,top_k", "top_k"}) {
    arguments.parameters["order"] = std::string(order);
    const auto outputs = probe.run(operation, arguments);
    for (std::size_t row = 0; row < 2; ++row) {
      probe.expect(outputs.at("kept").as<std::int32_t>()[row] == 1, "one token is kept");
      probe.expect(outputs.at("token").as<std::int32_t>()[row] == at, "it is the greatest");
    }
  }
}

/// Read off the outputs alone: the survivors are a prefix of the order, by falling logit and rising id.
void keeps_a_prefix_of_the_order(Probe& probe) {
  Call call = draw();
  call.order = {static_cast<int>(*integers(3, 5, "step (top_k, top_p, min_p)"))};
  const HostArguments arguments = call.arguments();
  const auto outputs = probe.run(operation, arguments);
  const auto bits = outputs.at("left").as<std::uint32_t>();
  const auto kept = outputs.at("kept").as<std::int32_t>();
  const auto values = to_doubles(arguments.inputs.at("logits").view());  // as the type holds them
  const std::int64_t v = call.rows.tokens, words = (v + 31) / 32;
  for (std::int64_t row = 0; row < call.rows.rows; ++row) {
    const auto allowed = [&](std::int64_t id) {
      if (!call.rows.masked) return true;
      const auto mask = arguments.inputs.at("mask").as<std::uint32_t>();
      return (mask[static_cast<std::size_t>(row * words + id / 32)] >> (id % 32) & 1u) != 0;
    };
    const auto left = [&](std::int64_t id) {
      return (bits[static_cast<std::size_t>(row * words + id / 32)] >> (id % 32) & 1u) != 0;
    };
    std::vector<std::int64_t> order;
    for (std::int64_t id = 0; id < v; ++id)
      if (allowed(id)) order.push_back(id);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      const auto value = [&](std::int64_t id) {
        const double held = values[static_cast<std::size_t>(row * v + id)];
        return std::isnan(held) ? -std::numeric_limits<double>::infinity() : held;
      };
      return value(a) > value(b);
    });
    const auto count = kept[static_cast<std::size_t>(row)];
    for (std::size_t place = 0; place < order.size(); ++place)
      probe.expect(left(order[place]) == (static_cast<std::int64_t>(place) < count),
                   "the survivors are the first of the order");
    for (std::int64_t id = 0; id < v; ++id)
      if (!allowed(id)) probe.expect(!left(id), "what the mask forbids is not left");
  }
}

/// top_p of everything but the last token loses that one alone, and mass falls on both sides of the cut.
void top_p_cuts_at_the_token_that_crosses(Probe& probe) {
  const std::int64_t v = *integers(2, 200, "equal tokens");
  const std::int64_t wanted = *integers(1, v, "tokens to keep");
  HostArguments arguments;
  arguments.inputs.emplace(
      "logits", Tensor::from<float>(std::vector<float>(static_cast<std::size_t>(2 * v), 1.5F), {2, v}));
  // Each token has mass 1/v: between (wanted - 1) / v and wanted / v the token number `wanted` crosses.
  const double below = (static_cast<double>(wanted) - 1) / static_cast<double>(v);
  const double above = (static_cast<double>(wanted) - 0.5) / static_cast<double>(v);
  arguments.inputs.emplace("top_p", Tensor::from<double>({below + 1e-9, above}, {2}));
  arguments.inputs.emplace("seed", Tensor::from<std::int64_t>({1, 2}, {2}));
  arguments.inputs.emplace("position", Tensor::from<std::int64_t>({0, 0}, {2}));
  arguments.parameters = {{"order", std::string("top_p")}};
  const auto outputs = probe.run(operation, arguments);
  for (const std::int32_t kept : outputs.at("kept").as<std::int32_t>())
    probe.expect(kept == wanted, "kept " + std::to_string(kept) + " of " + std::to_string(v) +
                                     " equal tokens, expected " + std::to_string(wanted));
}

/// 2^n equal tokens: p = k / 2^n is met by k of them exactly, and the next larger p by one more.
void top_p_decides_to_the_last_bit(Probe& probe) {
  const std::int64_t v = std::int64_t{1} << *integers(1, 10, "log2 of the equal tokens");
  const std::int64_t wanted = *integers(1, v - 1, "tokens to keep");
  const double exact = static_cast<double>(wanted) / static_cast<double>(v);
  HostArguments arguments;
  arguments.inputs.emplace(
      "logits", Tensor::from<float>(std::vector<float>(static_cast<std::size_t>(2 * v), -3.0F), {2, v}));
  arguments.inputs.emplace("top_p", Tensor::from<double>({exact, std::nextafter(exact, 1.0)}, {2}));
  arguments.inputs.emplace("seed", Tensor::from<std::int64_t>({1, 2}, {2}));
  arguments.inputs.emplace("position", Tensor::from<std::int64_t>({0, 0}, {2}));
  arguments.parameters = {{"order", std::string("top_p")}};
  const auto outputs = probe.run(operation, arguments);
  const auto kept = outputs.at("kept").as<std::int32_t>();
  probe.expect(kept[0] == wanted, "p of exactly so many tokens keeps those");
  probe.expect(kept[1] == wanted + 1, "the next larger p keeps one more");
}

}  // namespace

void add_cut_properties(Suite& suite) {
  suite.property({"decides_top_p_beyond_single_precision",
                  "p within 10^-10 of what a prefix of a long row weighs, on either side.",
                  decides_top_p_beyond_single_precision, 1});
  suite.property({"division_makes_ties",
                  "Logits of a long row that the temperature makes equal are kept by rising id.",
                  division_makes_ties, 10});
  suite.property({"looks_at_all_of_a_long_row", "The greatest of a long row is found at either end.",
                  looks_at_all_of_a_long_row, 40});
  suite.property({"keeps_a_prefix_of_the_order",
                  "top_k, top_p and min_p keep the first tokens by falling logit and rising id.",
                  keeps_a_prefix_of_the_order, 200});
  suite.property({"top_p_cuts_at_the_token_that_crosses",
                  "Of equal tokens top_p keeps as many as it takes to reach p.",
                  top_p_cuts_at_the_token_that_crosses, 200});
  suite.property({"top_p_decides_to_the_last_bit",
                  "Of 2^n equal tokens p = k / 2^n keeps k, and the next larger p one more.",
                  top_p_decides_to_the_last_bit, 100});
}

}  // namespace assay::validation::chains
