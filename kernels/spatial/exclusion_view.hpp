#pragma once

#include <cstdint>

#include "engine/runtime/host_device.hpp"

namespace assay::kernels::spatial {

/// What device code may do wrong on purpose (Exclusion::Faults is the host's).
struct ExclusionFaults {
  bool window_exclusive = false;
  bool ignore_trials = false;
  bool admit_self = false;
};

/// The rows that are no neighbours of a row, as device code sees them: `Exclusion` without memory of its own.
/// By value to kernels.
struct ExclusionView {
  std::int32_t n = 0;
  std::int32_t window = 0;
  /// (trials + 1) first rows of the trials and n, in device memory; null: one trial, or a window of 0.
  const std::int32_t* bounds = nullptr;
  std::int32_t trials = 1;
  bool admit_self = false;  ///< a planted fault

  /// Rows [begin, end) of `row`.
  ASSAY_HOST_DEVICE void of(std::int32_t row, std::int32_t& begin, std::int32_t& end) const {
    if (window == 0) {
      begin = row;
      end = admit_self ? row : row + 1;
      return;
    }
    std::int32_t first = 0, last = n;
    if (bounds != nullptr) {
      std::int32_t low = 0, high = trials;  // bounds[low] <= row < bounds[high]
      while (high - low > 1) {
        const std::int32_t middle = (low + high) / 2;
        if (bounds[middle] <= row)
          low = middle;
        else
          high = middle;
      }
      first = bounds[low];
      last = bounds[low + 1];
    }
    begin = row - first < window ? first : row - window;
    end = last - row - 1 < window ? last : row + window + 1;
  }
};

}  // namespace assay::kernels::spatial
