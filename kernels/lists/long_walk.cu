// The walks of many points: the sources come from global memory, by place, so that what is near in the plane
// is near there along z (walk.cuh).
#include "kernels/lists/long_lists.hpp"
#include "kernels/lists/walk.cuh"

namespace assay::kernels::lists {

namespace {

constexpr int kWarps = 24;

template <int kCapacity>
void launch(CUstream_st* stream, const walking::Task& task) {
  const auto kernel = walking::walk<kCapacity, kLongListLength, kWarps, false>;
  constexpr std::size_t kBytes = kWarps * sizeof(walking::Staged<kLongListLength>);
  allow_shared(kernel);
  const std::int64_t columns = (task.range.some + 31) / 32;
  const std::int64_t groups = (task.points + walking::kPointsOfWarp - 1) / walking::kPointsOfWarp;
  const std::int64_t parts = fill_device(kernel, 32 * kWarps, kBytes, columns, groups, kWarps, 0.5);
  kernel<<<dim3(static_cast<unsigned>(parts), static_cast<unsigned>(columns)), 32 * kWarps, kBytes, stream>>>(
      task);
  detail::check(cudaGetLastError(), "lists: long walk: launch");
}

}  // namespace

void walk_long_lists(CUstream_st* stream, const LongTarget& target, const LongPairs& pairs,
                     const double* scale, std::int32_t first, std::int32_t count, std::int32_t k) {
  Columns columns;
  columns.count = pairs.count;
  columns.padded = pairs.padded;
  columns.n = target.n;
  columns.by_row = pairs.by_place;
  columns.guess_by_row = pairs.guess_by_place;
  columns.spread_by_row = pairs.spread_by_place;
  columns.scale = const_cast<double*>(scale);
  Targets targets;
  targets.count = 1;
  targets.n = target.n;
  targets.y = target.columns;
  targets.z = target.columns + target.n;
  targets.lists = target.lists;
  targets.reach = target.reach;
  const walking::Task task{columns,     {0, pairs.count},          targets, k, first, count,
                           pairs.found, walking::selected_faults()};
  if (k > 4)
    launch<8>(stream, task);
  else
    launch<4>(stream, task);
}

}  // namespace assay::kernels::lists
