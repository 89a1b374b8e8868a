#pragma once

#include <cstdint>

#include "engine/operation.hpp"
#include "engine/tensors/block_format.hpp"

namespace assay::quant {

/// Rows of floats in the block formats of GGUF files, as ggml's reference quantisers give them
/// (quantize_row_*_ref of ggml-quants.c, commit d99724f2), bit for bit.
///
/// input     values: (rows, columns) f32; rows may be strided (row stride >= columns), elements of a row lie
///           side by side. They may begin at any float: alignment makes it faster only.
/// parameter format: one of Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q6_K, MXFP4 (encoded_formats)
/// output    blocks: (rows, bytes of a row) u8, contiguous; laid out as dequantize.hpp says; it must not
///           overlap `values`
/// Refused (ContractError): another rank, type or layout, another format, columns that do not fill whole
/// blocks, blocks of another shape, views that lie elsewhere than the backend computes.
///
/// The definition. Each operation below is one of IEEE 754 single precision, rounded to nearest, ties to
/// even, no two of them fused, sums from the first element to the last: the roundings are part of the
/// formats' definition, and where a code lies at a tie they decide it. half() rounds to binary16. 1/d is 0
/// where d is 0. "Peak": the first of the elements of largest magnitude. [v]: v without its fraction.
///
///   Q4_0, Q5_0   d = peak / -8 (-16); code min(15, [x (1/d) + 8.5]) (31, 16.5); stored half(d)
///   Q4_1, Q5_1   d = (most - least) / 15 (31); code min(15, [(x - least) (1/d) + 0.5]) (31);
///                stored half(d), half(least)
///   Q8_0         d = |peak| / 127; code x (1/d) rounded, ties away from 0; stored half(d)
///   MXFP4        e = floor(float(log2 |peak|)) - 2 + 127 modulo 256, of zeros 0; the code of the level that
///                is nearest to x / 2^(e - 127), of two that are as near the one nearer to 0. float(): a
///                logarithm just below an integer rounds to it (peaks from 2^-24 to 88 2^-24 below a power of
///                2, by its exponent).
///   Q4_K         For each 32, by make_qkx2_quants(32, 15, .., -1, 0.1, 20) with weights rms + |x|, a scale
///                and a minimum <= 0: of the line through least and most, and of those through the least
///                squares fits of 21 trial codings (15 + k/10 steps over the range, k from -10 to 10, the
///                range beginning at the minimum found so far), the one of least weighted squared error.
///                Their largest, over 63, are d and m; six bits each of a part's, by nearest(63 / largest *).
///                Codes: nearest((x + half(m) t) / (half(d) s)) from 0 to 15; where that divisor is 0 those
///                of the search.
///   Q6_K         For each 16, by make_qx_quants(16, 32, .., 1) with weights x^2, a scale: of 20 codings (32
///   +
///                k/10 steps to the peak, k from -9 to 9, 32 first) the one whose fit explains most; 0 where
///                the peak is below 1e-15. d = 1 / (-128 / the scale of largest magnitude); eight bits of a
///                part's. Codes: nearest(x / (half(d) s)) from -32 to 31, stored with 32 added; where that
///                divisor is 0 those of the search. A block without a scale is all zero bits.
///
/// nearest(): ties to even. |.| >= 2^22, as only extreme scales give, leaves what ggml's addition of 1.5 2^23
/// leaves in its low bits.
///
/// What is special, on every backend alike:
///   zeros      Block scales are 0 (of Q4_0 and Q5_0 -0, as ggml has it), codes those of 0.
///   small      Where half(d) is 0 the values decode to 0, or to the minimum. Where 1/d overflows, codes are
///              0. MXFP4's exponent of a peak below 2^-125 wraps (C leaves it undefined; ggml and gguf-py on
///              x86-64 wrap), and the block decodes to 0.
///   large      half(d) is infinite from 65520 on, and the block decodes to infinities and NaN.
///   NaN        is never a peak, least or most, and has code 0 (in Q4_K and Q6_K too, whose sums it then
///              enters: the first scale of its part stays). One difference to ggml, whose Q8_0 forgets what
///              stood before a NaN.
///   infinities are followed through the formulas: the block's scale is infinite or NaN (0x7E00), and codes
///              that are no number are 0. MXFP4: all zero bits.
///
/// Exact: on every backend each byte is that of the definition. With fused multiply-add it would not be, so
/// the bodies are compiled without (-ffp-contract=off, -fmad=false).
///
/// How far a decoded value is from x: validation/blocks/encoding_error.cpp derives a bound for each format,
/// which every block is held to. Decoding and encoding again gives the same bytes in Q4_0, Q5_0, Q8_0 where
/// half(d) is finite and not 0, in MXFP4 for peaks from 2^-125 to 2^127, and in Q4_1 and Q5_1 where |least|
/// is besides at most 2^8 times most - least; the proof stands there too. Q4_K and Q6_K search, and have no
/// such property.
void quantize(Context& context, const ConstTensorView& values, BlockFormat format, const TensorView& blocks);

Operation describe_quantize();

}  // namespace assay::quant
