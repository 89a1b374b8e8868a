#pragma once

#include <gtest/gtest.h>
#include <hwy/highway.h>
#include <hwy/targets.h>

#include <cstdint>
#include <vector>

namespace assay::kernels::blocks {

/// For tests: runs what dispatches by instruction set once for each that this machine has, the scalar one
/// included.
template <typename Body>
void on_every_target(const Body& body) {
  std::vector<std::int64_t> targets = {HWY_SCALAR};
  for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1)
    if ((left & -left) != HWY_SCALAR) targets.push_back(left & -left);
  for (const std::int64_t target : targets) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    SCOPED_TRACE(hwy::TargetName(target));
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace assay::kernels::blocks
