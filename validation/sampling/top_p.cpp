#include <cmath>
#include <limits>

#include "validation/filters/properties.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"

namespace assay::validation::sampling {

namespace {

using namespace filters;
constexpr const char* operation = "sampling.top_p";

/// How far a mass may be from that of exact arithmetic: n 2^-46 + 4e-14 of the most likely token's, as the
/// contract has it, and the extended precision that it is compared in here.
long double mass_error(std::size_t tokens) {
  return static_cast<long double>(tokens) * 0x1p-46L + 4.1e-14L;
}

/// What is kept reaches p, and without its last token it does not.
void reaches_p_and_no_sooner(Probe& probe, const Call& call, const HostArguments& arguments,
                             const TensorMap& outputs) {
  const auto rows = rows_in(arguments);
  const auto p = arguments.inputs.at("top_p").as<double>();
  const auto kept = outputs.at("kept").as<std::int32_t>();
  for (std::size_t at = 0; at < rows.size(); ++at) {
    const auto numerators = numerators_of(rows[at]);
    long double whole = 0, mass = 0, without_last = 0;
    for (const long double each : numerators) whole += each;
    const auto count = static_cast<std::size_t>(kept[at]);
    probe.expect(count <= rows[at].order.size(), "no more is kept than is allowed");
    for (std::size_t place = 0; place < count; ++place) {
      without_last = mass;
      mass += numerators[static_cast<std::size_t>(rows[at].order[place])];
    }
    if (p[at] >= 1) {
      probe.expect(count == rows[at].order.size(), "p of 1 or more keeps all");
      continue;
    }
    if (!(whole > 0)) continue;
    const long double error = mass_error(numerators.size());
    probe.expect(mass / whole >= p[at] - error, "the mass of what is kept reaches p");
    if (static_cast<std::int64_t>(count) > std::max<std::int64_t>(1, call.min_keep))
      probe.expect(without_last / whole < p[at] + error, "without its last token it does not reach p");
  }
}

/// 2^n equal tokens: p = k / 2^n is met by k of them exactly, and the next larger p by one more.
void decides_to_the_last_bit(Probe& probe) {
  const std::int64_t v = std::int64_t{1} << *integers(1, 11, "log2 of the equal tokens");
  const std::int64_t wanted = *integers(1, v - 1, "tokens to keep");
  const double exact = static_cast<double>(wanted) / static_cast<double>(v);
  HostArguments arguments;
  arguments.inputs.emplace(
      "logits", Tensor::from<float>(std::vector<float>(static_cast<std::size_t>(2 * v), -3.0F), {2, v}));
  arguments.inputs.emplace("top_p", Tensor::from<double>({exact, std::nextafter(exact, 1.0)}, {2}));
  const auto outputs = probe.run(operation, arguments);
  const auto left = left_in(outputs);
  for (std::int64_t row = 0; row < 2; ++row) {
    const LeftOfRow& of_row = left[static_cast<std::size_t>(row)];
    probe.expect(of_row.kept == wanted + row,
                 row == 0 ? "p of exactly so many tokens keeps those" : "the next larger p keeps one more");
    for (std::int64_t id = 0; id < v; ++id) {
      const bool first = id < wanted + row;
      probe.expect(of_row.left[static_cast<std::size_t>(id)] == first, "the lowest ids are kept");
      probe.expect(of_row.logits[static_cast<std::size_t>(id)] ==
                       (first ? -3.0F : -std::numeric_limits<float>::infinity()),
                   "with their logits");
    }
  }
}

/// What a smaller p keeps, a larger one keeps too.
void grows_with_p(Probe& probe) {
  Call call = draw(operation);
  call.min_keep = 1;
  const HostArguments arguments = call.arguments();
  const auto p_of = [&](double share) {
    return logits::per_row<double>(call.rows.rows, [&](std::int64_t) { return share; });
  };
  const double low = static_cast<double>(*integers(0, 1000, "smaller p (thousandths)")) / 1000;
  const double high = static_cast<double>(*integers(0, 1000, "larger p (thousandths)")) / 1000;
  const auto less = left_in(probe.run(operation, with_input(arguments, "top_p", p_of(std::min(low, high)))));
  const auto more = left_in(probe.run(operation, with_input(arguments, "top_p", p_of(std::max(low, high)))));
  for (std::size_t row = 0; row < less.size(); ++row) {
    probe.expect(less[row].kept <= more[row].kept, "a larger p keeps at least as many");
    for (std::size_t id = 0; id < less[row].left.size(); ++id) {
      probe.expect(!less[row].left[id] || more[row].left[id], "what a smaller p keeps, a larger one keeps");
      if (less[row].left[id])
        probe.expect(less[row].logits[id] == more[row].logits[id], "with the same logit");
    }
  }
}

/// The same, with the two calls exchanged: what is larger is said to be smaller.
void shrinks_with_p(Probe& probe) {
  const Call call = draw(operation);
  const HostArguments arguments = call.arguments();
  const auto kept_with = [&](double p) {
    const auto outputs = probe.run(
        operation, with_input(arguments, "top_p",
                              logits::per_row<double>(call.rows.rows, [&](std::int64_t) { return p; })));
    return outputs.at("kept").as<std::int32_t>()[0];
  };
  probe.expect(kept_with(1.0) <= kept_with(0.5), "a larger p keeps no more");
}

void refuses_bad_arguments(Probe& probe) {
  Call sound;
  sound.operation = operation;
  sound.rows = rows_of(logits::RowKind::normal, 2, 9, 1, 1);
  const HostArguments arguments = sound.arguments();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_refused(probe, operation, with_input(arguments, "top_p", Tensor::from<double>({0.5, nan}, {2})),
                 "top_p", "a NaN", RefusalOf::value);
  expect_refused(probe, operation, with_input(arguments, "top_p", Tensor::from<float>({0.5F, 0.5F}, {2})),
                 "top_p", "another type");
  HostArguments negative = arguments.clone();
  negative.parameters["min_keep"] = std::int64_t{-1};
  expect_refused(probe, operation, negative, "min_keep", "min_keep below 0");
}

}  // namespace

void describe_top_p(Suite& suite) {
  add_reference_properties(suite);
  add_survivors_agree(suite);
  add_prefix(suite);
  add_look(suite, {"reaches_p_and_no_sooner",
                   "The mass of what is kept reaches p, and without its last token it does not.",
                   reaches_p_and_no_sooner, [](TensorMap& outputs) {
                     // Nothing kept reaches no p above 0; more than there are is never right.
                     const Tensor& left = outputs.at("left_logits");
                     outputs.at("kept").as<std::int32_t>()[0] =
                         static_cast<std::int32_t>(left.shape()[1]) + 1;
                   }});
  suite.property({"decides_to_the_last_bit",
                  "Of 2^n equal tokens p = k / 2^n keeps k, and the next larger p one more.",
                  decides_to_the_last_bit, 100});
  suite.property({.name = "grows_with_p",
                  .summary = "What a smaller p keeps, a larger one keeps too.",
                  .body = grows_with_p,
                  .cases = 100,
                  .negative_control = shrinks_with_p});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "NaN, wrong types, min_keep out of range.",
                  .body = refuses_bad_arguments,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation, draw(operation).arguments(), "top_p", "a sound call");
                  }});
  add_fault(suite, "of_the_first_row", "wrong index", "all rows are cut at the p of the first");
  add_fault(suite, "single_precision", "low precision", "p is rounded to float");
  add_fault(suite, "crossing_token_dropped", "off by one", "the token that crosses p is dropped");
  add_fault(suite, "cuda_exclusive_sum", "off by one", "the token that crosses p is dropped", Backend::cuda);
  add_fault(suite, "cuda_mass_rounded_down", "rounding", "the mass that p needs is a unit too small",
            Backend::cuda);
  add_fault(suite, "cuda_estimate_decides", "low precision",
            "the cut is made by the estimated mass, 2e-4 off", Backend::cuda);
  add_fault(suite, "cuda_min_keep_ignored", "missing condition", "fewer than min_keep are kept",
            Backend::cuda);
}

}  // namespace assay::validation::sampling
