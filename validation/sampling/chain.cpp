#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <set>

#include "engine/comparison.hpp"
#include "engine/runtime/philox.hpp"
#include "validation/all_of.hpp"
#include "validation/filters/calls.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"
#include "validation/goodness.hpp"
#include "validation/logits/distributions.hpp"
#include "validation/logits/rows.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"

namespace assay::validation::sampling {

namespace {

using namespace logits;
constexpr const char* operation = "sampling.chain";
constexpr const char* steps[] = {"penalties", "bias", "temperature", "top_k", "top_p", "min_p", "typical"};

/// One call: rows, an order of steps, and parameters that follow from the seed.
struct Call {
  Rows rows;
  std::vector<int> order;  ///< indices into `steps`
  std::int64_t min_keep = 1;

  std::string order_text() const {
    std::string text;
    for (const int step : order) text += (text.empty() ? "" : ",") + std::string(steps[step]);
    return text;
  }

  HostArguments arguments() const {
    HostArguments made;
    rows.add_to(made);
    const std::int64_t n = rows.rows;
    for (const char* const name : {"temperature", "top_k", "top_p", "min_p", "typical_p", "repetition",
                                   "presence", "frequency", "last_n", "previous", "bias_ids", "biases"})
      filters::add_parameter(made, rows, name);
    const auto add = [&](const char* name, Tensor tensor) { made.inputs.emplace(name, std::move(tensor)); };
    add("seed", per_row<std::int64_t>(
                    n, [&](std::int64_t row) { return static_cast<std::int64_t>(rows.seed) + 17 * row; }));
    add("position", per_row<std::int64_t>(n, [&](std::int64_t row) { return 5 * row; }));
    made.parameters = {{"order", order_text()}, {"min_keep", min_keep}, {"survivors", true}};
    return made;
  }
};

Call call_of(Rows rows, std::vector<int> order) {
  Call call;
  call.rows = std::move(rows);
  call.order = std::move(order);
  return call;
}

std::ostream& operator<<(std::ostream& out, const Call& call) {
  return out << call.rows << ", order '" << call.order_text() << "', at least " << call.min_keep;
}

Call draw(const Limits& limits = {}) {
  Call call;
  call.rows = logits::draw(limits);
  const std::int64_t length = *integers(0, 5, "steps");
  for (std::int64_t i = 0; i < length; ++i)
    call.order.push_back(static_cast<int>(*integers(0, std::ssize(steps) - 1, "step")));
  call.min_keep = *integers(0, 3, "min_keep");
  return call;
}

void matches_reference(Probe& probe) {
  probe.expect_reference(operation, draw().arguments());
}

/// Every single step on every filling: what a drawn order may hide.
void each_step_matches_reference(Probe& probe) {
  std::vector<Call> list;
  for (int step = 0; step < static_cast<int>(std::ssize(steps)); ++step)
    for (int filling = 0; filling < row_kinds; ++filling)
      for (const bool masked : {false, true}) {
        list.push_back(call_of(rows_of(static_cast<RowKind>(filling), 3, 257, 2,
                                       probe.seed() + static_cast<std::uint64_t>(filling)),
                               {step}));
        list.back().rows.masked = masked;
      }
  const auto simpler = [](const Call& call) {
    std::vector<Call> made;
    const auto fewer_tokens = [&](std::int64_t tokens) {
      made.push_back(call);
      made.back().rows.tokens = tokens;
    };
    if (call.rows.tokens > 8) fewer_tokens(8);
    if (call.rows.tokens > 1) fewer_tokens((call.rows.tokens + 1) / 2);
    if (call.rows.rows > 1) {
      made.push_back(call);
      made.back().rows.rows = 1;
    }
    return made;
  };
  for (const Call& call : *all_of(list, simpler).as("call"))
    probe.expect_reference(operation, call.arguments());
}

/// A vocabulary of the size of today's models, where the cut is found by sampling.
void matches_reference_on_large_vocabularies(Probe& probe) {
  for (const RowKind filling : {RowKind::normal, RowKind::ties, RowKind::equal, RowKind::peaked})
    for (const std::vector<int>& order :
         {std::vector<int>{3}, std::vector<int>{4}, std::vector<int>{6}, std::vector<int>{2, 3, 4, 5}}) {
      const Call call = call_of(rows_of(filling, 2, 50'257, 3, probe.seed()), order);
      probe.expect_reference(operation, call.arguments());
    }
}

/// Rows that more than one block holds, or that are too long for a list, on every filling: one step, or two
/// that work on what another left.
void matches_reference_across_blocks(Probe& probe) {
  struct Size {
    std::int64_t rows, tokens;
  };
  for (const Size size : {Size{2, 1'300}, Size{1, 5'003}, Size{70, 2'050}, Size{34, 2'300}})
    for (int filling = 0; filling < row_kinds; ++filling)
      for (const std::vector<int>& order :
           {std::vector<int>{0}, std::vector<int>{1}, std::vector<int>{2}, std::vector<int>{3},
            std::vector<int>{4}, std::vector<int>{5}, std::vector<int>{6}, std::vector<int>{2, 4, 2},
            std::vector<int>{6, 5, 0, 4}}) {
        if (size.rows > 2 && (order.size() > 1 || filling % 3 != 0)) continue;
        Call call = call_of(rows_of(static_cast<RowKind>(filling), size.rows, size.tokens, 3,
                                    probe.seed() + static_cast<std::uint64_t>(filling)),
                            order);
        call.rows.masked = filling % 2 == 0;
        call.min_keep = filling % 4 == 3 ? 1'100 : 1;
        probe.expect_reference(operation, call.arguments());
      }
}

/// The longest rows, and those around the sizes where another number of blocks takes over.
void matches_reference_on_the_longest_rows(Probe& probe) {
  for (const std::int64_t tokens : {16'385, 32'769, 131'073, 300'000})
    for (const DType type : {DType::f32, DType::f16}) {
      Rows rows = rows_of(RowKind::normal, 1, tokens, 3, probe.seed());
      rows.type = type;
      const std::vector<int> order = type == DType::f32 ? std::vector<int>{2, 4} : std::vector<int>{3, 6};
      probe.expect_reference(operation, call_of(rows, order).arguments());
    }
}

/// Rows that are long enough to be cut without a look at all of their tokens in order, on every filling, from
/// memory or from what steps before have left of them.
void matches_reference_on_long_rows(Probe& probe) {
  const std::vector<int> orders[] = {{2, 3}, {2, 4}, {3, 5}, {4, 2}, {0, 4, 3}, {1, 2, 4}};
  std::uint64_t call_number = 0;
  for (int filling = 0; filling < row_kinds; ++filling)
    for (const std::vector<int>& order : orders) {
      ++call_number;
      // 16,384 is the least of them; the last block of 64 is whole, or nearly empty, or nearly full.
      const std::int64_t tokens =
          16'384 + std::int64_t{64} * filling + std::array{0, 1, 37, 63}[call_number % 4];
      Rows rows = rows_of(static_cast<RowKind>(filling), 3, tokens, 3, probe.seed() + 97 * call_number);
      rows.type = std::array{DType::f32, DType::f16, DType::bf16}[call_number % 3];
      rows.masked = call_number % 5 == 0;
      Call call = call_of(rows, order);
      call.min_keep = std::array<std::int64_t, 3>{1, 3, 900}[call_number % 3];
      probe.expect_reference(operation, call.arguments());
    }
}

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

/// Draws of one distribution at many positions, by their tokens.
std::vector<std::int64_t> tokens_of(Probe& probe, const std::vector<float>& logits, std::uint64_t seed,
                                    std::int64_t count, bool by_position) {
  constexpr std::int64_t at_once = 20'000;
  const auto v = static_cast<std::int64_t>(logits.size());
  std::vector<std::int64_t> drawn;
  for (std::int64_t first = 0; first < count; first += at_once) {
    const std::int64_t rows = std::min(at_once, count - first);
    std::vector<float> all;
    for (std::int64_t row = 0; row < rows; ++row) all.insert(all.end(), logits.begin(), logits.end());
    HostArguments arguments;
    arguments.inputs.emplace("logits", Tensor::from<float>(all, {rows, v}));
    const auto of = [&](std::int64_t row) { return first + row; };
    arguments.inputs.emplace("seed", per_row<std::int64_t>(rows, [&](std::int64_t row) {
                               return static_cast<std::int64_t>(seed) + (by_position ? 0 : of(row));
                             }));
    arguments.inputs.emplace(
        "position", per_row<std::int64_t>(rows, [&](std::int64_t row) { return by_position ? of(row) : 0; }));
    arguments.parameters = {{"order", std::string()}};
    const auto outputs = probe.run(operation, arguments);
    for (const std::int32_t token : outputs.at("token").as<std::int32_t>()) drawn.push_back(token);
  }
  return drawn;
}

void draws_its_distribution(Probe& probe) {
  const std::vector<float> logits = zipf(64);
  const auto p = softmax_of(logits);
  for (const bool by_position : {true, false})
    expect_fits(
        probe, by_position ? "tokens at consecutive positions" : "tokens of consecutive seeds", p,
        [&](std::uint64_t seed, std::int64_t count) {
          return tokens_of(probe, logits, seed, count, by_position);
        },
        200'000);
}

/// Pairs of neighbouring draws are pairs of independent ones.
void neighbouring_draws_are_independent(Probe& probe) {
  const std::vector<float> logits = zipf(8);
  const auto p = softmax_of(logits);
  std::vector<double> pairs;
  for (const double a : p)
    for (const double b : p) pairs.push_back(a * b);
  for (const bool by_position : {true, false})
    expect_fits(
        probe, by_position ? "pairs of positions" : "pairs of seeds", pairs,
        [&](std::uint64_t seed, std::int64_t count) {
          const auto tokens = tokens_of(probe, logits, seed, 2 * count, by_position);
          std::vector<std::int64_t> made;
          for (std::int64_t i = 0; i < count; ++i)
            made.push_back(tokens[static_cast<std::size_t>(2 * i)] * 8 +
                           tokens[static_cast<std::size_t>(2 * i + 1)]);
          return made;
        },
        100'000);
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

void refuses_bad_arguments(Probe& probe) {
  const Call sound = call_of(rows_of(RowKind::normal, 2, 9, 1, 1), {0, 1, 2, 3, 4, 5, 6});
  const auto with = [&](const char* name, Tensor tensor) {
    HostArguments changed = sound.arguments();
    changed.inputs.erase(name);
    changed.inputs.emplace(name, std::move(tensor));
    return changed;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto value = RefusalOf::value;
  expect_refused(probe, operation, with("min_p", Tensor::from<double>({0.1, 1.5}, {2})), "min_p",
                 "min_p above 1", value);
  expect_refused(probe, operation, with("top_p", Tensor::from<double>({nan, 0.5}, {2})), "top_p", "top_p NaN",
                 value);
  expect_refused(probe, operation, with("typical_p", Tensor::from<double>({0.5, nan}, {2})), "typical_p",
                 "typical_p NaN", value);
  expect_refused(probe, operation,
                 with("temperature", Tensor::from<float>({1, static_cast<float>(nan)}, {2})), "temperature",
                 "temperature NaN", value);
  expect_refused(probe, operation, with("repetition", Tensor::from<float>({1, 0}, {2})), "repetition",
                 "repetition 0", value);
  expect_refused(probe, operation, with("presence", Tensor::from<float>({static_cast<float>(nan), 0}, {2})),
                 "presence", "presence NaN", value);
  expect_refused(probe, operation, with("previous", Tensor::from<std::int32_t>({1, 9}, {2, 1})), "previous",
                 "an id beyond the last", value);
  expect_refused(probe, operation, with("top_k", Tensor::from<std::int32_t>({1, 2, 3}, {3})), "top_k",
                 "a value too many");
  expect_refused(probe, operation, with("mask", Tensor::from<std::uint32_t>({1, 2, 3, 4}, {2, 2})), "mask",
                 "a mask of two words");
  HostArguments missing = sound.arguments();
  missing.inputs.erase("top_k");
  expect_refused(probe, operation, missing, "top_k", "a step without its parameter");
  HostArguments unknown = sound.arguments();
  unknown.parameters["order"] = std::string("top_k,topp");
  expect_refused(probe, operation, unknown, "order", "an unknown step");
}

}  // namespace

void describe_chain(Suite& suite) {
  suite.calls([] { return draw().arguments(); });
  suite.property({"matches_reference",
                  "Tokens, survivors and their logits are the reference's, in any order of steps.",
                  matches_reference, 400});
  suite.property({"each_step_matches_reference", "Each step alone, on every kind of row.",
                  each_step_matches_reference, 1});
  suite.property({"matches_reference_on_large_vocabularies", "The same on 50,257 tokens.",
                  matches_reference_on_large_vocabularies, 1});
  suite.property({"matches_reference_across_blocks",
                  "Rows that several blocks hold, or that no list takes, on every filling.",
                  matches_reference_across_blocks, 1});
  suite.property({"matches_reference_on_the_longest_rows", "16,385 to 300,000 tokens, f32 and f16.",
                  matches_reference_on_the_longest_rows, 1});
  suite.property({"matches_reference_on_long_rows", "16,384 tokens and more, every filling and type.",
                  matches_reference_on_long_rows, 1});
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
  suite.property({"draws_what_is_left", "The token is a survivor with a probability; -1 where there is none.",
                  draws_what_is_left, 200});
  suite.property({"top_p_cuts_at_the_token_that_crosses",
                  "Of equal tokens top_p keeps as many as it takes to reach p.",
                  top_p_cuts_at_the_token_that_crosses, 200});
  suite.property({"top_p_decides_to_the_last_bit",
                  "Of 2^n equal tokens p = k / 2^n keeps k, and the next larger p one more.",
                  top_p_decides_to_the_last_bit, 100});
  const auto of_another = [](Probe& probe) {
    // Draws of one distribution are held against another, one per cent away.
    const std::vector<float> logits = zipf(64);
    auto p = softmax_of(logits);
    p[0] += 0.01;
    p[1] -= 0.01;
    expect_fits(
        probe, "tokens of another distribution", p,
        [&](std::uint64_t seed, std::int64_t count) { return tokens_of(probe, logits, seed, count, true); },
        200'000);
  };
  suite.property({.name = "draws_its_distribution",
                  .summary = "Goodness of fit over positions and over seeds, 200,000 draws each.",
                  .body = draws_its_distribution,
                  .cases = 1,
                  .negative_control = of_another});
  suite.property({.name = "neighbouring_draws_are_independent",
                  .summary = "Pairs of consecutive positions, and of consecutive seeds, fit the product.",
                  .body = neighbouring_draws_are_independent,
                  .cases = 1,
                  .negative_control = of_another});
  suite.property(
      {.name = "refuses_bad_arguments",
       .summary = "Parameters out of range, ids beyond the vocabulary, missing inputs and unknown steps.",
       .body = refuses_bad_arguments,
       .cases = 1,
       .negative_control = [](Probe& probe) {
         const Call sound = call_of(rows_of(RowKind::ladder, 1, 4, 1, 1), {3});
         expect_refused(probe, operation, sound.arguments(), "top_k", "a sound call");
       }});
  const auto fault = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant({std::string("sampling.chain.") + id, fault_class, what});
  };
  fault("top_k_one_more", "off by one", "top_k keeps k + 1");
  fault("top_k_keeps_all_ties", "missing condition", "tokens equal to the last are all kept");
  fault("ties_from_the_end", "wrong order", "of equal tokens the last ids are kept");
  fault("exclusive_sum", "off by one", "top_p stops before the token that crosses");
  fault("mass_rounded_down", "rounding", "the mass that top_p needs is rounded down");
  fault("mass_scaled", "wrong scale", "the mass that top_p needs is an eighth too much");
  fault("min_keep_ignored", "missing condition", "top_p, min_p and typical keep fewer than min_keep");
  fault("min_p_strict", "strictness", "min_p drops the token at its bound");
  fault("min_p_of_sum", "wrong formula", "min_p is relative to the whole instead of the maximum");
  fault("typical_without_entropy", "missing term", "typical sorts by the distance from the maximum");
  fault("typical_sign", "wrong sign", "typical keeps the least typical first");
  fault("temperature_twice", "applied twice", "logits are divided by the temperature twice");
  fault("temperature_multiplies", "wrong operation", "logits are multiplied by the temperature");
  fault("greedy_last_maximum", "wrong order", "temperature 0 keeps the last maximum");
  fault("penalty_wrong_sign", "wrong sign", "negative logits are divided by the repetition penalty");
  fault("penalty_each_time", "applied twice", "the penalty is applied once for each time a token was seen");
  fault("frequency_once", "missing factor", "the frequency penalty ignores how often");
  fault("presence_subtracted_from_all", "missing condition",
        "the presence penalty hits the padding's neighbour, token 0");
  fault("last_n_from_the_front", "wrong end", "the oldest ids count instead of the latest");
  fault("bias_once", "lost", "of biases of one token the first alone is added");
  fault("mask_ignored", "missing mask", "tokens that the mask forbids are drawn");
  fault("mask_shifted", "off by one", "the mask of the row before is read");
  fault("last_token_dropped", "unhandled tail", "the last token of a row is not weighed");
  fault("nan_largest", "missing condition", "NaN is taken as +Inf");
  fault("minus_zero_less", "missing condition", "-0 is less than +0");
  fault("counter_reused", "reused seed", "every position draws the same bits");
  fault("row_in_the_seed", "wrong key", "the row's place in the batch enters the draw");
  fault("draw_shifted", "off by one", "the token after the one that the point falls on is drawn");
  fault("single_precision_weight", "low precision", "the exponential is taken in float");
  fault("infinity_unshared", "missing condition", "of tokens at +Inf only the first has a probability");
  fault("log_prob_of_maximum", "wrong index", "log_prob is that of the most likely token");
  fault("estimate_decides", "low precision", "the cut of a long row is made by its mass in single precision");
  fault("others_weigh_nothing", "lost part", "where that is in doubt the head of a row counts as all of it");
  fault("merged_ties_lost", "missing condition",
        "of tokens that a division made equal the greater ones are kept");
  fault("long_row_keeps_all_ties", "missing condition", "of a long row all tokens at the cut are kept");
  fault("long_row_undivided", "missing step",
        "a long row is cut as it lies in memory, whatever the temperature");
  fault("long_row_without_its_end", "unhandled tail",
        "the tokens behind a long row's last 64 are not looked at");
  const auto on_cuda = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant({std::string("sampling.chain.cuda_") + id, fault_class, what, Backend::cuda});
  };
  on_cuda("top_k_one_more", "off by one", "top_k keeps k + 1");
  on_cuda("ties_by_block", "tie by thread", "of equal tokens every warp counts its own as the first");
  on_cuda("exclusive_sum", "off by one", "top_p stops before the token that crosses");
  on_cuda("mass_rounded_down", "rounding", "the mass that top_p needs is a unit too small");
  on_cuda("estimate_decides", "low precision", "the cut is made by the estimated mass, 2e-4 off");
  on_cuda("min_keep_ignored", "missing condition", "top_p, min_p and typical keep fewer than min_keep");
  on_cuda("min_p_strict", "strictness", "min_p drops the token at its bound");
  on_cuda("typical_without_entropy", "missing term", "typical sorts by the distance from the maximum");
  on_cuda("temperature_twice", "applied twice", "logits are divided by the temperature twice");
  on_cuda("greedy_last_maximum", "wrong order", "temperature 0 keeps the last maximum");
  on_cuda("penalty_wrong_sign", "wrong sign", "negative logits are divided by the repetition penalty");
  on_cuda("penalty_each_time", "applied twice", "the penalty is applied once for each time a token was seen");
  on_cuda("frequency_once", "missing factor", "the frequency penalty ignores how often");
  on_cuda("last_n_from_the_front", "wrong end", "the oldest ids count instead of the latest");
  on_cuda("bias_once", "lost", "of biases of one token the first alone is added");
  on_cuda("mask_ignored", "missing mask", "tokens that the mask forbids are drawn");
  on_cuda("last_token_dropped", "unhandled tail", "the last token of a row is not read");
  on_cuda("nan_largest", "missing condition", "NaN is taken as +Inf");
  on_cuda("minus_zero_less", "missing condition", "-0 is less than +0");
  on_cuda("counter_reused", "reused counter", "every position draws the same bits");
  on_cuda("row_in_the_seed", "wrong key", "the row's place in the batch enters the draw");
  on_cuda("draw_shifted", "off by one", "the token after the one that the point falls on is drawn");
  on_cuda("single_precision_weight", "low precision", "the exponential is taken in float");
  on_cuda("log_prob_of_maximum", "wrong index", "log_prob is that of the most likely token");
  on_cuda("lost_block", "lost tile", "the bins of a cluster's last block are left out");
  on_cuda("order_not_restored", "stale order", "a list is not sorted again after its logits have changed");
  on_cuda("stale_maximum", "stale state", "the maximum is not divided by the temperature");
  on_cuda("lost_part_of_mass", "lost part", "the upper 15 bits of the masses of bins are left out");
  on_cuda("missing_barrier", "missing barrier", "bins are added up before all blocks have counted");
}

}  // namespace assay::validation::sampling
