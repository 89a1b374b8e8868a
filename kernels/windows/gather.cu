// Points brought into the order of an axis, and the table of psi: what a search by windows is prepared with.
#include <algorithm>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "kernels/te/digamma.hpp"
#include "kernels/windows/evaluate.hpp"

namespace assay::kernels::windows {

namespace {

constexpr int kThreads = 256;

__global__ void fill_psi(double* table, std::int64_t count, te::DigammaFaults faults) {
  for (std::int64_t m = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; m < count;
       m += std::int64_t{gridDim.x} * blockDim.x)
    table[m] = m > 0 ? te::digamma(static_cast<double>(m), faults) : 0.0;
}

struct Gather {
  const double* points;
  const std::int32_t* rows;
  double* to;
  std::int64_t sources;  ///< groups of points that share one order
  std::int32_t n, d, to_columns, first;
#ifdef ASSAY_MUTANTS
  bool stride_ignored = mutant("te.ksg.cuda_stride_ignored");  ///< a planted fault
#else
  static constexpr bool stride_ignored = false;
#endif
};

/// blockIdx.y: the group of points within an order; blockIdx.z: the order.
__global__ void gather(Gather task, std::int64_t first_source) {
  const std::int64_t source = first_source + blockIdx.y;
  const std::int64_t order = blockIdx.z;
  const bool shared = task.sources > 0;  // every order takes all sources; else group g has order g
  const std::int64_t from = shared ? source : order;
  const std::int64_t into = shared ? order * task.sources + source : order;
  for (std::int32_t p = static_cast<std::int32_t>(blockIdx.x * blockDim.x + threadIdx.x); p < task.n;
       p += static_cast<std::int32_t>(gridDim.x * blockDim.x)) {
    const std::int64_t row = task.rows[order * task.n + p];
    for (std::int32_t c = 0; c < task.d; ++c)
      task.to[(into * task.to_columns + task.first + c) * task.n + p] =
          task.points[(from * task.n + row) * (task.stride_ignored ? 1 : task.d) + c];
  }
}

constexpr std::int64_t kMostRows = 65'535;  // of a grid

}  // namespace

void psi_table(CUstream_st* stream, double* table, std::int64_t count) {
  fill_psi<<<static_cast<unsigned>(std::clamp<std::int64_t>((count + kThreads - 1) / kThreads, 1, 1024)),
             kThreads, 0, stream>>>(table, count, {});
  detail::check(cudaGetLastError(), "psi table: launch");
}

void gather_columns(CUstream_st* stream, const double* points, const std::int32_t* rows, std::int64_t groups,
                    std::int32_t n, std::int32_t d, double* to, std::int32_t to_columns, std::int32_t first) {
  if (n == 0 || d == 0) return;
  const auto blocks = static_cast<unsigned>(std::clamp((n + kThreads - 1) / kThreads, 1, 4096));
  for (std::int64_t g = 0; g < groups; g += kMostRows) {
    const Gather task{points + g * n * d, rows + g * n, to + g * to_columns * n, 0, n, d, to_columns, first};
    gather<<<dim3(blocks, 1, static_cast<unsigned>(std::min(kMostRows, groups - g))), kThreads, 0, stream>>>(
        task, 0);
  }
  detail::check(cudaGetLastError(), "gather columns: launch");
}

void gather_sources(CUstream_st* stream, const double* sources, std::int64_t count, const std::int32_t* rows,
                    std::int64_t targets, std::int32_t n, std::int32_t dx, double* to) {
  if (n == 0 || count == 0) return;
  const auto blocks = static_cast<unsigned>(std::clamp((n + kThreads - 1) / kThreads, 1, 4096));
  for (std::int64_t t = 0; t < targets; t += kMostRows)
    for (std::int64_t s = 0; s < count; s += kMostRows) {
      const Gather task{sources, rows + t * n, to + t * count * dx * n, count, n, dx, dx, 0};
      gather<<<dim3(blocks, static_cast<unsigned>(std::min(kMostRows, count - s)),
                    static_cast<unsigned>(std::min(kMostRows, targets - t))),
               kThreads, 0, stream>>>(task, s);
    }
  detail::check(cudaGetLastError(), "gather sources: launch");
}

}  // namespace assay::kernels::windows
