#include "reference/te/digamma.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace assay::reference::te {
namespace {

TEST(ReferenceDigamma, GivesTheTabulatedValues) {
  EXPECT_NEAR(digamma(1), -0.5772156649015329, 1e-16);
  EXPECT_NEAR(digamma(2), 0.4227843350984671, 1e-16);
  EXPECT_NEAR(digamma(4), 1.2561176684318005, 2e-16);
  EXPECT_NEAR(digamma(10), 2.2517525890667211, 4e-16);
  EXPECT_NEAR(digamma(100), 4.6001618527, 5e-11);
  EXPECT_NEAR(digamma(1000), 6.9072551956, 5e-11);
  // Gauss: psi(1/2) = -gamma - 2 ln 2
  EXPECT_NEAR(digamma(0.5), -std::numbers::egamma - 2 * std::numbers::ln2, 4e-16);
}

TEST(ReferenceDigamma, HoldsItsRecurrenceFarAndNear) {
  for (const double x : {1e-6, 0.3, 1.7, 25.0, 4e3, 1e7})
    EXPECT_NEAR(digamma(x + 1) - digamma(x), 1 / x, 4e-16 * (std::abs(digamma(x)) + 1 / x)) << x;
}

}  // namespace
}  // namespace assay::reference::te
