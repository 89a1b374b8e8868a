#include <algorithm>
#include <cmath>
#include <limits>

#include "validation/filters/properties.hpp"
#include "validation/refusals.hpp"

namespace assay::validation::sampling {

namespace {

using namespace filters;
constexpr const char* operation = "sampling.min_p";

/// Token by token, in extended precision. The body adds in double and takes ln p to 1e-15 (1 + |ln p|): what
/// lies nearer to the bound than that is anybody's.
void keeps_what_is_at_the_bound_or_above(Probe& probe, const Call& call, const HostArguments& arguments,
                                         const TensorMap& outputs) {
  const auto rows = rows_in(arguments);
  const auto all_left = left_in(outputs);
  const auto p = arguments.inputs.at("min_p").as<double>();
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const Row& row = rows[at];
    if (row.order.empty()) continue;
    const long double most = row.logits[static_cast<std::size_t>(row.order.front())];
    const long double log_p = p[at] > 0 ? std::log(static_cast<long double>(p[at])) : 0;
    const long double bound = p[at] > 0 ? most + log_p : -std::numeric_limits<long double>::infinity();
    const long double error =
        std::isinf(bound) ? 0 : 1e-15L * (1 + std::fabs(log_p)) + 0x1p-53L * std::fabs(bound);
    const auto least = static_cast<std::size_t>(std::max<std::int64_t>(1, call.min_keep));
    for (std::size_t place = 0; place < row.order.size(); ++place) {
      const auto id = static_cast<std::size_t>(row.order[place]);
      const long double logit = row.logits[id];
      if (logit >= bound + error) probe.expect(all_left[at].left[id], "what reaches the bound is kept");
      if (logit < bound - error && place >= least)
        probe.expect(!all_left[at].left[id], "what is below the bound is dropped");
    }
  }
}

void refuses_bad_arguments(Probe& probe) {
  Call sound;
  sound.operation = operation;
  sound.rows = rows_of(logits::RowKind::normal, 2, 9, 1, 1);
  const HostArguments arguments = sound.arguments();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {std::nextafter(1.0, 2.0), 1.5, nan})
    expect_refused(probe, operation, with_input(arguments, "min_p", Tensor::from<double>({0.5, bad}, {2})),
                   "min_p", "min_p above 1 or NaN", RefusalOf::value);
  expect_refused(probe, operation, with_input(arguments, "min_p", Tensor::from<double>({0.5}, {1})), "min_p",
                 "a value too few");
}

}  // namespace

void describe_min_p(Suite& suite) {
  add_reference_properties(suite);
  add_survivors_agree(suite);
  add_prefix(suite);
  add_idempotence(suite);
  add_look(suite, {"keeps_what_is_at_the_bound_or_above",
                   "l >= max l + ln p is kept and nothing else, token by token.",
                   keeps_what_is_at_the_bound_or_above, [](TensorMap& outputs) {
                     // Of the first row the opposite of every token, so that no min_keep can hide it.
                     const auto words = static_cast<std::size_t>(outputs.at("left").shape()[1]);
                     for (std::size_t word = 0; word < words; ++word)
                       outputs.at("left").as<std::uint32_t>()[word] ^= 0xFFFFFFFFu;
                   }});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "min_p above 1, NaN, a wrong shape.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation, draw(operation).arguments(), "min_p", "a sound call");
                  }});
  add_fault(suite, "of_the_first_row", "wrong index", "all rows are held to the min_p of the first");
  add_fault(suite, "sign_lost", "wrong sign", "a negative min_p cuts as its magnitude does");
  add_fault(suite, "keeps_one_more", "off by one", "one token more than min_keep is always kept");
  add_fault(suite, "cuda_strict", "strictness", "the token at the bound is dropped", Backend::cuda);
  add_fault(suite, "cuda_min_keep_ignored", "missing condition", "fewer than min_keep are kept",
            Backend::cuda);
  add_fault(suite, "cuda_ignored_row_stride", "ignored stride", "rows are taken to lie side by side",
            Backend::cuda);
}

}  // namespace assay::validation::sampling
