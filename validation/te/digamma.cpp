#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "validation/all_of.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"

namespace assay::validation::te {

namespace {

constexpr const char* operation = "te.digamma";

HostArguments of(const std::vector<double>& x) {
  HostArguments arguments;
  arguments.inputs.emplace("x", Tensor::from(x, {static_cast<std::int64_t>(x.size())}));
  return arguments;
}

// Arguments above 0 from a cloud: magnitudes, shifted off 0; those near integers up to 40 cross every branch
// of the recurrence.
std::vector<double> positive(const Cloud& cloud) {
  std::vector<double> x = cloud.values();
  for (double& value : x) value = std::abs(value) + 0x1p-10;
  return x;
}

// What the operation's own bound allows for psi(x), from the arguments alone (engine/te/digamma.hpp).
double allowed(double x, double psi) {
  const double value[] = {psi};
  const HostArguments arguments = of({x});
  return find_operation(operation)->error_bound(arguments.view(), "psi", value).front();
}

void matches_reference(Probe& probe) {
  CloudLimits limits;
  limits.min_rows = 0;
  limits.max_rows = 300;
  limits.max_columns = 1;
  limits.max_exponent = 40;
  probe.expect_reference(operation, of(positive(*clouds(limits))));
}

// Around the numbers of arguments that the bodies are cut at.
void matches_reference_around_the_chunks(Probe& probe) {
  std::vector<Cloud> list;
  for (const std::int64_t count : {4095, 4096, 4097, 12'289})
    list.push_back({.rows = count,
                    .columns = 1,
                    .filling = Filling::cauchy,
                    .seed = probe.seed() + static_cast<std::uint64_t>(count)});
  const auto shrinks = [](const Cloud& cloud) { return simpler(cloud, {.max_columns = 1}); };
  for (const Cloud& cloud : *all_of(list, shrinks).as("x"))
    probe.expect_reference(operation, of(positive(cloud)));
}

void recurrence(Probe& probe) {
  CloudLimits limits;
  limits.max_columns = 1;
  limits.max_exponent = 0;
  // Multiples of 2^-20 below 2^20: x + 1 is exact.
  std::vector<double> x = positive(*clouds(limits));
  for (double& value : x) value = std::min(std::ceil(value * 0x1p20) * 0x1p-20, 0x1p20);
  std::vector<double> both = x;
  for (double value : x) both.push_back(value + 1);
  const auto outputs = probe.run(operation, of(both));
  const auto psi = outputs.at("psi").as<double>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double next = psi[x.size() + i];
    // Two values with their own errors, one division, two subtractions of numbers up to 1/x + |psi|.
    const double rounding = 0x1p-52 * (1 / x[i] + std::abs(psi[i]) + std::abs(next));
    probe.expect_within("psi(x + 1) - psi(x) - 1/x", next - psi[i] - 1 / x[i],
                        allowed(x[i], psi[i]) + allowed(x[i] + 1, next) + rounding);
  }
}

void duplication(Probe& probe) {
  CloudLimits limits;
  limits.max_columns = 1;
  limits.max_exponent = 0;
  std::vector<double> x = positive(*clouds(limits));
  std::vector<double> all;
  for (double& value : x) {
    value = std::min(std::ceil(value * 0x1p20) * 0x1p-20, 0x1p20);
    for (double argument : {value, value + 0.5, 2 * value}) all.push_back(argument);
  }
  const auto outputs = probe.run(operation, of(all));
  const auto psi = outputs.at("psi").as<double>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double low = psi[3 * i], high = psi[3 * i + 1], twice = psi[3 * i + 2];
    const double rounding = 0x1p-51 * (std::abs(low) + std::abs(high) + std::abs(twice) + 1);
    probe.expect_within("psi(2x) - (psi(x) + psi(x + 1/2))/2 - ln 2",
                        twice - 0.5 * (low + high) - std::numbers::ln2,
                        allowed(x[i], low) + allowed(x[i] + 0.5, high) + allowed(2 * x[i], twice) + rounding);
  }
}

void known_values(Probe& probe) {
  // Euler's constant and closed forms; the last three are sums of reciprocals: psi(n) = H(n-1) - gamma.
  std::vector<double> x = {1, 2, 0.5, 4, 10, 100, 1000};
  const double gamma = std::numbers::egamma;
  const auto harmonic = [](int n) {
    double sum = 0;
    for (int i = n; i >= 1; --i) sum += 1.0 / i;  // smallest first: an error of a few units in the last place
    return sum;
  };
  const std::vector<double> expected = {-gamma,
                                        1 - gamma,
                                        -gamma - 2 * std::numbers::ln2,
                                        harmonic(3) - gamma,
                                        harmonic(9) - gamma,
                                        harmonic(99) - gamma,
                                        harmonic(999) - gamma};
  const auto outputs = probe.run(operation, of(x));
  const auto psi = outputs.at("psi").as<double>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    probe.expect_within("psi(" + std::to_string(x[i]) + ")", psi[i] - expected[i],
                        allowed(x[i], expected[i]) + 16 * 0x1p-53 * std::abs(expected[i]));
  }
  probe.expect_within("psi(1) as tabulated", psi[0] + 0.5772156649, 0.5e-10);
  probe.expect_within("psi(10) as tabulated", psi[4] - 2.2517525891, 0.5e-10);
  probe.expect_within("psi(1000) as tabulated", psi[6] - 6.9072551956, 0.5e-10);
}

void refusals(Probe& probe) {
  for (double bad :
       {0.0, -1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    expect_refused(probe, operation, of({1.0, bad}), "x", "an argument of " + std::to_string(bad),
                   RefusalOf::value);
  }
}

}  // namespace

void describe_digamma(Suite& suite) {
  suite.calls([] {
    CloudLimits limits;
    limits.max_rows = 300;
    limits.max_columns = 1;
    return of(positive(*clouds(limits)));
  });
  suite.property(
      {.name = "matches_reference",
       .summary = "Every value lies within the proven bound of the reference, for any count of arguments.",
       .body = matches_reference,
       .cases = 1000});
  suite.property({.name = "matches_reference_around_the_chunks",
                  .summary = "The same around and beyond the count of arguments that a body is cut at.",
                  .body = matches_reference_around_the_chunks,
                  .cases = 1});
  suite.property({.name = "recurrence",
                  .summary = "psi(x + 1) = psi(x) + 1/x within the bounds of both values.",
                  .body = recurrence,
                  .cases = 1000});
  suite.property(
      {.name = "duplication",
       .summary = "psi(2x) = (psi(x) + psi(x + 1/2))/2 + ln 2 within the bounds of the three values.",
       .body = duplication,
       .cases = 1000});
  suite.property({.name = "known_values",
                  .summary = "Closed forms at 1/2 and at integers, and tabulated values.",
                  .body = known_values,
                  .cases = 1});
  suite.property({.name = "refuses_bad_arguments",
                  .summary = "Zero, negative, infinite and NaN arguments are refused by name.",
                  .body = refusals,
                  .cases = 1,
                  .negative_control = [](Probe& probe) {
                    expect_refused(probe, operation, of({1.0}), "x", "a legal argument");
                  }});
  suite.mutant({"te.digamma.series_term_dropped", "formula", "the x^-8 term of the series is left out"});
  suite.mutant({"te.digamma.too_few_recurrences", "formula", "the recurrence stops at 3 instead of 8"});
  suite.mutant({"te.digamma.half_term_sign", "formula", "+ 1/(2x) in place of - 1/(2x)"});
  suite.mutant({"te.digamma.last_element_lost", "unhandled tail", "the last element is not written"});
  suite.mutant(
      {"te.digamma.reciprocals_shifted", "off by one", "the recurrence adds 1/(x + 1) in place of 1/x"});
  suite.mutant({"te.digamma.single_precision_recurrence", "low-precision accumulator",
                "the recurrence's sum is rounded to float"});
  suite.mutant({"te.digamma.later_chunks_lost", "lost tile", "elements after the first chunk are not written",
                Backend::cpu,
                "a second chunk begins after 4,096 arguments, and psi refuses 0: all of them are above it"});
  suite.mutant({"te.digamma.cuda_unhandled_tail", "unhandled tail",
                "elements after the last whole block of threads are not written", Backend::cuda});
  suite.mutant({"te.digamma.cuda_single_precision_log", "precision", "the logarithm is taken in float",
                Backend::cuda});
  suite.mutant({"te.digamma.cuda_domain_unchecked", "missing check",
                "an argument outside the domain is not reported", Backend::cuda});
  const auto on_device = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant({id, fault_class, what, Backend::cuda});
  };
  on_device("te.digamma.cuda_zero_accepted", "missing check", "0 is taken for an argument of the domain");
  on_device("te.digamma.cuda_series_term_dropped", "formula", "the x^-8 term of the series is left out");
  on_device("te.digamma.cuda_half_term_sign", "formula", "+ 1/(2x) in place of - 1/(2x)");
  on_device("te.digamma.cuda_reciprocals_shifted", "off by one",
            "the recurrence adds 1/(x + 1) in place of 1/x");
  on_device("te.digamma.cuda_single_precision_recurrence", "low-precision accumulator",
            "the sum of the reciprocals is rounded to float");
  suite.mutant({"te.digamma.domain_unchecked", "missing check",
                "an argument that is negative, infinite or NaN is not refused"});
}

}  // namespace assay::validation::te
