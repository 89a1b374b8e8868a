#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace assay::validation::transfer_entropy {

/// All permutations of 0 .. n - 1 in lexicographic order.
std::vector<std::vector<std::int64_t>> all_permutations(std::int64_t n);
/// Place of a permutation in that list (Lehmer).
std::int64_t number_of(std::span<const std::int64_t> order);

/// Orders of the rows that circular shifts within each trial give, one for each combination of lags, the last
/// trial's lag running fastest: lags of a trial of L rows from m to L - m, m = max(1, ceil(L / 10)); a trial
/// of one row stays. Row i becomes row order[i].
std::vector<std::vector<std::int64_t>> all_shifts(std::span<const std::int64_t> trial_lengths);

}  // namespace assay::validation::transfer_entropy
