#pragma once

#include <cstdint>

struct CUstream_st;
struct uint2;  // CUDA's own

namespace assay::kernels::lists {

/// Wavelet matrices (wavelet.cuh) of `count` permutations of 0 .. n - 1, values (count, n), to words
/// (count, wavelet_words(n)). `spare` holds (count, 2, n). Device memory.
void build_wavelets(CUstream_st* stream, const std::uint32_t* values, std::int64_t count, std::int32_t n,
                    std::uint32_t* spare, uint2* words);

}  // namespace assay::kernels::lists
