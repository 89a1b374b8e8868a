#pragma once

#include <cstdint>
#include <span>

struct CUstream_st;

namespace assay {
class Workspace;
}

namespace assay::kernels::windows {

/// Values in device memory.
struct Values {
  const double* first = nullptr;
  std::int64_t count = 0;
};

/// The power of two that brings the largest magnitude of all of them below 2, to `scale` in device memory:
/// products with it are exact, and the difference of two of them does not overflow float.
void find_scale(CUstream_st* stream, Workspace& workspace, std::span<const Values> values, double* scale);

}  // namespace assay::kernels::windows
