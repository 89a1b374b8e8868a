// One target and its sources, in the order in which the searches follow each other.
#include <algorithm>

#include "engine/runtime/workspace.hpp"
#include "kernels/lists/long_lists.hpp"
#include "kernels/lists/wavelet.cuh"
#include "kernels/windows/order.hpp"
#include "kernels/windows/sweep.hpp"

namespace assay::kernels::lists {

namespace {

static_assert(kUnresolved == windows::kOpenPoint);

/// Points whose lists there are at a time.
constexpr std::int64_t kLongPoints = std::int64_t{1} << 17;
/// Points of pairs on their way at a time.
constexpr std::int64_t kLongCells = std::int64_t{1} << 24;

template <typename T>
T* take(Workspace& memory, std::int64_t count) {
  return memory.take<T>(static_cast<std::size_t>(count)).data();
}

std::int64_t sources_at_a_time(std::int64_t n, std::int64_t count) {
  return std::min(count, std::max<std::int64_t>(32, kLongCells / n / 32 * 32));
}

std::int64_t padded_to(std::int64_t count) {
  return (count + 31) / 32 * 32;
}

LongPairs take_pairs(Workspace& scratch, std::int64_t count, std::int32_t n) {
  const std::int64_t cells = count * n;
  LongPairs pairs;
  pairs.padded = padded_to(count);
  pairs.x = take<double>(scratch, cells);
  pairs.by_place = take<double>(scratch, pairs.padded * n);
  pairs.guess_by_place = take<float>(scratch, pairs.padded * n);
  pairs.spread_by_place = take<float>(scratch, pairs.padded * n);
  pairs.ranks = take<std::uint32_t>(scratch, cells);
  pairs.spare = take<std::uint32_t>(scratch, 2 * cells);
  pairs.wavelets = take<uint2>(scratch, count * wavelet_words(n));
  pairs.found = take<std::uint32_t>(scratch, cells);
  pairs.local = take<double>(scratch, cells);
  return pairs;
}

}  // namespace

std::int64_t long_bytes(std::int32_t n, std::int64_t count) {
  const std::int64_t sources = sources_at_a_time(n, count);
  const std::int64_t lists = std::min<std::int64_t>(n, kLongPoints) * 2 * kLongListLength * 4;
  // of a point: what order_long_target takes, and guesses; of a point of a pair: what take_pairs takes, and a
  // guess
  return lists + std::int64_t{n} * 96 + padded_to(sources) * n * 56 + sources * wavelet_words(n) * 8;
}

LongSources rank_long_sources(CUstream_st* stream, Workspace& memory, const double* x, std::int64_t count,
                              std::int32_t n) {
  LongSources sources;
  sources.count = count;
  sources.n = n;
  sources.x = x;
  double* sorted = take<double>(memory, count * n);
  sources.sorted = sorted;
  sources.ranks = take<std::int32_t>(memory, count * n);
  sources.spreads = take<float>(memory, count * n);
  sources.guides = take<Guide>(memory, count);
  sources.starts = take<std::uint32_t>(memory, count * long_starts(n));
  sources.scale = take<double>(memory, 1);
  std::int32_t* rows = take<std::int32_t>(memory, count * n);
  sources.rows = rows;
  const Workspace::Frame frame(memory);
  windows::sort_rows(stream, memory, x, count, n, sorted, rows);
  prepare_long_sources(stream, memory, sources);
  return sources;
}

LongTarget order_long_target(CUstream_st* stream, Workspace& scratch, const double* y, const double* z,
                             std::int32_t n, const double* scale) {
  std::int32_t* rows = take<std::int32_t>(scratch, n);
  std::int32_t* y_rows = take<std::int32_t>(scratch, n);
  double* columns = take<double>(scratch, 2 * std::int64_t{n});
  double* y_sorted = take<double>(scratch, n);
  windows::sort_rows(stream, scratch, y, 1, n, y_sorted, y_rows);
  windows::sort_rows(stream, scratch, z, 1, n, columns + n, rows);
  windows::gather_columns(stream, y, rows, 1, n, 1, columns, 2, 0);
  LongTarget target;
  target.n = n;
  target.columns = columns;
  target.rows = rows;
  target.places = take<std::int32_t>(scratch, n);
  target.y_sorted = y_sorted;
  target.y_rows = y_rows;
  target.y_ranks = take<std::uint32_t>(scratch, n);
  target.plane = take<float2>(scratch, n);
  target.wavelet = take<uint2>(scratch, wavelet_words(n));
  target.spare = take<std::uint32_t>(scratch, 2 * std::int64_t{n});
  target.guides = take<Guide>(scratch, 2);
  target.starts = take<std::uint32_t>(scratch, 2 * std::int64_t{long_starts(n)});
  target.reach = take<float>(scratch, n);
  target.lists = take<std::uint32_t>(scratch, std::min<std::int64_t>(n, kLongPoints) * 2 * kLongListLength);
  prepare_long_target(stream, target, scale);
  return target;
}

void evaluate_long(CUstream_st* stream, Workspace& scratch, const LongSources& sources,
                   const LongTarget& target, std::int64_t first, std::int64_t count,
                   const LongOptions& options, windows::Outputs outputs) {
  const Workspace::Frame frame(scratch);
  const std::int64_t n = target.n, step = sources_at_a_time(n, count), points = std::min(n, kLongPoints);
  LongPairs pairs = take_pairs(scratch, step, target.n);
  const std::int32_t* slots = outputs.slots;
  bool listed = false;
  for (std::int64_t c = 0; c < count; c += step) {
    pairs.first = first + c;
    pairs.count = std::min(step, count - c);
    outputs.first_source = c;
    if (slots != nullptr) outputs.slots = slots + c;
    prepare_long_pairs(stream, sources, target, pairs);
    for (std::int64_t p = 0; p < n; p += points) {
      const auto place = static_cast<std::int32_t>(p),
                 some = static_cast<std::int32_t>(std::min(points, n - p));
      if (!listed) build_long_lists(stream, target, place, some, options.exclusion, sources.scale, options.k);
      listed = points >= n;  // else the next points' lists take their place
      walk_long_lists(stream, target, pairs, sources.scale, place, some, options.k);
    }
    search_long_rest(stream, sources, target, pairs, options.exclusion, options.k);
    count_long(stream, sources, target, pairs, options.exclusion, options.k, options.psi, outputs);
    windows::sweep(stream, scratch, {target.columns, target.rows, target.n, 1, 1},
                   {.x = pairs.x, .dx = 1, .count = pairs.count, .sources = pairs.count},
                   {options.k, 1, options.exclusion, options.exclusion, true}, options.psi, outputs,
                   {pairs.found, pairs.local});
  }
}

}  // namespace assay::kernels::lists
