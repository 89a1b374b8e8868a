#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/runtime/philox.hpp"
#include "validation/generators.hpp"
#include "validation/goodness.hpp"
#include "validation/logits/distributions.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"
#include "validation/tensors/recipe.hpp"

namespace assay::validation::sampling {

namespace {

using namespace logits;
constexpr const char* operation = "sampling.speculative_verify";
constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

/// What the draft's logits are, beside the target's.
enum class Kin : std::uint8_t { same, shifted, near, other };
constexpr int kins = 4;

/// One call: rows of target logits, and what the draft has of them. Draft tokens, seeds and lengths follow
/// from the rows' seed.
struct Call {
  Rows rows;  ///< `rows.rows` of (steps + 1) rows
  std::int64_t calls = 1;
  std::int64_t steps = 1;
  Kin kin = Kin::same;
  bool lengths = false;

  std::vector<double> draft_values(const std::vector<double>& target) const {
    std::vector<double> made;
    for (std::int64_t call = 0; call < calls; ++call)
      for (std::int64_t step = 0; step < steps; ++step)
        for (std::int64_t id = 0; id < rows.tokens; ++id) {
          const double value =
              target[static_cast<std::size_t>((call * (steps + 1) + step) * rows.tokens + id)];
          Philox random(rows.seed, static_cast<std::uint64_t>(5'000'000 + call * steps + step),
                        static_cast<std::uint64_t>(id) * 4);
          const double noise = random.normal();
          // A whole step up: exact where the values are few bits long.
          made.push_back(kin == Kin::same      ? value
                         : kin == Kin::shifted ? value + 4
                         : kin == Kin::near    ? value + noise / 4
                                               : rows.scale * noise);
        }
    return made;
  }

  /// A token that the draft may well have drawn, any other, or the first.
  std::int32_t token(const std::vector<double>& draft, std::int64_t at) const {
    Philox random(rows.seed, 6'000'000, static_cast<std::uint64_t>(at));
    if (random.below(3) == 0)
      return static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(rows.tokens)));
    const auto begin = draft.begin() + at * rows.tokens;
    std::int64_t best = 0;
    for (std::int64_t id = 0; id < rows.tokens; ++id)
      if (begin[id] > begin[best]) best = id;
    return static_cast<std::int32_t>(best);
  }

  HostArguments arguments() const {
    HostArguments made;
    const std::vector<double> target = rows.values(), draft = draft_values(target);
    made.inputs.emplace("target_logits", encode(rows.type, target, {calls, steps + 1, rows.tokens}));
    made.inputs.emplace("draft_logits", encode(rows.type, draft, {calls, steps, rows.tokens}));
    std::vector<std::int32_t> tokens;
    for (std::int64_t at = 0; at < calls * steps; ++at) tokens.push_back(token(draft, at));
    made.inputs.emplace("draft_tokens", Tensor::from<std::int32_t>(tokens, {calls, steps}));
    made.inputs.emplace("seed", per_row<std::int64_t>(calls, [&](std::int64_t row) {
                          return static_cast<std::int64_t>(rows.seed) + 17 * row;
                        }));
    made.inputs.emplace("position", per_row<std::int64_t>(calls, [&](std::int64_t row) {
                          return row % 3 == 2 ? -1 : 5 * row;
                        }));
    if (lengths)
      made.inputs.emplace(
          "drafted", per_row<std::int32_t>(calls, [&](std::int64_t row) {
            Philox random(rows.seed, 7'000'000, static_cast<std::uint64_t>(row));
            return static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(steps + 1)));
          }));
    return made;
  }
};

Call call_of(Rows rows, std::int64_t calls, std::int64_t steps, Kin kin) {
  Call call;
  call.rows = std::move(rows);
  call.rows.rows = calls * (steps + 1);
  call.calls = calls;
  call.steps = steps;
  call.kin = kin;
  return call;
}

Call draw() {
  Rows rows;
  rows.type = *rc::gen::element(DType::f32, DType::f16, DType::bf16);
  rows.tokens = *rc::gen::element<std::int64_t>(1, 2, 3, 5, 31, 33, 127, 129, 513, 600);
  rows.filling = static_cast<RowKind>(*integers(0, row_kinds - 1, "filling"));
  rows.scale = std::ldexp(1.0, static_cast<int>(*integers(-1, 3, "log2 scale")));
  rows.seed = static_cast<std::uint64_t>(*integers(0, std::int64_t{1} << 40, "seed"));
  const std::int64_t calls = *integers(1, 4, "rows"), steps = *integers(1, 4, "steps");
  Call call = call_of(rows, calls, steps, static_cast<Kin>(*integers(0, kins - 1, "draft")));
  call.lengths = *integers(0, 1, "lengths") == 1;
  call.rows.kept = *kept_of(call.rows.rows * rows.tokens).as("not 0");
  return call;
}

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

