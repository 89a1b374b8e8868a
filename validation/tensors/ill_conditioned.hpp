#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensors/dtype.hpp"

namespace assay::validation {

/// Numbers whose sum is ill-conditioned, and how much: after Ogita, Rump, Oishi 2005 ("Accurate sum and dot
/// product", SIAM J. Sci. Comput. 26, 1955, algorithm 6.1), for a sum in place of a dot product and with
/// integers in place of their extended precision, so that the condition number is exact. All terms are
/// multiples of one unit and every partial sum in any order stays below 2^62 units.
struct IllConditionedSum {
  std::vector<double> terms;    ///< exactly representable in the type, in random order
  double unit = 1;              ///< all terms are integer multiples of it
  std::int64_t sum = 0;         ///< exact, in units; not 0 where there are terms
  std::int64_t magnitudes = 0;  ///< sum of the |terms|, exact, in units
  double condition() const {    ///< magnitudes / |sum|, rounded once; 1 without terms
    return sum == 0 ? 1 : static_cast<double>(static_cast<long double>(magnitudes) / (sum < 0 ? -sum : sum));
  }
};

/// The largest exponent of a condition number that may be asked for.
int most_condition_bits(DType type);

/// n numbers of the type with a condition number near 2^bits, as far as so few numbers, or so many within the
/// range of the type, can have it: the value says what it came to. n = 1 has condition 1.
IllConditionedSum ill_conditioned_sum(DType type, std::int64_t n, int bits, std::uint64_t seed);

}  // namespace assay::validation
