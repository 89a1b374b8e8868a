#pragma once

#include <cstdint>

#include "engine/operation.hpp"
#include "engine/tensors/block_format.hpp"

namespace assay::quant {

/// Values of rows that are stored in the block formats of GGUF files, as ggml's `to_float` gives them (ggml,
/// ggml-quants.c and ggml-common.h, commit d99724f2).
///
/// input     blocks: (rows, bytes of a row) u8; rows may be strided (row stride >= bytes of a row), the
///           bytes of a row lie side by side. They may begin anywhere: alignment makes it faster only.
/// parameter format: a name of block_layouts; columns: elements of a row, a multiple of the block's length
/// output    values: (rows, columns) f32, contiguous; it must not overlap `blocks`
/// Refused (ContractError): another rank, type or layout, an unknown format, columns that do not fill whole
/// blocks, rows of another number of bytes than columns have, views that lie elsewhere than the backend
/// computes. Every pattern of bits is legal.
///
/// Blocks: what is in them, in order, and the value of element i. d, m: binary16; q: the element's code.
/// "Halves": of 2n codes of four bits, element i < n has the low half of byte i, element n + i its high half.
/// "Quarters": of 128 codes of two bits, element i has bits 2 (i / 32) and the next of byte i % 32.
///
///   F32, F16, BF16   one element
///   Q4_0    d, halves[16]                            d (q - 8)
///   Q4_1    d, m, halves[16]                         d q + m
///   Q5_0    d, h[4], halves[16]                      d (q - 16); bit i of h is the code's fifth
///   Q5_1    d, m, h[4], halves[16]                   d q + m; h as in Q5_0
///   Q8_0    d, q[32] with sign                       d q
///   Q2_K    s[16], quarters[64], d, m                (d (s & 15)) q - m (s >> 4); s of the element's 16
///   Q3_K    h[32], quarters[64], s[12], d            (d (s - 32)) (q - (b ? 0 : 4)); b: bit i / 32 of
///                                                    h[i % 32]
///           Scale j of the element's 16: halves of the first 8 bytes of s; as high two bits, those at
///           2 (j / 4) of s[8 + j % 4].
///   Q4_K    d, m, s[12], halves[128], 64 by 64       (d s) q - m t
///           Scale s and minimum t of the element's 32, six bits each. j < 4: the low six of bytes j and
///           j + 4; j >= 4: the halves of byte j + 4 and, as high two bits, the top two of j - 4 and j.
///   Q5_K    d, m, s[12], h[32], halves[128]          as Q4_K; bit i / 32 of h[i % 32] is the code's fifth
///   Q6_K    halves[128], 128 by 128, quarters[64],   (d s) (q - 32); quarters are the code's high two bits,
///           s[16] with sign, d                       s is of the element's 16
///   Q8_K    d (binary32), q[256] with sign, 16 sums  d q
///   IQ4_NL  d, halves[16]                            d v[q]; v: -127, -104, -83, -65, -49, -35, -22, -10,
///                                                    1, 13, 25, 38, 53, 69, 89, 113
///   IQ4_XS  d, u[2], s[4], halves[128], 32 by 32     (d (s - 32)) v[q]
///           Scale j of the element's 32: half j % 2 of byte j / 2 of s; as high two bits, those at 2 j of u.
///   MXFP4   e, halves[16]                            2^(e - 128) w[q]; w: 0, 1, 2, 3, 4, 6, 8, 12 and their
///                                                    negatives (w[8] is +0)
///
/// Exact: on every backend each value has the bits of the formula in single precision, the operations in the
/// order of the brackets, whether or not a multiplication and an addition are fused. For every product of d
/// is exact in float: d has 11 significant bits and the integers beside it 12 at most together, 23 of 24; and
/// between 2^-24 and 2^28 nothing overflows or is subnormal. Left to be rounded are the one sum, Q8_K's
/// product (d is any float) and MXFP4's (infinite from 2^128 on). A NaN is a NaN: its bits are kept by F32
/// and BF16 alone.
void dequantize(Context& context, const ConstTensorView& blocks, BlockFormat format,
                const TensorView& values);

/// Bytes of a row of so many elements. Throws ContractError where they do not fill whole blocks.
std::int64_t bytes_of_row(BlockFormat format, std::int64_t columns);

Operation describe_dequantize();

}  // namespace assay::quant
