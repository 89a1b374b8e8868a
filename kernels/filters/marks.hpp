#pragma once

#include <cstdint>

#include "kernels/filters/raw_row.hpp"

/// One sweep over a row as it lies in memory that marks what is large and, if asked, estimates what the rest
/// weighs. Marks: bit i % 64 of word i / 64 says whether element i is `bound` or more; a NaN is not. Bits
/// beyond the last element are 0.
namespace assay::kernels::filters {

/// Words that the marks of so many elements take.
constexpr std::int64_t words_of_marks(std::int64_t count) {
  return (count + 63) / 64;
}

void mark_from(const RawRow& row, float bound, std::uint64_t* marks);

/// Lists what is marked by rising position, -0 as +0. Stops within 64 after `most`: then there is more, and
/// so much room is needed. Returns how many are listed.
std::int64_t list_marked(const RawRow& row, const std::uint64_t* marks, std::int64_t most, float* logits,
                         std::int32_t* positions);

/// The sum of 2^y, y = l scale - offset, over the elements that are not marked, in single precision. How far
/// off, with u = 2^-24:
/// * y is rounded once (a fused multiply-add), by u |y| at most, and raised to -115 where it is less;
/// * 2^y = 2^n 2^f, n the integer nearest to y, f = y - n exactly: the polynomial for 2^f is off by less than
///   1.9 u (relative), its roundings by less than 1.4 u: the last by u at most, and of those before each
///   counts |f| <= 1/2 times as much as the next, or less;
/// * terms are added in float `additions` times at most, u each, and in double beyond.
/// So, where y was not raised, a term's factor is within (ln(2) |y| + 3.3 + additions) u, to first order.
struct OthersSum {
  double sum;
  int additions;
};

/// Bound on the factors of the polynomial above, and the least that y is raised to.
inline constexpr double term_error = 3.3;
inline constexpr float least_power = -115;

/// Whether this machine has the instructions for `mark_and_sum`.
bool can_sum();

/// Marks as above, and the estimate for the elements that are not marked, NaN left out.
/// Precondition: can_sum(); y is less than 1 for what is not marked.
OthersSum mark_and_sum(const RawRow& row, float bound, float scale, float offset, std::uint64_t* marks);

}  // namespace assay::kernels::filters
