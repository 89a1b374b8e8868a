#pragma once

#include "engine/operation.hpp"

namespace assay::dense {

/// Row-wise softmax y_j = exp(x_j - max x) / sum_k exp(x_k - max x) (Bridle 1990; the shift by the maximum
/// does not change the value and keeps exp from overflowing: Blanchard, Higham, Higham 2021, IMA J. Numer.
/// Anal. 41, 2311).
///
/// input   x: (rows, columns) f32, f16 or bf16; rows may be strided (row stride >= columns, in elements),
/// columns lie
///         side by side
/// output  y: (rows, columns), the same type, contiguous; it must not overlap x
/// Non-finite: a NaN or +Inf in a row makes the whole row NaN; -Inf gives 0; a row of only -Inf is NaN. No
/// columns: nothing is written. Refused (ContractError): ranks other than 2, y of another shape or type or
/// not contiguous, columns of x that do not lie side by side, rows of x that overlap, views that lie
/// elsewhere than the backend computes.
///
/// A row's result depends on nothing but the row's values: not on the other rows, its place among them, the
/// stride, the alignment or the number of threads, bit for bit on one machine and backend.
///
/// Error bound. All arithmetic is in float (u = 2^-24); r is the exact value, d_j = x_j - max x <= 0.
///  1. x is widened and its maximum found without rounding. fl(d_j) has one rounding, which exp turns into a
///  relative
///     error of |d_j| u; exp itself is taken to 2 ulp, 4 u (both backends' own statement is 1 ulp).
///     Numerator: a_j = |d_j| u + 4 u.
///  2. The sum's terms are positive, so their relative errors average with weights r_k: D u + 4 u, D = sum_k
///  r_k |d_k|
///     (which is at most ln n).
///  3. The sum is blocked and then a tree. Depth h = 32 covers both: on the CPU 16 additions in each lane of
///  four vectors,
///     at most 6 to join them, and blocks of that size in double; on CUDA 10 additions in a thread, 5 in a
///     warp, 5 in a block and 7 in a cluster. It adds gamma_h = h u / (1 - h u).
///  4. Rows of more than 32,768 columns may be summed online on CUDA (Milakov, Gimelshein 2018): a running
///  sum is
///     multiplied by exp(old maximum - new maximum). The factors of one term climb by no more than |d_k| in
///     all, which adds D u once more, and each of the ceil(n / 16384) steps and of the joins of threads costs
///     6 u + u: h grows by 7 a step and by 40 for the joins. Rows of more than 16,384 columns may be shared
///     by the blocks of a cluster on CUDA, each with a maximum of its own: a term is then exp(x_j - own
///     maximum) exp(own maximum - max x). The exponents add up to d_j, and two exps of 1 ulp and a product
///     are 5 u where points 1 and 2 count 4 u: 2 u more in all, which point 3 has to spare, since of its 32
///     additions a cluster makes 27.
///  5. 1/sum and the product with it: 2 u. Rounding to the output: u_out = 2^-11 (f16), 2^-8 (bf16), 0 (f32:
///  the product
///     is the output).
///  6. Underflow: exp and the product may be subnormal floats, 2^-147 in all; half the smallest spacing of
///  the output.
///
/// `error_bound` composes these steps (engine/error_bounds.hpp); to first order they come to
///
///   |y_j - r_j| <= r_j (|d_j| u + c D u + 10 u + gamma_h + u_out) + tiny,   c = 1, or 2 where 4. applies.
void softmax(Context& context, const ConstTensorView& x, const TensorView& y);

Operation describe_softmax();

}  // namespace assay::dense
