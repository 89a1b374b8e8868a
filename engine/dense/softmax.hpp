#pragma once

#include "engine/operation.hpp"

namespace assay::dense {

/// Row-wise softmax y_j = exp(x_j - max x) / sum_k exp(x_k - max x) (Bridle 1990; the shift by the maximum does not
/// change the value and keeps exp from overflowing: Blanchard, Higham, Higham 2021, IMA J. Numer. Anal. 41, 2311).
///
/// input   x: (rows, columns) f32, f16 or bf16; rows may be strided (the row stride may exceed columns), columns contiguous
/// output  y: (rows, columns), the same type, contiguous
/// Non-finite: a NaN or +Inf in a row makes the whole row NaN; -Inf gives 0; a row of only -Inf is NaN. No columns: nothing
/// is written.
void softmax(Context& context, const ConstTensorView& x, const TensorView& y);

Operation describe_softmax();

}  // namespace assay::dense
