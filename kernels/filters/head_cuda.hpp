#pragma once

#include <cstdint>

struct CUstream_st;

namespace assay::kernels::filters {

struct RowsCall;

/// Longer rows have a kernel that streams them before the one that holds them (rows.cu).
inline constexpr std::int64_t least_head = 4096;

/// Puts that kernel on the stream. Says in call.pending which rows it has left. Throws DeviceError where the
/// launch fails.
template <typename T>
void run_heads_cuda(CUstream_st* stream, const RowsCall& call);

}  // namespace assay::kernels::filters
