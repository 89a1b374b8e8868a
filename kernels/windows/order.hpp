#pragma once

#include <cstdint>

struct CUstream_st;

namespace assay {
class Workspace;
}

namespace assay::kernels::windows {

/// Sorts `segments` runs of n doubles each, with the position of every value within its run: sorted
/// (segments, n) and rows (segments, n), equal values by rising row. All in device memory; scratch comes from
/// an open frame of the workspace. Both zeros count as equal. Puts its work on the stream, whose device is
/// current.
void sort_rows(CUstream_st* stream, Workspace& workspace, const double* values, std::int64_t segments,
               std::int32_t n, double* sorted, std::int32_t* rows);

}  // namespace assay::kernels::windows
