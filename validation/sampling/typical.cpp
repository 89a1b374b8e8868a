#include <algorithm>
#include <cmath>
#include <limits>

#include "validation/filters/properties.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"

namespace assay::validation::sampling {

namespace {

using namespace filters;
constexpr const char* operation = "sampling.typical";

/// Nothing that is dropped is nearer to the entropy than what is kept; the mass reaches p. In extended
/// precision. The body's D, a quotient of two sums of integers in units of 2^-45, is off by less than
/// n 2^-40 + 1e-12 where D <= ln n: n (1 + D) 2^-46 by rounding to units, n 32 exp(-32) < n 2^-41 by what is
/// 32 or more below the maximum and weighs nothing, 1e-13 D by the exponential. A distance in double is off
/// by 2^-53 of itself, twice.
void keeps_the_nearest(Probe& probe, const Call&, const HostArguments& arguments, const TensorMap& outputs) {
  const auto rows = rows_in(arguments);
  const auto all_left = left_in(outputs);
  const auto p = arguments.inputs.at("typical_p").as<double>();
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const Row& row = rows[at];
    const auto numerators = numerators_of(row);
    const auto n = static_cast<long double>(numerators.size());
    long double whole = 0, mean = 0, mass = 0;
    for (const long double each : numerators) whole += each;
    if (!(whole > 0)) continue;
    const long double most = row.logits[static_cast<std::size_t>(row.order.front())];
    const auto distance = [&](std::int64_t id) {
      const long double logit = row.logits[static_cast<std::size_t>(id)];
      return logit == most ? 0 : most - logit;
    };
    for (const std::int64_t id : row.order)
      if (const long double each = numerators[static_cast<std::size_t>(id)]; each > 0)
        mean += each / whole * distance(id);
    long double farthest_kept = 0, nearest_dropped = std::numeric_limits<long double>::infinity();
    for (const std::int64_t id : row.order) {
      const long double away = std::fabs(distance(id) - mean);
      if (all_left[at].left[static_cast<std::size_t>(id)]) {
        farthest_kept = std::max(farthest_kept, away);
        mass += numerators[static_cast<std::size_t>(id)];
      } else {
        nearest_dropped = std::min(nearest_dropped, away);
      }
    }
    const long double error = 2 * (n * 0x1p-40L + 1e-12L);
    probe.expect(!(nearest_dropped < farthest_kept * (1 - 0x1p-51L) - error),
                 "what is dropped is no nearer to the entropy than what is kept");
    probe.expect(mass / whole >= std::min(p[at], 1.0) - (n * 0x1p-46L + 4.1e-14L),
                 "the mass of what is kept reaches p");
  }
}

/// 2^n equal tokens are all as near: the lowest ids are kept, k of them for p = k / 2^n.
void equal_tokens_go_by_id(Probe& probe) {
  const std::int64_t v = std::int64_t{1} << *integers(1, 11, "log2 of the equal tokens");
  const std::int64_t wanted = *integers(1, v - 1, "tokens to keep");
  HostArguments arguments;
  arguments.inputs.emplace(
      "logits", Tensor::from<float>(std::vector<float>(static_cast<std::size_t>(v), 2.5F), {1, v}));
  arguments.inputs.emplace("typical_p",
                           Tensor::from<double>({static_cast<double>(wanted) / static_cast<double>(v)}, {1}));
  const LeftOfRow left = left_in(probe.run(operation, arguments)).front();
  probe.expect(left.kept == wanted, "so many are kept");
  for (std::int64_t id = 0; id < v; ++id) {
    const auto at = static_cast<std::size_t>(id);
    probe.expect(left.left[at] == (id < wanted), "the lowest ids are kept");
    probe.expect(left.logits[at] == (id < wanted ? 2.5F : -std::numeric_limits<float>::infinity()),
                 "with their logits");
  }
}

/// Where the most likely token is far from the entropy it goes, which no prefix of the order can say.
void drops_what_is_too_likely(Probe& probe) {
  // 0.4 and 60 of 0.01: H = 3.13 nats; 0.92 and 4.61 are 2.21 and 1.48 away.
  std::vector<float> logits(61, std::log(0.01F));
  const std::int64_t likely = *integers(0, 60, "the likely token");
  logits[static_cast<std::size_t>(likely)] = std::log(0.4F);
  HostArguments arguments;
  arguments.inputs.emplace("logits", Tensor::from<float>(logits, {1, 61}));
  arguments.inputs.emplace("typical_p", Tensor::from<double>({0.5}, {1}));
  const LeftOfRow left = left_in(probe.run(operation, arguments)).front();
  // 50 of the 60 reach 0.5 to within the rounding of the logits to float; 51 do so surely.
  probe.expect(left.kept >= 50 && left.kept <= 51, "the many unlikely tokens make up the mass");
  std::int64_t place = 0;
  for (std::int64_t id = 0; id < 61; ++id) {
    const auto at = static_cast<std::size_t>(id);
    const bool expected = id != likely && place < left.kept;
    if (id != likely) ++place;
    probe.expect(left.left[at] == expected, "the likely token goes, the others stay by rising id");
    probe.expect(left.logits[at] == (expected ? logits[at] : -std::numeric_limits<float>::infinity()),
                 "with their logits");
  }
}

void refuses_bad_arguments(Probe& probe) {
  Call sound;
  sound.operation = operation;
  sound.rows = rows_of(logits::RowKind::normal, 2, 9, 1, 1);
  const HostArguments arguments = sound.arguments();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_refused(probe, operation, with_input(arguments, "typical_p", Tensor::from<double>({0.5, nan}, {2})),
                 "typical_p", "a NaN", RefusalOf::value);
  expect_refused(probe, operation, with_input(arguments, "typical_p", Tensor::from<double>({1, 1}, {1, 2})),
                 "typical_p", "another shape");
}

}  // namespace

void describe_typical(Suite& suite) {
  add_reference_properties(suite);
  add_survivors_agree(suite);
  add_look(suite, {"keeps_the_nearest",
                   "Nothing dropped is nearer to the entropy than what is kept, whose mass reaches p.",
                   keeps_the_nearest, [](TensorMap& outputs) {
                     // Of the first row nothing is left.
                     const auto words = static_cast<std::size_t>(outputs.at("left").shape()[1]);
                     for (std::size_t word = 0; word < words; ++word)
                       outputs.at("left").as<std::uint32_t>()[word] = 0;
                   }});
  suite.property({"equal_tokens_go_by_id", "Of 2^n equal tokens p = k / 2^n keeps the first k.",
                  equal_tokens_go_by_id, 100});
  suite.property({"drops_what_is_too_likely", "A likely token far from the entropy is not kept.",
                  drops_what_is_too_likely, 40});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "NaN, a wrong shape.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation, draw(operation).arguments(), "typical_p",
                                   "a sound call");
                  }});
  add_fault(suite, "of_the_first_row", "wrong index", "all rows are cut at the p of the first");
  add_fault(suite, "by_probability", "wrong order", "the most likely tokens are kept, as top_p does");
  add_fault(suite, "keeps_one_more", "off by one", "one token more than min_keep is always kept");
  add_fault(suite, "cuda_without_entropy", "missing term",
            "tokens are sorted by the distance from the maximum", Backend::cuda);
  add_fault(suite, "cuda_min_keep_ignored", "missing condition", "fewer than min_keep are kept",
            Backend::cuda);
}

}  // namespace assay::validation::sampling
