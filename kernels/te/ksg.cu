// te.ksg on CUDA: points sorted along an axis and searched by windows (kernels/windows).
#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/spatial/exclusion_cuda.hpp"
#include "kernels/te/ksg.hpp"
#include "kernels/windows/order.hpp"

namespace assay::kernels::te {

namespace {

__global__ void take_column(const double* points, std::int32_t n, std::int32_t d, double* column) {
  for (std::int32_t i = static_cast<std::int32_t>(blockIdx.x * blockDim.x + threadIdx.x); i < n;
       i += static_cast<std::int32_t>(gridDim.x * blockDim.x))
    column[i] = points[std::int64_t{i} * d];
}

}  // namespace

KsgCudaPlan::KsgCudaPlan(CUstream_st* stream, Workspace& memory, spatial::Rows y, spatial::Rows z,
                         std::span<const std::int64_t> trial_lengths, const KsgOptions& options)
    : options_{static_cast<std::int32_t>(options.k),
               options.algorithm,
               {},
               {},
               options.search == spatial::Search::tree ||
                   (options.search == spatial::Search::automatic &&
                    windows::sweep_suits(1, y.d, z.d, options.algorithm, options.k, y.n))},
      targets_{nullptr, nullptr, static_cast<std::int32_t>(y.n), static_cast<std::int32_t>(y.d),
               static_cast<std::int32_t>(z.d)} {
  const auto n = static_cast<std::size_t>(y.n);
  const std::int64_t columns = y.d + z.d;
  options_.exclusion = spatial::exclusion_cuda(
      stream, y.n, trial_lengths, options.theiler_window, {},
      memory.take<std::int32_t>(spatial::exclusion_bounds(trial_lengths, options.theiler_window)));
  options_.count_exclusion = options_.exclusion;
  if (mutant("te.ksg.cuda_theiler_not_in_counts")) options_.count_exclusion = {.n = targets_.n};

  double* psi = memory.take<double>(n + 2).data();
  windows::psi_table(stream, psi, y.n + 2);
  psi_ = psi;
  std::int32_t* rows = memory.take<std::int32_t>(n).data();
  double* sorted = memory.take<double>(n * static_cast<std::size_t>(columns)).data();
  {
    const Workspace::Frame frame(memory);
    double* axis = memory.take<double>(n).data();
    double* axis_sorted = memory.take<double>(n).data();
    const spatial::Rows of = z.d > 0 ? z : y;
    take_column<<<256, 256, 0, stream>>>(of.data, targets_.n, static_cast<std::int32_t>(of.d), axis);
    windows::sort_rows(stream, memory, axis, 1, targets_.n, axis_sorted, rows);
  }
  windows::gather_columns(stream, y.data, rows, 1, targets_.n, targets_.dy, sorted,
                          static_cast<std::int32_t>(columns), 0);
  if (z.d > 0)
    windows::gather_columns(stream, z.data, rows, 1, targets_.n, targets_.dz, sorted,
                            static_cast<std::int32_t>(columns), targets_.dy);
  targets_.columns = sorted;
  targets_.rows = rows;
}

void KsgCudaPlan::evaluate(CUstream_st* stream, Workspace& scratch, spatial::Rows x,
                           const KsgResult& result) const {
  const Workspace::Frame frame(scratch);
  double* sorted = scratch.take<double>(static_cast<std::size_t>(x.n * x.d)).data();
  windows::gather_sources(stream, x.data, 1, targets_.rows, 1, targets_.n, static_cast<std::int32_t>(x.d),
                          sorted);
  windows::evaluate(stream, scratch, targets_,
                    {.x = sorted, .dx = static_cast<std::int32_t>(x.d), .count = 1}, options_, psi_,
                    {.values = result.value.data(),
                     .local = result.local.data(),
                     .radii = result.radii.data(),
                     .counts = result.counts.data()});
}

}  // namespace assay::kernels::te