/// Tokens of one step for each of `rows` seeds, drawn by sampling.categorical.
std::vector<std::int32_t> drafted_by_categorical(Probe& probe, const Tensor& logits, const Tensor& seed,
                                                 std::int64_t position) {
  const std::int64_t rows = logits.shape()[0];
  HostArguments arguments;
  arguments.inputs.emplace("logits", logits.clone());
  arguments.inputs.emplace("seed", seed.clone());
  arguments.inputs.emplace("position", per_row<std::int64_t>(rows, [&](std::int64_t) { return position; }));
  const auto outputs = probe.run("sampling.categorical", arguments);
  const auto tokens = outputs.at("token").as<std::int32_t>();
  return {tokens.begin(), tokens.end()};
}

/// What the target has and what the draft has of the next token.
struct Pair {
  const char* name;
  std::vector<float> target, draft;
};

/// (rows, steps, tokens), the same in each.
Tensor in_steps(const std::vector<float>& logits, std::int64_t rows, std::int64_t steps) {
  const Tensor flat = repeated(logits, rows * steps);
  const auto values = flat.as<float>();
  return Tensor::from<float>(std::vector<float>(values.begin(), values.end()),
                             {rows, steps, std::ssize(logits)});
}

/// What comes out of `rows` verifications of a draft of so many steps, all of them of the same two
/// distributions. The draft is drawn under the same seeds and positions.
struct Verified {
  std::vector<std::int32_t> tokens;  ///< (rows, steps + 1)
  std::vector<std::int32_t> accepted;
};
Verified verified(Probe& probe, const Pair& pair, std::uint64_t seed, std::int64_t first, std::int64_t rows,
                  std::int64_t steps) {
  HostArguments arguments;
  const Tensor seeds = per_row<std::int64_t>(
      rows, [&](std::int64_t row) { return static_cast<std::int64_t>(seed) + first + row; });
  std::vector<std::int32_t> drafted(static_cast<std::size_t>(rows * steps));
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto tokens = drafted_by_categorical(probe, repeated(pair.draft, rows), seeds, step);
    for (std::int64_t row = 0; row < rows; ++row)
      drafted[static_cast<std::size_t>(row * steps + step)] = tokens[static_cast<std::size_t>(row)];
  }
  arguments.inputs.emplace("draft_tokens", Tensor::from<std::int32_t>(drafted, {rows, steps}));
  arguments.inputs.emplace("target_logits", in_steps(pair.target, rows, steps + 1));
  arguments.inputs.emplace("draft_logits", in_steps(pair.draft, rows, steps));
  arguments.inputs.emplace("seed", seeds.clone());
  arguments.inputs.emplace("position", per_row<std::int64_t>(rows, [](std::int64_t) { return 0; }));
  const auto outputs = probe.run(operation, arguments);
  const auto tokens = outputs.at("tokens").as<std::int32_t>();
  const auto accepted = outputs.at("accepted").as<std::int32_t>();
  return {{tokens.begin(), tokens.end()}, {accepted.begin(), accepted.end()}};
}

/// `count` categories, made of rows by `category_of(tokens of a row, accepted)`.
template <typename CategoryOf>
std::vector<std::int64_t> categories(Probe& probe, const Pair& pair, std::uint64_t seed, std::int64_t count,
                                     std::int64_t steps, const CategoryOf& category_of) {
  constexpr std::int64_t at_once = 20'000;
  std::vector<std::int64_t> made;
  for (std::int64_t first = 0; first < count; first += at_once) {
    const std::int64_t rows = std::min(at_once, count - first);
    const Verified got = verified(probe, pair, seed, first, rows, steps);
    for (std::int64_t row = 0; row < rows; ++row)
      made.push_back(
          category_of(got.tokens.data() + row * (steps + 1), got.accepted[static_cast<std::size_t>(row)]));
  }
  return made;
}

/// Logits of a spread of 1.5, by the seed.
std::vector<float> random_logits(std::int64_t tokens, std::uint64_t seed) {
  std::vector<float> made;
  Philox random(seed);
  for (std::int64_t id = 0; id < tokens; ++id) made.push_back(static_cast<float>(1.5 * random.normal()));
  return made;
}

/// Those of `logits` whose id `keep` takes; the others at -Inf.
template <typename Keep>
std::vector<float> restricted(std::vector<float> logits, const Keep& keep) {
  for (std::size_t id = 0; id < logits.size(); ++id)
    if (!keep(id)) logits[id] = minus_infinity;
  return logits;
}

std::vector<Pair> pairs(std::int64_t tokens) {
  const std::vector<float> p = random_logits(tokens, 11), q = random_logits(tokens, 12);
  const auto even = [](std::size_t id) { return id % 2 == 0; };
  const auto odd = [](std::size_t id) { return id % 2 == 1; };
  return {{"equal", p, p},
          {"random", p, q},
          {"disjoint supports", restricted(p, even), restricted(q, odd)},
          {"the draft's support is a part", p, restricted(q, even)},
          {"the target's support is a part", restricted(p, odd), q},
          {"a flat draft", zipf(tokens), std::vector<float>(static_cast<std::size_t>(tokens), 0.0F)}};
}

