#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "engine/comparison.hpp"
#include "engine/logits/log_prob_error.hpp"
#include "engine/runtime/philox.hpp"
#include "validation/floats.hpp"
#include "validation/generators.hpp"
#include "validation/logits/distributions.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"

namespace assay::validation::sampling {

namespace {

using namespace logits;
constexpr const char* operation = "sampling.log_probs";
constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

/// Rows, and how many are listed; the chosen tokens follow from the rows' seed.
struct Call {
  Rows rows;
  std::int64_t n = 1;

  HostArguments arguments() const {
    HostArguments made;
    rows.add_to(made);
    made.inputs.emplace(
        "tokens", per_row<std::int32_t>(rows.rows, [&](std::int64_t row) {
          Philox random(rows.seed, 4'000'000, static_cast<std::uint64_t>(row));
          if (random.below(8) == 0) return -1;
          return static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(rows.tokens)));
        }));
    made.parameters = {{"n", n}};
    return made;
  }
};

Call call_of(Rows rows, std::int64_t n) {
  Call call;
  call.rows = std::move(rows);
  call.n = n;
  return call;
}

Call draw() {
  const std::int64_t n = *rc::gen::element<std::int64_t>(1, 2, 5, 20, 127, 128, 129, 513, 1'024);
  return call_of(logits::draw(), n);
}

void matches_reference(Probe& probe) {
  const Call call = draw();
  const Placement logits{*integers(0, 3, "elements off the alignment"),
                         *integers(0, 5, "elements between rows")};
  probe.expect_reference(operation, call.arguments(), {{"logits", logits}});
}

void matches_reference_across_blocks(Probe& probe) {
  for (const Rows& rows : rows_across_blocks(probe.seed()))
    for (const std::int64_t n : {20, 1'024}) probe.expect_reference(operation, call_of(rows, n).arguments());
}

/// Without a chosen token nothing is said of it, and the list is the same.
void tokens_are_optional(Probe& probe) {
  const Call call = draw();
  HostArguments without = call.arguments();
  without.inputs.erase("tokens");
  const auto outputs = probe.run(operation, without), whole = probe.run(operation, call.arguments());
  probe.expect(outputs.size() == 2, "two outputs");
  probe.expect_equal("ids", outputs.at("ids"), whole.at("ids"));
  probe.expect_equal("logarithms", outputs.at("log_probs"), whole.at("log_probs"));
}

/// Read off the logits alone: the list is the first of the order, by falling logit and rising id.
void lists_the_first_of_the_order(Probe& probe) {
  const Call call = draw();
  const HostArguments arguments = call.arguments();
  const auto outputs = probe.run(operation, arguments);
  const auto ids = outputs.at("ids").as<std::int32_t>();
  const auto log_probs = floats_of(outputs.at("log_probs"));
  const auto values = to_doubles(arguments.inputs.at("logits").view());
  for (std::int64_t row = 0; row < call.rows.rows; ++row) {
    const auto value = [&](std::int64_t id) {
      const double held = values[static_cast<std::size_t>(row * call.rows.tokens + id)];
      return std::isnan(held) ? -std::numeric_limits<double>::infinity() : held;
    };
    std::int64_t allowed = 0;
    for (std::int64_t id = 0; id < call.rows.tokens; ++id) allowed += allows(arguments, row, id) ? 1 : 0;
    std::set<std::int64_t> listed;
    for (std::int64_t place = 0; place < call.n; ++place) {
      const auto at = static_cast<std::size_t>(row * call.n + place);
      const std::int64_t id = ids[at];
      if (place >= allowed) {
        probe.expect(id == -1 && log_probs[at] == minus_infinity, "nothing beyond what is allowed");
        continue;
      }
      probe.expect(id >= 0 && id < call.rows.tokens && allows(arguments, row, id), "an allowed token");
      probe.expect(log_probs[at] <= 0, "a probability is at most 1");
      listed.insert(id);
      if (place == 0) continue;
      const std::int64_t before = ids[at - 1];
      probe.expect(value(before) > value(id) || (value(before) == value(id) && before < id),
                   "the order is by falling logit and rising id");
    }
    const std::int64_t count = std::min(call.n, allowed);
    probe.expect(std::ssize(listed) == count, "no token twice");
    if (count == 0) continue;
    const std::int64_t last = ids[static_cast<std::size_t>(row * call.n + count - 1)];
    for (std::int64_t id = 0; id < call.rows.tokens; ++id)
      if (allows(arguments, row, id) && listed.count(id) == 0)
        probe.expect(value(id) < value(last) || (value(id) == value(last) && id > last),
                     "what is not listed comes after the last that is");
  }
}

/// The token at a place of the list, chosen, has that rank and the same logarithm.
void ranks_are_places_of_the_list(Probe& probe) {
  const Call call = draw();
  const HostArguments arguments = call.arguments();
  const auto listed = probe.run(operation, arguments);
  const std::int64_t place = *integers(0, call.n - 1, "place");
  HostArguments chosen = arguments.clone();
  chosen.inputs.erase("tokens");
  const auto at = [&](std::int64_t row) { return static_cast<std::size_t>(row * call.n + place); };
  for (const std::int32_t id : listed.at("ids").as<std::int32_t>())
    probe.expect(id >= -1 && id < call.rows.tokens, "a token, or none");
  chosen.inputs.emplace("tokens", per_row<std::int32_t>(call.rows.rows, [&](std::int64_t row) {
                          return listed.at("ids").as<std::int32_t>()[at(row)];
                        }));
  const auto outputs = probe.run(operation, chosen);
  const auto log_probs = floats_of(listed.at("log_probs")),
             of_chosen = floats_of(outputs.at("chosen_log_prob"));
  for (std::int64_t row = 0; row < call.rows.rows; ++row) {
    const auto of_row = static_cast<std::size_t>(row);
    const bool there = listed.at("ids").as<std::int32_t>()[at(row)] >= 0;
    probe.expect(outputs.at("chosen_rank").as<std::int32_t>()[of_row] == (there ? place : -1),
                 "the rank is the place");
    probe.expect(of_chosen[of_row] == log_probs[at(row)], "the logarithm is the one listed");
  }
}

/// Rows that are listed whole: their probabilities add up to 1. A logarithm off by e makes a probability off
/// by p expm1(e); the sum in double adds n 2^-53.
void whole_rows_sum_to_one(Probe& probe) {
  Limits limits;
  limits.most_tokens = 1'024;
  const Call call = call_of(logits::draw(limits), 1'024);
  const auto outputs = probe.run(operation, call.arguments());
  const auto log_probs = floats_of(outputs.at("log_probs"));
  const auto n = static_cast<double>(call.rows.tokens);
  for (std::int64_t row = 0; row < call.rows.rows; ++row) {
    double sum = 0, allowed = n * 0x1p-53;
    for (std::int64_t place = 0; place < call.n; ++place) {
      const double log_p = log_probs[static_cast<std::size_t>(row * call.n + place)];
      const double p = std::exp(log_p);
      sum += p;
      if (p > 0) allowed += p * (std::expm1(assay::logits::log_prob_error(n, log_p)) + 0x1p-52);
    }
    if (sum == 0) continue;  // matches_reference says where
    probe.expect_within("a row's sum less 1", sum - 1, allowed * (1 + 0x1p-20));
  }
}

void a_list_of_half_a_row_sums_to_one(Probe& probe) {
  HostArguments arguments;
  arguments.inputs.emplace("logits", repeated(std::vector<float>(64, 1.0F), 1));
  arguments.parameters = {{"n", std::int64_t{32}}};
  double sum = 0;
  const auto outputs = probe.run(operation, arguments);
  for (const float log_p : floats_of(outputs.at("log_probs"))) sum += std::exp(log_p);
  probe.expect_within("a row's sum less 1", sum - 1, 64 * std::expm1(assay::logits::log_prob_error(64, -5)));
}

/// Of equal tokens the first ids, in order.
void equal_tokens_come_by_rising_id(Probe& probe) {
  for (const std::int64_t tokens : {1, 5, 128, 1'300, 20'000})
    for (const std::int64_t n : {1, 7, 128, 1'024}) {
      HostArguments arguments;
      arguments.inputs.emplace("logits",
                               repeated(std::vector<float>(static_cast<std::size_t>(tokens), -2.5F), 2));
      arguments.parameters = {{"n", n}};
      const auto outputs = probe.run(operation, arguments);
      const auto ids = outputs.at("ids").as<std::int32_t>();
      const auto log_probs = floats_of(outputs.at("log_probs"));
      const double log_p = -std::log(static_cast<double>(tokens));
      for (std::int64_t at = 0; at < 2 * n; ++at) {
        const std::int64_t place = at % n;
        const auto i = static_cast<std::size_t>(at);
        probe.expect(ids[i] == (place < tokens ? place : -1), "ids rise from 0");
        if (place < tokens)
          probe.expect_within("ln of one in so many", log_probs[i] - log_p,
                              assay::logits::log_prob_error(static_cast<double>(tokens), log_p));
      }
    }
}

void refuses_bad_arguments(Probe& probe) {
  const Call sound = call_of(rows_of(RowKind::normal, 2, 9, 1, 1), 3);
  const auto with = [&](const char* name, Tensor tensor) {
    HostArguments changed = sound.arguments();
    changed.inputs.erase(name);
    changed.inputs.emplace(name, std::move(tensor));
    return changed;
  };
  for (const std::int64_t n : {0, -1, 1'025}) {
    HostArguments changed = sound.arguments();
    changed.parameters["n"] = n;
    expect_refused(probe, operation, changed, "n", "n of " + std::to_string(n));
  }
  expect_refused(probe, operation, with("tokens", Tensor::from<std::int32_t>({0, 9}, {2})), "tokens",
                 "a token beyond the last", RefusalOf::value);
  expect_refused(probe, operation, with("tokens", Tensor::from<std::int32_t>({0}, {1})), "tokens",
                 "a token for one of two rows");
  expect_refused(probe, operation, with("mask", Tensor::from<std::uint32_t>({1, 2, 3, 4}, {2, 2})), "mask",
                 "a mask of two words");
}

}  // namespace

void describe_log_probs(Suite& suite) {
  suite.calls([] { return draw().arguments(); });
  suite.property({"matches_reference", "Ids and ranks are the reference's, logarithms within their bound.",
                  matches_reference, 400});
  suite.property({"matches_reference_across_blocks", "The same on 1,025 to 300,000 tokens and many rows.",
                  matches_reference_across_blocks, 1});
  suite.property(
      {"tokens_are_optional", "Without a chosen token the list is the same.", tokens_are_optional, 40});
  suite.property({"lists_the_first_of_the_order",
                  "Read off the logits: falling logit, rising id, none left out.",
                  lists_the_first_of_the_order, 200});
  suite.property({"ranks_are_places_of_the_list", "A listed token, chosen, has its place for its rank.",
                  ranks_are_places_of_the_list, 200});
  suite.property({.name = "whole_rows_sum_to_one",
                  .summary = "Probabilities of rows that are listed whole add up to 1.",
                  .body = whole_rows_sum_to_one,
                  .cases = 100,
                  .negative_control = a_list_of_half_a_row_sums_to_one});
  suite.property({"equal_tokens_come_by_rising_id", "Of equal tokens the first ids are listed, in order.",
                  equal_tokens_come_by_rising_id, 1});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "n out of range, tokens that are none, masks that are none.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation,
                                   call_of(rows_of(RowKind::ladder, 1, 4, 1, 1), 2).arguments(), "n",
                                   "a sound call");
                  }});
  const auto fault = [&](const char* id, const char* fault_class, const char* what,
                         Backend backend = Backend::cpu) {
    suite.mutant({std::string("sampling.log_probs.") + id, fault_class, what, backend});
  };
  fault("one_less", "off by one", "n - 1 tokens are listed");
  fault("ties_by_falling_id", "wrong order", "of equal tokens the greatest id comes first");
  fault("not_normalised", "missing term", "the logarithm of the sum is left out");
  fault("mass_of_the_first", "wrong scope", "probabilities are among the tokens that are listed");
  fault("rank_from_one", "off by one", "the first token has rank 1");
  fault("rank_without_ties", "missing condition", "equal tokens before it do not count for a rank");
  fault("forbidden_ranked", "missing condition", "a chosen token that is not allowed has a rank");
  fault("mask_ignored", "missing mask", "tokens that the mask forbids are listed");
  fault("cuda_one_less", "off by one", "n - 1 tokens are listed", Backend::cuda);
  fault("cuda_ties_by_warp", "tie by thread", "of equal tokens every warp counts its own as the first",
        Backend::cuda);
  fault("cuda_not_sorted", "wrong order", "the list is left as it was collected", Backend::cuda);
  fault("cuda_not_normalised", "missing term", "the logarithm of the sum is left out", Backend::cuda);
  fault("cuda_rank_from_one", "off by one", "the first token has rank 1", Backend::cuda);
  fault("cuda_rank_without_ties", "missing condition", "equal tokens before it do not count for a rank",
        Backend::cuda);
  fault("cuda_forbidden_ranked", "missing condition", "a chosen token that is not allowed has a rank",
        Backend::cuda);
  fault("cuda_id_unchecked", "missing condition", "a chosen token beyond the last is read", Backend::cuda);
  fault("cuda_mask_ignored", "missing mask", "tokens that the mask forbids are listed", Backend::cuda);
}

}  // namespace assay::validation::sampling
