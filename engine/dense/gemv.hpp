#pragma once

#include <cstdint>
#include <optional>

#include "engine/operation.hpp"
#include "engine/tensors/block_format.hpp"

namespace assay::dense {

/// Products of a matrix whose rows are stored in a block format of GGUF files with one to eight vectors,
/// y_br = sum_j w_rj x_bj + bias_r: what a linear layer computes while a language model writes token by token
/// (the mul_mat of ggml; the blocks and their formulas: engine/quant/dequantize.hpp).
///
/// input     weights: (rows, bytes of a row) u8; rows may be strided (row stride >= bytes of a row), and they
///           may begin anywhere: alignment makes it faster only
///           x: (batch, columns) f32 or f16, batch from 0 to 8; rows may be strided (row stride >= columns)
///           bias: (rows) f32, contiguous; optional
/// parameter format: a name of block_layouts
/// output    y: (batch, rows) f32, contiguous; it must not overlap the inputs
/// Refused (ContractError): another rank, type or layout, an unknown format, columns that do not fill whole
/// blocks, rows of another number of bytes than columns have, more than eight vectors, a bias of another
/// length, views that lie elsewhere than the backend computes.
///
/// Weights are never rounded: w is the formula d c - m of the block with d and m as quant.dequantize brackets
/// them (both exact in float), and a body may add d (sum c x) - m (sum x) of a part of a block in place of
/// the products themselves. Activations are taken as they are given, sums are of single precision.
///
/// No columns: y is the bias, or 0. Non-finite: as IEEE 754 has it for the sum of the products, the weights
/// being those of quant.dequantize: y is NaN where a product is (a NaN, or infinity times 0) or where
/// products are infinite of both signs, and infinite where they are of one. Beyond that y may be infinite or
/// NaN only where it, or a sum on the way to it, leaves the range of float. Nothing is said of rows with a
/// weight that does so itself: scales of MXFP4 from 2^126 on and of Q8_K from 2^120 on can make one.
///
/// y_br depends on row r of the weights, on x_b and on bias_r alone: not on the other rows or vectors, their
/// number, strides, alignment or the number of threads, bit for bit on one machine and backend.
///
/// Error bound. s = sum_j (|d c_j| + |m|) |x_j|, c_j and m of element j's block; m = 0 in the formats
/// without.
///  1. CUDA multiplies on the tensor cores, f16 activations with codes as they are; f32 activations are cut
///     into three numbers of 8 bits, and the weights of F32 (three) and F16 (two) then too, without rounding;
///     codes have 8 bits at most. Products are exact. A multiplication adds four products and zeros to a sum:
///     5 additions of unit roundoff v = 2^-23 (how tensor cores add is not documented; they may truncate:
///     Fasi, Higham, Mikaitis, Pranesh 2021, PeerJ CS 7, e330). Of 32 columns 8 p such sums are chained, p
///     the parts of a weight: 40 p.
///  2. A row is cut into 16 slices at most, and each of these among four lanes. A lane adds d times the sum
///     of each 32 (16) columns and subtracts m times the sum of x, which has 5 additions: of each 256 columns
///     8 fused operations at most, and a slice has at most columns / 16 and 512 columns: columns / 512 + 16.
///  3. Lanes 2, parts of x 2, slices 16, the bias and the output: 22, and 5 for the sum of x.
///  4. The CPU, u = 2^-24, in eight lanes. Blocks: of each 32 columns a lane adds four products c_j x_j (4
///     roundings), and fuses d times that into its sum of 1024 columns, 32 of which there are; d with the
///     scale of a part is exact in float. Minima are fused into the same sum, at most one for each 32 columns
///     (32), times sums of up to 32 activations (5). Then sums of 1024 columns, lanes (3) and the bias:
///     columns / 1024 + 75 in all. Elements: 66 products in a running sum at most, two of which are joined.
///     Where vectors have fewer than eight lanes, and where a result was not finite, products of fl(d c - m)
///     and x are added, 128 in a running sum at most, two of which are joined, and then sums of 256 columns,
///     lanes (4) and the bias: columns / 256 + 136. In v that is columns / 512 + 68, less than what is
///     counted above.
/// So h = 40 p + columns / 512 + 44 operations.
///  5. Underflow: tensor cores may take numbers below 2^-126 for 0, parts of x and of weights and sums among
///     them, a few for each element. The CPU multiplies half of the activations as x / 256 with 256 c, which
///     loses 2^-150 256 |d c_j| at most. A code that is not 0 is 1 at least, so 2^-122 (|d c_j| + |x_j| + 1)
///     an element covers them and what float itself loses.
///
///   |y - r| <= gamma_h(v) (s + |bias|) + tiny
void gemv(Context& context, const ConstTensorView& weights, BlockFormat format, const ConstTensorView& x,
          const std::optional<ConstTensorView>& bias, const TensorView& y);

Operation describe_gemv();

}  // namespace assay::dense
