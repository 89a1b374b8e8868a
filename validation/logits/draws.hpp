#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "validation/suite.hpp"

/// Operations that draw tokens, held to the probabilities of what they draw from.
namespace assay::validation::logits {

/// An operation that draws a token of every row by that row's `seed` and `position`, and what it draws from.
struct Sampler {
  const char* operation;
  std::vector<float> logits;                                        ///< of every row
  std::function<void(HostArguments&, std::int64_t rows)> add = {};  ///< the other arguments
  std::vector<double> probabilities = {};                           ///< empty: softmax of the logits

  std::vector<double> expected() const;
};

/// What makes one draw different from the one before.
enum class Along : std::uint8_t {
  draws,      ///< of one row, where the operation has a parameter `draws`
  positions,  ///< of rows of one seed
  seeds,      ///< of rows at position 0
  both        ///< 1,000 positions of each seed
};
std::string_view name_of(Along along);

std::vector<std::int64_t> tokens_of(Probe& probe, const Sampler& sampler, std::uint64_t seed,
                                    std::int64_t count, Along along);

/// The tokens fit their distribution, and samplers that are 0.5 % away would be found (sampler_power.hpp).
void expect_distribution(Probe& probe, std::string_view what, const Sampler& sampler, std::int64_t draws,
                         Along along);

/// Pairs of neighbouring draws fit the product, and pairs that are 0.5 % away would be found.
void expect_independence(Probe& probe, const Sampler& sampler, std::int64_t pairs, Along along);

/// A negative control of both: tokens of a sampler that is 0.5 % away are held to fit.
void expect_distribution_of_another(Probe& probe, const Sampler& sampler, std::int64_t draws, Along along);

}  // namespace assay::validation::logits
