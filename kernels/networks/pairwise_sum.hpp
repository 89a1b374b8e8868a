#pragma once

#include <span>

namespace assay::kernels::networks {

/// Sum in an order that depends on nothing but the number of values.
inline double pairwise_sum(std::span<const double> values) {
  if (values.size() <= 8) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum;
  }
  const std::size_t half = values.size() / 2;
  return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
}

}  // namespace assay::kernels::networks