/// The first token that comes out is the target's own draw, whatever the draft.
void first_token_has_the_targets_distribution(Probe& probe) {
  for (const Pair& pair : pairs(32))
    expect_fits(
        probe, std::string("the first token: ") + pair.name, softmax_of(pair.target),
        [&](std::uint64_t seed, std::int64_t count) {
          return categories(
              probe, pair, seed, count, 1,
              [](const std::int32_t* tokens, std::int32_t) -> std::int64_t { return tokens[0]; });
        },
        200'000);
}

/// ... and not the draft's.
void first_token_has_the_drafts_distribution(Probe& probe) {
  const Pair pair = pairs(32)[1];
  expect_fits(
      probe, "the first token", softmax_of(pair.draft),
      [&](std::uint64_t seed, std::int64_t count) {
        return categories(probe, pair, seed, count, 1,
                          [](const std::int32_t* tokens, std::int32_t) -> std::int64_t { return tokens[0]; });
      },
      200'000);
}

std::vector<double> shared_of(const Pair& pair) {
  const auto p = softmax_of(pair.target), q = softmax_of(pair.draft);
  std::vector<double> made;
  for (std::size_t id = 0; id < p.size(); ++id) made.push_back(std::min(p[id], q[id]));
  return made;
}

/// Leviathan et al., theorem 3.5: sum min(p, q) of the first drafts are taken, and of the second ones among
/// those.
void takes_as_many_as_they_share(Probe& probe) {
  for (const Pair& pair : {pairs(16)[1], pairs(16)[3], pairs(16)[5]}) {
    const auto shared = shared_of(pair);
    const double rate = std::accumulate(shared.begin(), shared.end(), 0.0);
    const std::vector<double> p = {1 - rate, rate * (1 - rate), rate * rate};
    expect_fits(
        probe, std::string("tokens taken of two: ") + pair.name, p,
        [&](std::uint64_t seed, std::int64_t count) {
          return categories(
              probe, pair, seed, count, 2,
              [](const std::int32_t*, std::int32_t accepted) -> std::int64_t { return accepted; });
        },
        200'000);
  }
}

void takes_more_than_they_share(Probe& probe) {
  const Pair pair = pairs(16)[1];
  const auto shared = shared_of(pair);
  const double rate = std::accumulate(shared.begin(), shared.end(), 0.01);
  expect_fits(
      probe, "tokens taken", std::vector<double>{1 - rate, rate},
      [&](std::uint64_t seed, std::int64_t count) {
        return categories(
            probe, pair, seed, count, 1,
            [](const std::int32_t*, std::int32_t accepted) -> std::int64_t { return accepted; });
      },
      200'000);
}

/// Where the first draft is taken, with probability min(p, q) of each token, the second token is the target's
/// own whether it was drafted or drawn; where it is not, the first is of the residual.
void pairs_of_tokens_are_independent(Probe& probe) {
  constexpr std::int64_t tokens = 8;
  for (const std::int64_t steps : {std::int64_t{1}, std::int64_t{2}}) {
    const Pair pair = pairs(tokens)[1];
    const auto p = softmax_of(pair.target);
    const auto shared = shared_of(pair);
    std::vector<double> probabilities;
    for (const double first : shared)
      for (const double second : p) probabilities.push_back(first * second);
    for (std::size_t id = 0; id < p.size(); ++id) probabilities.push_back(p[id] - shared[id]);
    GoodnessOptions options;
    options.alone_above = 0.005;
    expect_fits(
        probe, "pairs of tokens, " + std::to_string(steps) + " drafted", probabilities,
        [&](std::uint64_t seed, std::int64_t count) {
          return categories(probe, pair, seed, count, steps,
                            [](const std::int32_t* got, std::int32_t accepted) -> std::int64_t {
                              return accepted > 0 ? got[0] * tokens + got[1] : tokens * tokens + got[0];
                            });
        },
        200'000, options);
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
  suite.property(
      {.name = "first_token_has_the_targets_distribution",
       .summary = "Equal, random, disjoint and nested distributions: 200,000 first tokens fit the target.",
       .body = first_token_has_the_targets_distribution,
       .cases = 1,
       .negative_control = first_token_has_the_drafts_distribution});
  suite.property(
      {.name = "takes_as_many_as_they_share",
       .summary = "Drafts are taken at the rate sum min(p, q), the second independently of the first.",
       .body = takes_as_many_as_they_share,
       .cases = 1,
       .negative_control = takes_more_than_they_share});
  suite.property({.name = "pairs_of_tokens_are_independent",
                  .summary = "First and second tokens fit their joint distribution, drafted or drawn.",
                  .body = pairs_of_tokens_are_independent,
                  .cases = 1,
                  .negative_control = first_token_has_the_drafts_distribution});
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
