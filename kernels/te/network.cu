// te.network on CUDA: all sources, and their surrogates as further sources, with a batch of targets at a
// time. Three ways:
//
//   lists       x, y and z of one column, algorithm 1, k up to 8, up to 2,048 points: a target's
//               neighbour lists are shared by all its sources (kernels/lists)
//   long lists  the same with more points and enough sources (kernels/lists/long_lists.hpp)
//   windows     everything else, and `search` sorted, the oracle: each pair by windows along the target's
//               axis (kernels/windows)
#include <algorithm>
#include <vector>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/with_cuda_check.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/lists/lists.hpp"
#include "kernels/resampling/surrogate_rows_cuda.hpp"
#include "kernels/spatial/exclusion_cuda.hpp"
#include "kernels/te/network.hpp"
#include "kernels/upload/bytes.hpp"
#include "kernels/windows/order.hpp"

namespace assay::kernels::te {

namespace {

constexpr int kThreads = 256;
/// Memory that a batch of targets may take for sources in its targets' orders.
constexpr std::int64_t kBatchBytes = std::int64_t{1} << 30;
/// Points of pairs that a batch of targets has on their way at a time in the search by lists. A kernel's last
/// blocks leave most of the device idle, so that few large batches take less time than many small ones.
constexpr std::int64_t kListCells = std::int64_t{1} << 28;
/// Sources that such a batch has at least, where there are as many.
constexpr std::int64_t kListSources = 1024;

template <typename T>
T* take(Workspace& memory, std::int64_t count) {
  return memory.take<T>(static_cast<std::size_t>(count)).data();
}

template <typename T>
const T* upload(CUstream_st* stream, Workspace& memory, std::span<const T> values) {
  const std::span<T> to = memory.take<T>(values.size());
  upload::upload_cuda<T>(stream, to, values);
  return to.data();
}

/// Bytes of a target that the search by lists prepares.
std::int64_t list_bytes(std::int64_t n) {
  const auto points = static_cast<std::int32_t>(n);
  const std::int64_t plane = std::int64_t{lists::prefix_rows(points)} * lists::prefix_words(points);
  return n * (8 * lists::list_length(points) + 20) + 4 * lists::guide_starts(points) + 6 * plane + 64;
}

unsigned blocks_for(std::int64_t count) {
  return static_cast<unsigned>(std::clamp<std::int64_t>((count + kThreads - 1) / kThreads, 1, 4096));
}

/// to (count, n, d): each surrogate's rows of its source.
__global__ void resample(const double* sources, const std::int32_t* rows, std::int64_t first,
                         std::int64_t count, std::int32_t n, std::int32_t d, double* to) {
  const std::int64_t surrogate = first + blockIdx.y;
  const std::int64_t source = surrogate / count;
  for (std::int32_t i = static_cast<std::int32_t>(blockIdx.x * blockDim.x + threadIdx.x); i < n;
       i += static_cast<std::int32_t>(gridDim.x * blockDim.x)) {
    const std::int64_t row = rows[surrogate * n + i];
    for (std::int32_t c = 0; c < d; ++c)
      to[(surrogate * n + i) * d + c] = sources[(source * n + row) * d + c];
  }
}

/// The first column of each of `targets` matrices (n, d).
__global__ void take_axes(const double* points, std::int64_t targets, std::int32_t n, std::int32_t d,
                          double* axes) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < targets * n;
       i += std::int64_t{gridDim.x} * blockDim.x)
    axes[i] = points[i * d];
}

/// NaN for every source that its target skips. `skip` null: source first + j of target j.
__global__ void blank(const std::int64_t* skip, std::int64_t first, std::int64_t m, std::int64_t t,
                      double* values, double* surrogates, std::int64_t count) {
  for (std::int64_t j = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; j < t;
       j += std::int64_t{gridDim.x} * blockDim.x) {
    const std::int64_t source = skip != nullptr ? skip[j] : first + j;
    if (source < 0 || source >= m) continue;
    const double nan = __longlong_as_double(0x7FF8000000000000ll);
    if (values != nullptr) values[source * t + j] = nan;
    for (std::int64_t s = 0; surrogates != nullptr && s < count; ++s)
      surrogates[(source * t + j) * count + s] = nan;
  }
}

}  // namespace

