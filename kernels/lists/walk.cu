// The walks of up to kMostPoints points: the sources lie in shared memory where they fit (walk.cuh).
#include <algorithm>

#include "kernels/lists/walk.cuh"

namespace assay::kernels::lists {

namespace {

using walking::Staged;
using walking::Task;

template <int kRoom>
std::size_t bytes_of(std::int32_t n, int warps, bool tile) {
  return static_cast<std::size_t>(warps) * sizeof(Staged<kRoom>) +
         (tile ? static_cast<std::size_t>(n) * 32 * sizeof(float) : 0);
}

template <int kCapacity, int kRoom, int kWarps, bool kTile>
void launch(CUstream_st* stream, const Task& task) {
  const auto kernel = walking::walk<kCapacity, kRoom, kWarps, kTile>;
  const std::size_t bytes = bytes_of<kRoom>(task.columns.n, kWarps, kTile);
  allow_shared(kernel);
  const std::int64_t columns = (task.range.some + 31) / 32, groups = task.targets.count * groups_of(task);
  const std::int64_t slots = device_slots(kernel, 32 * kWarps, bytes);
  const dim3 grid =
      kTile ? dim3(static_cast<unsigned>(std::min(slots, (columns * groups + kWarps - 1) / kWarps)))
            : dim3(static_cast<unsigned>(
                       std::clamp<std::int64_t>(slots / columns, 1, (groups + kWarps - 1) / kWarps)),
                   static_cast<unsigned>(columns));
  kernel<<<grid, 32 * kWarps, bytes, stream>>>(task);
  detail::check(cudaGetLastError(), "lists: walk: launch");
}

template <int kCapacity>
void launch(CUstream_st* stream, const Task& task) {
  const std::int32_t n = task.columns.n;
  if (list_length(n) == kShortList) {
    // two blocks beside each other where there is room
    if (bytes_of<kShortList>(n, 16, true) <= most_shared())
      launch<kCapacity, kShortList, 16, true>(stream, task);
    else
      launch<kCapacity, kShortList, 16, false>(stream, task);
  } else if (bytes_of<kListLength>(n, 24, true) <= most_shared()) {
    launch<kCapacity, kListLength, 24, true>(stream, task);
  } else {
    launch<kCapacity, kListLength, 16, false>(stream, task);
  }
}

}  // namespace

void walk_lists(CUstream_st* stream, const Columns& columns, Range range, const Targets& targets,
                std::int32_t k, std::uint32_t* found) {
  const Task task{columns, range, targets, k, 0, columns.n, found, walking::selected_faults()};
  if (k > 4)
    launch<8>(stream, task);
  else
    launch<4>(stream, task);
}

}  // namespace assay::kernels::lists
