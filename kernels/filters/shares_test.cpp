#include "kernels/filters/shares.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/runtime/philox.hpp"
#include "kernels/distribution/share.hpp"

namespace assay::kernels::filters {
namespace {

TEST(Shares, VectorsGiveTheBitsOfTheScalars) {
  Philox random(1);
  for (const float maximum : {3.0F, -80.0F, 1e30F, std::numeric_limits<float>::infinity()}) {
    std::vector<float> logits;
    for (int i = 0; i < 1'003; ++i) {
      const float below = 900 * random.uniform_float() * random.uniform_float();
      logits.push_back(i % 50 == 0   ? maximum
                       : i % 50 == 1 ? -std::numeric_limits<float>::infinity()
                                     : maximum - below);
    }
    const double inverse = distribution::inverse_mass(std::uint64_t{5} << distribution::weight_bits);
    std::vector<float> shares(logits.size(), -1);
    write_shares(logits.data(), std::ssize(logits), maximum, inverse, shares.data());
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const float expected =
          distribution::share_at(distribution::distance_below(maximum, logits[i]), inverse);
      EXPECT_EQ(std::memcmp(&shares[i], &expected, sizeof expected), 0) << logits[i] << " under " << maximum;
    }
  }
}

TEST(Shares, AreZeroWhereNothingWeighsAnything) {
  const std::vector<float> logits(9, -std::numeric_limits<float>::infinity());
  std::vector<float> shares(9, -1);
  write_shares(logits.data(), 9, logits[0], distribution::inverse_mass(0), shares.data());
  for (const float share : shares) EXPECT_EQ(share, 0.0F);
}

TEST(Shares, ReachFarBelowTheUnitOfAWeight) {
  const double inverse = distribution::inverse_mass(std::uint64_t{1} << distribution::weight_bits);
  EXPECT_EQ(distribution::weight_at(40), 0u);
  EXPECT_NEAR(distribution::share_at(40, inverse) / std::exp(-40.0), 1, 1e-7);
  EXPECT_EQ(distribution::share_at(0, inverse), 1.0F);
}

}  // namespace
}  // namespace assay::kernels::filters