NetworkCudaPlan::NetworkCudaPlan(CUstream_st* stream, Workspace& memory, const NetworkSources& sources,
                                 std::span<const std::int64_t> trial_lengths, const KsgOptions& options,
                                 const NetworkDraws& draws)
    : options_(options),
      m_(sources.m),
      n_(static_cast<std::int32_t>(sources.n)),
      d_(static_cast<std::int32_t>(sources.d)),
      count_(draws.count) {
  first_surrogate_ = count_ > 0 ? (m_ + 31) / 32 * 32 : m_;  // columns are read 32 at a time
  by_lists_ = m_ > 0 && n_ > 0 && lists::suit(d_, 1, 1, options.algorithm, options.k, n_) &&
              lists::counts_fit(n_) && options.search != spatial::Search::sorted;
  {  // All that the plan holds comes in one piece: a device takes as long for a small one as for a large one.
    const Workspace::Frame whole(memory);
    memory.take_bytes(static_cast<std::size_t>(held_bytes()));
  }
  with_trials_ = spatial::exclusion_cuda(
      stream, n_, trial_lengths, options.theiler_window, {},
      memory.take<std::int32_t>(spatial::exclusion_bounds(trial_lengths, options.theiler_window)));
  without_trials_ = spatial::exclusion_cuda(stream, n_, {}, options.theiler_window, {}, {});
  double* psi = take<double>(memory, std::int64_t{n_} + 2);
  windows::psi_table(stream, psi, std::int64_t{n_} + 2);
  psi_ = psi;
  const std::int64_t size = std::int64_t{n_} * d_;
  double* all = take<double>(memory, (first_surrogate_ + m_ * count_) * size);
  if (first_surrogate_ > m_)
    detail::check(
        cudaMemsetAsync(all + m_ * size, 0,
                        static_cast<std::size_t>((first_surrogate_ - m_) * size) * sizeof(double), stream),
        "te.network: fill");
  detail::check(cudaMemcpyAsync(all, sources.x, static_cast<std::size_t>(m_ * size) * sizeof(double),
                                cudaMemcpyDeviceToDevice, stream),
                "te.network: copy");
  sources_ = all;
  if (m_ == 0 || n_ == 0) return;
  if (count_ > 0) draw_surrogates(stream, memory, sources, trial_lengths, draws, all);
  if (by_lists_) prepare_lists(stream, memory);
  by_long_lists_ =
      lists::suit_long(d_, 1, 1, options.algorithm, options.k, n_, m_ * std::max<std::int64_t>(count_, 1)) &&
      options.search == spatial::Search::automatic;
  if (by_long_lists_)
    long_sources_ = lists::rank_long_sources(stream, memory, sources_, first_surrogate_ + m_ * count_, n_);
}

