#include "engine/te/digamma.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/runtime/error.hpp"

namespace assay::te {
namespace {

std::vector<double> psi_of(const std::vector<double>& x) {
  Context context = Context::cpu(2);
  const auto n = static_cast<std::int64_t>(x.size());
  Tensor psi(DType::f64, {n});
  const Tensor arguments = Tensor::from(x, {n});
  digamma(context, arguments.view(), psi.view());
  const auto values = psi.as<double>();
  return {values.begin(), values.end()};
}

TEST(Digamma, GoldenValues) {
  const std::vector<double> psi = psi_of({1, 2, 4, 10, 100, 1000});
  const double expected[] = {-0.5772156649, 0.4227843351, 1.2561176684,
                             2.2517525891,  4.6001618527, 6.9072551956};
  for (std::size_t i = 0; i < psi.size(); ++i) EXPECT_NEAR(psi[i], expected[i], 5.1e-11);
}

TEST(Digamma, KnownInClosedForm) {
  const double euler = 0.57721566490153286061;
  EXPECT_NEAR(psi_of({0.5})[0], -euler - 2 * std::log(2.0), 1e-15);
  EXPECT_NEAR(psi_of({0.25})[0], -euler - std::acos(-1.0) / 2 - 3 * std::log(2.0), 2e-15);
  double harmonic = 0;
  for (int m = 1; m < 200; ++m) {
    EXPECT_NEAR(psi_of({static_cast<double>(m)})[0], harmonic - euler, 4e-15) << m;
    harmonic += 1.0 / m;
  }
}

TEST(Digamma, RecurrenceHoldsWhereTheSeriesBegins) {
  for (double x = 0.001; x < 30; x *= 1.05) {
    const std::vector<double> psi = psi_of({x, x + 1});
    EXPECT_NEAR(psi[1], psi[0] + 1 / x, 4e-15 * (1 + 1 / x)) << x;
  }
}

TEST(Digamma, RefusesWhatIsNotAboveZero) {
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")})
    EXPECT_THROW(psi_of({1.0, bad}), ContractError) << bad;
  EXPECT_TRUE(psi_of({}).empty());
}

}  // namespace
}  // namespace assay::te
