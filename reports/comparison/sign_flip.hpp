#pragma once

#include <cstddef>
#include <span>

/// The exact sign-flip test: of paired differences, each of which would be as likely with the other sign
/// where nothing changed. Its only assumption is that symmetry, and drawing the order of the two programs in
/// every block provides it; no distribution is assumed.
namespace assay::reports {

/// The most differences that the test takes: it counts all 2^n patterns of signs, by halves.
inline constexpr std::size_t most_differences = 40;

/// The p-value for "the centre is above `margin`" against "at or below it": the share of the 2^n patterns of
/// signs that give the values d - margin a sum at least as large as their own. At least 2^-n. 1 without
/// differences. Sums that differ by less than their rounding count as equal, which errs towards 1. Throws
/// std::invalid_argument for more than `most_differences` or one that is not finite.
///
/// Fisher, The Design of Experiments (1935), section 21; Pitman 1937. The patterns are counted from the
/// sorted sums of two halves (Horowitz and Sahni 1974), so that n = 40 costs a million sums and not 2^40.
double sign_flip_above(std::span<const double> differences, double margin);

/// The same for "the centre is below -margin".
double sign_flip_below(std::span<const double> differences, double margin);

/// The smallest p-value that n differences can give: 2^-n.
double smallest_p(std::size_t differences);

/// The fewest differences that can give a p-value at or below this level.
std::size_t fewest_differences(double level);

/// The interval of all centres that neither one-sided test rejects at (1 - confidence) / 2: unadjusted. The
/// whole line (infinite ends) where n is too small to reject anything at that level.
struct CentreInterval {
  double low = 0.0;
  double high = 0.0;
};
CentreInterval centre_interval(std::span<const double> differences, double confidence = 0.95);

/// Two one-sided tests (Schuirmann 1987) for "the centre lies between low and high": the larger of the two
/// p-values, each by sign flips.
double equivalence_p(std::span<const double> differences, double low, double high);

/// The smallest centre, of either sign, that the one-sided test with this margin would reject at `level` if
/// `blocks` differences scattered as these do (their distances from their median, in turn). Infinite where
/// so many differences cannot reach the level, or where there are none.
double smallest_visible(std::span<const double> differences, double margin, double level, std::size_t blocks);

}  // namespace assay::reports
