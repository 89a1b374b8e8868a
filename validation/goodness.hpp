#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "validation/suite.hpp"

namespace assay::validation {

/// How draws of a categorical variable are held against exact probabilities.
struct GoodnessOptions {
  double alpha = 1e-6;          ///< of one test; a red is confirmed by a second
  double alone_above = 0.02;    ///< a category more probable than this has a bin of its own
  std::int64_t tail_bins = 50;  ///< at most so many for all others
  double least_expected = 5;    ///< draws of a bin; bins below it are merged
};

/// Bins of categories: a function of the probabilities, the number of draws and the seed, never of what was
/// drawn.
struct Binning {
  std::vector<std::int32_t> bin_of;   ///< of each category; -1: probability 0, no draw may have it
  std::vector<double> probabilities;  ///< of each bin, summing to 1
  int degrees_of_freedom() const { return static_cast<int>(probabilities.size()) - 1; }
};

/// A category more probable than `alone_above` is a bin; the others go into `tail_bins` by a hash of
/// (seed, category), so that no fixed binning hides a shift. While the bin with the smallest expectation is
/// below `least_expected` draws, it and the next smallest become one. Refused (std::invalid_argument): no
/// draws; probabilities that are negative, not finite, or whose sum is off 1 by more than 1e-9 (beyond the
/// rounding of a sum, and at 10^9 draws invisible); a single bin that holds several categories, where nothing
/// would be tested. Probabilities are divided by their sum.
Binning bins_of(std::span<const double> probabilities, std::int64_t draws, std::uint64_t seed,
                const GoodnessOptions& options = {});

/// `count` draws of a category under a seed: indices of the probabilities.
using DrawCategories = std::function<std::vector<std::int64_t>(std::uint64_t seed, std::int64_t count)>;

/// What a test saw: the last one, where a red was confirmed or not.
struct Goodness {
  bool red = false;
  std::optional<std::int64_t> outside = {};  ///< a category that was drawn and is impossible
  double statistic = 0;                      ///< Pearson's chi-squared
  int degrees_of_freedom = 0;                ///< bins less 1
  double p_value = 1;                        ///< 0 where such a draw was seen
  int bins = 0;
  std::int64_t draws = 0;
  std::uint64_t seed = 0;
  int tests = 1;  ///< 2: the first was red
  std::string words() const;
};

/// One test of counted draws, one count a category. A draw of a category of probability 0 is red whatever
/// else was drawn, and no p-value. Otherwise Pearson's chi-squared over `bins_of` (Pearson 1900,
/// Philosophical Magazine 50, 157), red below alpha. Its distribution (Boost.Math) is that of many draws, so
/// that the rate of false alarms is alpha within a factor; the factor is largest for a rare bin beside a
/// common one, where at an expectation of 5 or more and alpha 1e-6 the rate is at most 8e-5
/// (goodness_test.cpp).
Goodness test_counts(std::span<const double> probabilities, std::span<const std::int64_t> counts,
                     std::uint64_t seed, const GoodnessOptions& options = {});

/// The same for draws one by one; one that is no category at all is red too.
Goodness test_draws(std::span<const double> probabilities, std::span<const std::int64_t> draws,
                    std::uint64_t seed, const GoodnessOptions& options = {});

/// The test, and where its chi-squared is red a second one with draws and bins of a fresh seed; red is what
/// is red twice, or impossible once. The rate of false alarms is the square of one test's: 1e-12 as
/// chi-squared has it, at most 4.8e-9 where an expectation is 5. Refused: what `bins_of` refuses, and a
/// function that does not give as many draws as asked for.
Goodness goodness_of_fit(std::span<const double> probabilities, const DrawCategories& draw,
                         std::int64_t draws, std::uint64_t seed, const GoodnessOptions& options = {});

/// goodness_of_fit with the seed of the case, noted, and asserted not to be red.
void expect_fits(Probe& probe, std::string_view what, std::span<const double> probabilities,
                 const DrawCategories& draw, std::int64_t draws, const GoodnessOptions& options = {});

/// Equal probabilities of `categories`.
std::vector<double> uniform_probabilities(std::int64_t categories);

}  // namespace assay::validation