void NetworkCudaPlan::draw_surrogates(CUstream_st* stream, Workspace& memory, const NetworkSources& sources,
                                      std::span<const std::int64_t> trial_lengths, const NetworkDraws& draws,
                                      double* all) const {
  const std::int64_t size = std::int64_t{n_} * d_;
  std::vector<std::uint64_t> seeds_of_sources(draws.seeds.begin(), draws.seeds.end());
  if (mutant("te.network.cuda_seed_of_first_source"))
    std::fill(seeds_of_sources.begin(), seeds_of_sources.end(), draws.seeds[0]);
  const std::uint64_t* seeds = upload(stream, memory, std::span<const std::uint64_t>(seeds_of_sources));
  const Workspace::Frame frame(memory);
  // rows of as many sources at a time as a batch may take
  const std::int64_t some = std::clamp<std::int64_t>(kBatchBytes / (count_ * n_ * 4), 1, m_);
  std::int32_t* rows = take<std::int32_t>(memory, some * count_ * n_);
  for (std::int64_t first = 0; first < m_; first += some) {
    const std::int64_t many = std::min(some, m_ - first);
    resampling::surrogate_rows_cuda(stream, memory,
                                    {.seeds = seeds + first,
                                     .sources = many,
                                     .count = count_,
                                     .shift = draws.shift,
                                     .trial_lengths = trial_lengths},
                                    n_, rows);
    const auto across = static_cast<unsigned>(std::clamp(n_ / kThreads + 1, 1, 1024));
    for (std::int64_t s = 0; s < many * count_; s += 65'535) {
      const std::int64_t step = std::min<std::int64_t>(65'535, many * count_ - s);
      resample<<<dim3(across, static_cast<unsigned>(step)), kThreads, 0, stream>>>(
          sources.x + first * size, rows, s, count_, n_, d_,
          all + (first_surrogate_ + first * count_) * size);
    }
  }
  detail::check(cudaGetLastError(), "te.network: surrogates: launch");
}

std::int64_t NetworkCudaPlan::held_bytes() const {
  const std::int64_t columns = first_surrogate_ + m_ * count_ + 31;  // up to 31 of padding
  std::int64_t bytes = (std::int64_t{1} << 16) + 8 * (columns * d_ + 1) * n_;
  if (by_lists_) bytes += columns * (40 * std::int64_t{n_} + 2 * lists::guide_starts(n_) + 32);
  return bytes;
}

std::int64_t NetworkCudaPlan::target_bytes(std::int64_t dy, std::int64_t dz) const {
  const std::int64_t columns = m_ * (1 + count_);
  const std::int64_t blocks = n_ / 128 + 1;
  return std::int64_t{n_} * (8 * (dy + dz) + 4 + 64) + columns * (std::int64_t{n_} * d_ * 8 + blocks * 8);
}

std::int64_t NetworkCudaPlan::working_bytes(std::int64_t targets, std::int64_t dy, std::int64_t dz) const {
  if (by_long_lists_ && dy == 1 && dz == 1) return lists::long_bytes(n_, std::max(m_, m_ * count_));
  if (by_lists_ && dy == 1 && dz == 1) {
    const std::int64_t some = list_targets(targets);
    return targets * n_ * 24 + some * list_bytes(n_) +
           4 * some * n_ * std::min(list_sources(some), std::max(m_, m_ * count_));
  }
  const std::int64_t each = target_bytes(dy, dz);
  return std::min(targets, std::max<std::int64_t>(1, kBatchBytes / each)) * each;
}

std::int64_t NetworkCudaPlan::list_targets(std::int64_t t) const {
  const std::int64_t most = std::clamp<std::int64_t>(
      std::min(kListCells / (n_ * std::min(m_, kListSources)), kBatchBytes / list_bytes(n_)), 1, t);
  const std::int64_t batches = (t + most - 1) / most;
  return (t + batches - 1) / batches;
}

std::int64_t NetworkCudaPlan::list_sources(std::int64_t targets) const {
  return kListCells / (targets * n_) / 32 * 32 + 32;
}

void NetworkCudaPlan::evaluate(CUstream_st* stream, Workspace& scratch, const NetworkTargets& targets,
                               std::span<const std::int64_t> skip, const NetworkResult& result) const {
  if (m_ == 0 || n_ == 0 || targets.t == 0) return;
  const std::int64_t batch =
      std::clamp<std::int64_t>(kBatchBytes / target_bytes(targets.dy, targets.dz), 1, targets.t);
  if (result.counts != nullptr)  // a pair that is skipped has none
    detail::check(
        cudaMemsetAsync(result.counts, 0,
                        result.counted.size() * static_cast<std::size_t>(3 * n_) * sizeof(std::int64_t),
                        stream),
        "te.network: fill");
  const bool one_each = targets.dy == 1 && targets.dz == 1, lists = by_lists_ && one_each,
             long_lists = by_long_lists_ && one_each;
  const Workspace::Frame frame(scratch);
  SortedTargets sorted;
  if (lists) {
    const std::int64_t cells = targets.t * n_;
    sorted = {take<double>(scratch, cells), take<double>(scratch, cells), take<std::int32_t>(scratch, cells),
              take<std::int32_t>(scratch, cells)};
    windows::sort_rows(stream, scratch, targets.y, targets.t, n_, sorted.y, sorted.y_order);
    windows::sort_rows(stream, scratch, targets.z, targets.t, n_, sorted.z, sorted.z_order);
  }
  const std::int64_t step = lists ? list_targets(targets.t) : long_lists ? 1 : batch;
  for (std::int64_t first = 0; first < targets.t; first += step) {
    const std::int64_t some = std::min(step, targets.t - first);
    if (lists)
      search_by_lists(stream, scratch, targets, sorted, first, some, skip, result);
    else if (long_lists)
      search_by_long_lists(stream, scratch, targets, first, skip, result);
    else
      search_by_windows(stream, scratch, targets, first, some, skip, result);
  }

  if (skip.empty() || mutant("te.network.cuda_skipped_not_blanked")) return;
  bool diagonal = true;
  for (std::size_t j = 0; j < skip.size(); ++j)
    diagonal = diagonal && skip[j] == skip[0] + static_cast<std::int64_t>(j);
  const std::int64_t* list = diagonal ? nullptr : upload(stream, scratch, skip);
  blank<<<blocks_for(targets.t), kThreads, 0, stream>>>(list, skip[0], m_, targets.t, result.values,
                                                        result.surrogates, count_);
  detail::check(cudaGetLastError(), "te.network: launch");
}

const std::int32_t* NetworkCudaPlan::slots_of(CUstream_st* stream, Workspace& scratch, std::int64_t first,
                                              std::int64_t some, std::span<const std::int64_t> skip,
                                              const NetworkResult& result) const {
  std::vector<std::int32_t> slots(static_cast<std::size_t>(some * m_), -1);
  for (std::size_t slot = 0; slot < result.counted.size(); ++slot) {
    const std::int64_t target = result.counted[slot].target - first, source = result.counted[slot].source;
    if (target >= 0 && target < some &&
        (skip.empty() || skip[static_cast<std::size_t>(first + target)] != source))
      slots[static_cast<std::size_t>(target * m_ + source)] = static_cast<std::int32_t>(slot);
  }
  return upload(stream, scratch, std::span<const std::int32_t>(slots));
}

void NetworkCudaPlan::prepare_lists(CUstream_st* stream, Workspace& memory) {
  lists::Columns columns;
  columns.count = first_surrogate_ + m_ * count_;
  columns.padded = (columns.count + 31) / 32 * 32;
  columns.n = n_;
  columns.x = sources_;
  const std::int64_t cells = columns.count * n_;
  double* sorted = take<double>(memory, cells);
  columns.sorted = sorted;
  columns.by_row = take<double>(memory, columns.padded * n_);
  columns.guess_by_row = take<float>(memory, columns.padded * n_);
  columns.spread_by_row = take<float>(memory, columns.padded * n_);
  columns.guess_sorted = take<float>(memory, cells);
  columns.guides = take<lists::Guide>(memory, columns.count);
  columns.starts = take<std::uint16_t>(memory, columns.count * lists::guide_starts(n_));
  columns.rows = take<std::uint16_t>(memory, cells);
  columns.ranks = take<std::uint16_t>(memory, cells);
  columns.tied = take<std::uint8_t>(memory, columns.padded);
  columns.scale = take<double>(memory, 1);
  columns_ = columns;
  const Workspace::Frame frame(memory);
  std::int32_t* order = take<std::int32_t>(memory, cells);
  windows::sort_rows(stream, memory, sources_, columns.count, n_, sorted, order);
  lists::prepare_columns(stream, memory, columns, order);
}

void NetworkCudaPlan::search_by_lists(CUstream_st* stream, Workspace& scratch, const NetworkTargets& targets,
                                      const SortedTargets& sorted, std::int64_t first, std::int64_t some,
                                      std::span<const std::int64_t> skip, const NetworkResult& result) const {
  const Workspace::Frame frame(scratch);
  lists::Targets prepared;
  prepared.count = some;
  prepared.n = n_;
  prepared.y = targets.y + first * n_;
  prepared.z = targets.z + first * n_;
  const std::int64_t cells = some * n_;
  const std::int64_t plane = some * lists::prefix_rows(n_) * lists::prefix_words(n_);
  const std::int32_t* y_order = sorted.y_order + first * n_;
  const std::int32_t* z_order = sorted.z_order + first * n_;
  const auto axis_of = [&](const double* values) {
    return lists::Axis{values + first * n_, take<std::uint16_t>(scratch, cells),
                       take<lists::Guide>(scratch, some),
                       take<std::uint16_t>(scratch, some * lists::guide_starts(n_))};
  };
  prepared.in_y = axis_of(sorted.y);
  prepared.in_z = axis_of(sorted.z);
  prepared.tied = take<std::uint8_t>(scratch, some);
  prepared.plane = take<float2>(scratch, cells);
  prepared.lists = take<std::uint32_t>(scratch, cells * 2 * lists::list_length(n_));
  prepared.reach = take<float>(scratch, cells);
  prepared.plane_bits = take<std::uint32_t>(scratch, plane);
  prepared.plane_counts = take<std::uint16_t>(scratch, plane);
  prepared.plane_positions = take<std::uint16_t>(scratch, some * lists::octets(n_));

  const auto k = static_cast<std::int32_t>(options_.k);
  const auto evaluate = [&](const spatial::ExclusionView& exclusion, std::int64_t begin, std::int64_t count,
                            lists::Results results) {
    const Workspace::Frame inner(scratch);
    const std::int64_t step = list_sources(some);
    std::uint32_t* found = take<std::uint32_t>(scratch, std::min(step, count) * cells);
    for (std::int64_t c = 0; c < count; c += step) {
      const lists::Range range{begin + c, std::min(step, count - c)};
      results.first_column = c;
      lists::walk_lists(stream, columns_, range, prepared, k, found);
      lists::walk_sources(stream, columns_, range, prepared, k, exclusion, found);
      lists::count_and_add(stream, columns_, range, prepared, k, exclusion, psi_, found, results);
    }
  };
  lists::prepare_targets(stream, prepared, y_order, z_order, with_trials_, columns_.scale, k);
  lists::Results observed{.values = result.values == nullptr ? nullptr : result.values + first,
                          .group = 1,
                          .group_stride = targets.t,
                          .target_stride = 1};
  if (result.counts != nullptr && !result.counted.empty()) {
    observed.slots = slots_of(stream, scratch, first, some, skip, result);
    observed.slot_columns = m_;
    observed.counts = result.counts;
  }
  evaluate(with_trials_, 0, m_, observed);
  if (count_ == 0 || result.surrogates == nullptr) return;
  // Their trials are dropped: other rows are excluded, the lists are others.
  if (with_trials_.bounds != nullptr && !mutant("te.network.cuda_stale_lists"))
    lists::prepare_targets(stream, prepared, y_order, z_order, without_trials_, columns_.scale, k);
  evaluate(without_trials_, first_surrogate_, m_ * count_,
           {.values = result.surrogates + first * count_,
            .group = count_,
            .group_stride = targets.t * count_,
            .target_stride = count_});
}

void NetworkCudaPlan::search_by_long_lists(CUstream_st* stream, Workspace& scratch,
                                           const NetworkTargets& targets, std::int64_t target,
                                           std::span<const std::int64_t> skip,
                                           const NetworkResult& result) const {
  const Workspace::Frame frame(scratch);
  const lists::LongTarget prepared = lists::order_long_target(
      stream, scratch, targets.y + target * n_, targets.z + target * n_, n_, long_sources_.scale);
  const auto k = static_cast<std::int32_t>(options_.k);
  windows::Outputs observed{.values = result.values == nullptr ? nullptr : result.values + target,
                            .group = 1,
                            .group_stride = targets.t,
                            .target_stride = 1};
  if (result.counts != nullptr && !result.counted.empty()) {
    observed.slots = slots_of(stream, scratch, target, 1, skip, result);
    observed.counts = result.counts;
  }
  lists::evaluate_long(stream, scratch, long_sources_, prepared, 0, m_, {k, with_trials_, psi_}, observed);
  if (count_ == 0 || result.surrogates == nullptr) return;
  lists::evaluate_long(stream, scratch, long_sources_, prepared, first_surrogate_, m_ * count_,
                       {k, without_trials_, psi_},
                       {.values = result.surrogates + target * count_,
                        .group = count_,
                        .group_stride = targets.t * count_,
                        .target_stride = count_});
}

void NetworkCudaPlan::search_by_windows(CUstream_st* stream, Workspace& scratch,
                                        const NetworkTargets& targets, std::int64_t first, std::int64_t some,
                                        std::span<const std::int64_t> skip,
                                        const NetworkResult& result) const {
  const Workspace::Frame frame(scratch);
  const auto dy = static_cast<std::int32_t>(targets.dy), dz = static_cast<std::int32_t>(targets.dz);
  const std::int64_t size = std::int64_t{n_} * d_;
  const double* y = targets.y + first * n_ * dy;
  const double* z = dz > 0 ? targets.z + first * n_ * dz : nullptr;
  std::int32_t* rows = take<std::int32_t>(scratch, some * n_);
  double* columns = take<double>(scratch, some * n_ * (dy + dz));
  {
    const Workspace::Frame inner(scratch);
    double* axes = take<double>(scratch, some * n_);
    double* sorted = take<double>(scratch, some * n_);
    const std::int32_t stride = mutant("te.network.cuda_axis_stride_ignored") ? 1 : dz > 0 ? dz : dy;
    take_axes<<<blocks_for(some * n_), kThreads, 0, stream>>>(dz > 0 ? z : y, some, n_, stride, axes);
    windows::sort_rows(stream, scratch, axes, some, n_, sorted, rows);
  }
  windows::gather_columns(stream, y, rows, some, n_, dy, columns, dy + dz, 0);
  if (dz > 0) windows::gather_columns(stream, z, rows, some, n_, dz, columns, dy + dz, dy);
  const windows::Targets prepared{columns, rows, n_, dy, dz};
  double* x = take<double>(scratch, some * m_ * (1 + count_) * size);

  const auto options_with = [&](const spatial::ExclusionView& exclusion) {
    const bool sweep = options_.search == spatial::Search::tree ||
                       (options_.search == spatial::Search::automatic &&
                        windows::sweep_suits(d_, dy, dz, options_.algorithm, options_.k, n_));
    return windows::Options{static_cast<std::int32_t>(options_.k), options_.algorithm, exclusion, exclusion,
                            sweep};
  };
  windows::gather_sources(stream, sources_, m_, rows, some, n_, d_, x);
  windows::Outputs observed{.values = result.values == nullptr ? nullptr : result.values + first,
                            .group = 1,
                            .group_stride = targets.t,
                            .target_stride = 1};
  if (result.counts != nullptr && !result.counted.empty()) {
    observed.slots = slots_of(stream, scratch, first, some, skip, result);
    observed.counts = result.counts;
  }
  windows::evaluate(stream, scratch, prepared, {.x = x, .dx = d_, .count = some * m_, .sources = m_},
                    options_with(with_trials_), psi_, observed);
  if (count_ == 0 || result.surrogates == nullptr) return;
  if (!mutant("te.network.cuda_stale_sources"))
    windows::gather_sources(stream, sources_ + first_surrogate_ * size, m_ * count_, rows, some, n_, d_, x);
  windows::evaluate(stream, scratch, prepared,
                    {.x = x, .dx = d_, .count = some * m_ * count_, .sources = m_ * count_},
                    options_with(without_trials_), psi_,
                    {.values = result.surrogates + first * count_,
                     .group = count_,
                     .group_stride = targets.t * count_,
                     .target_stride = count_});
}

}  // namespace assay::kernels::te
