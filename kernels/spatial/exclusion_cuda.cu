#include <algorithm>
#include <vector>

#include "kernels/spatial/exclusion_cuda.hpp"
#include "kernels/upload/bytes.hpp"

namespace assay::kernels::spatial {

ExclusionView exclusion_cuda(CUstream_st* stream, std::int64_t n, std::span<const std::int64_t> trial_lengths,
                             std::int64_t window, ExclusionFaults faults, std::span<std::int32_t> bounds) {
  ExclusionView view;
  view.n = static_cast<std::int32_t>(n);
  view.window = static_cast<std::int32_t>(std::min(window, n));
  if (faults.window_exclusive && view.window > 0) --view.window;
  view.admit_self = faults.admit_self;
  if (exclusion_bounds(trial_lengths, window) == 0 || faults.ignore_trials) return view;
  std::vector<std::int32_t> first(1, 0);
  for (const std::int64_t length : trial_lengths)
    first.push_back(static_cast<std::int32_t>(first.back() + length));
  upload::upload_cuda<std::int32_t>(stream, bounds, first);
  view.bounds = bounds.data();
  view.trials = static_cast<std::int32_t>(trial_lengths.size());
  return view;
}

}  // namespace assay::kernels::spatial
