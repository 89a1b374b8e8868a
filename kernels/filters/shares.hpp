#pragma once

#include <cstdint>

namespace assay::kernels::filters {

/// distribution::share_at of each logit under that maximum, the same bits on every instruction set. With an
/// inverse of 0 all are 0. Precondition: no NaN among the logits, none above the maximum.
void write_shares(const float* logits, std::int64_t count, float maximum, double inverse, float* shares);

}  // namespace assay::kernels::filters
