#include "validation/transfer_entropy/surrogate_orders.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace assay::validation::transfer_entropy {

std::vector<std::vector<std::int64_t>> all_permutations(std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::vector<std::int64_t>> all;
  do {
    all.push_back(order);
  } while (std::next_permutation(order.begin(), order.end()));
  return all;
}

std::int64_t number_of(std::span<const std::int64_t> order) {
  std::int64_t number = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto smaller = std::count_if(order.begin() + static_cast<std::ptrdiff_t>(i), order.end(),
                                       [&](std::int64_t other) { return other < order[i]; });
    number = number * static_cast<std::int64_t>(order.size() - i) + smaller;
  }
  return number;
}

std::vector<std::vector<std::int64_t>> all_shifts(std::span<const std::int64_t> trial_lengths) {
  std::vector<std::vector<std::int64_t>> all{{}};
  for (const std::int64_t length : trial_lengths) {
    const auto tenth = static_cast<std::int64_t>(std::ceil(static_cast<double>(length) / 10));
    const std::int64_t least = length == 1 ? 0 : std::max<std::int64_t>(1, tenth);
    const std::int64_t most = length == 1 ? 0 : length - least;
    std::vector<std::vector<std::int64_t>> longer;
    for (const auto& before : all)
      for (std::int64_t lag = least; lag <= most; ++lag) {
        auto order = before;
        const auto begin = static_cast<std::int64_t>(before.size());
        for (std::int64_t at = 0; at < length; ++at) order.push_back(begin + (at + length - lag) % length);
        longer.push_back(std::move(order));
      }
    all = std::move(longer);
  }
  return all;
}

}  // namespace assay::validation::transfer_entropy
