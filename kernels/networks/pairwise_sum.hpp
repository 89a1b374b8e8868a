#pragma once

#include <algorithm>
#include <span>

namespace assay::kernels::networks {

/// Sum in an order that depends on nothing but the number of values, each of which takes part in at most
/// ceil(log2 n) additions.
inline double pairwise_sum(std::span<const double> values) {
  if (values.size() <= 8) {
    double leaf[8] = {};
    std::copy(values.begin(), values.end(), leaf);
    return ((leaf[0] + leaf[1]) + (leaf[2] + leaf[3])) + ((leaf[4] + leaf[5]) + (leaf[6] + leaf[7]));
  }
  const std::size_t half = values.size() / 2;
  return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
}

}  // namespace assay::kernels::networks
