// The lists of a target. A radius that should hold four fifths of a list is guessed from how wide apart the
// neighbours in y alone and in z alone stand, and corrected by what the points before had; the window of z
// within it is scanned, and the nearest are sorted by a network, one point a lane. Keys are distances whose
// last 16 bits are the position; the order is put right by the distances themselves afterwards, which moves
// next to nothing.
#include "kernels/networks/target_lists.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/networks/target_lists.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef ASSAY_KERNELS_NETWORKS_TARGET_LISTS
#define ASSAY_KERNELS_NETWORKS_TARGET_LISTS
namespace assay::kernels::networks {

struct Comparator {
  std::uint16_t low, high;
};

/// What building lists takes beside them; one a chunk of points.
struct ListScratch {
  std::vector<double> keys;    // of one point, unsorted
  std::vector<double> matrix;  // (depth, lanes)
  double correction = 1.0;     // of the guessed radius
};

inline constexpr std::uint64_t kPositionBits = 0xFFFF;

}  // namespace assay::kernels::networks
#endif

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::networks::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<double>;
using Vector = hn::Vec<Tag>;

/// Keys of the points at [begin, end) nearer than `radius` in y, to `keys`; the nearest of the others goes
/// into `beyond`.
HWY_INLINE std::int64_t Collect(const TargetPoints& points, std::int64_t begin, std::int64_t end, double y,
                                double z, double radius, double* keys, Vector& beyond) {
  const Tag tag;
  const hn::RebindToUnsigned<Tag> bits;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  const Vector of_y = hn::Set(tag, y), of_z = hn::Set(tag, z), reach = hn::Set(tag, radius);
  const Vector infinity = hn::Set(tag, std::numeric_limits<double>::infinity());
  const Vector largest = hn::Set(tag, std::numeric_limits<double>::max());
  const auto distance_bits = hn::Set(bits, ~kPositionBits);
  auto position = hn::Iota(bits, static_cast<std::uint64_t>(begin));
  std::int64_t count = 0;
  std::int64_t at = begin;
  const auto take = [&](Vector dy, hn::Mask<Tag> inside, Vector outside) HWY_ATTR {
    const Vector dz = hn::Abs(hn::Sub(hn::LoadU(tag, points.z.data() + at), of_z));
    const Vector distance = hn::Max(dy, dz);
    beyond = hn::Min(beyond, outside);
    const auto key = hn::Or(hn::And(hn::BitCast(bits, hn::Min(distance, largest)), distance_bits), position);
    count += static_cast<std::int64_t>(hn::CompressStore(hn::BitCast(tag, key), inside, tag, keys + count));
    position = hn::Add(position, hn::Set(bits, static_cast<std::uint64_t>(lanes)));
  };
  const auto difference = [&]() HWY_ATTR {
    return hn::Abs(hn::Sub(hn::LoadU(tag, points.y.data() + at), of_y));
  };
  for (; at + lanes <= end; at += lanes) {
    const Vector dy = difference();
    const auto inside = hn::Lt(dy, reach);
    take(dy, inside, hn::IfThenElse(inside, infinity, dy));
  }
  if (at < end) {
    const Vector dy = difference();
    const auto valid = hn::FirstN(tag, static_cast<std::size_t>(end - at));
    const auto inside = hn::And(hn::Lt(dy, reach), valid);
    take(dy, inside, hn::IfThenElse(hn::Or(inside, hn::Not(valid)), infinity, dy));
  }
  return count;
}

/// Leaves out what is excluded beside the point itself.
HWY_INLINE std::int64_t Admit(const TargetPoints& points, spatial::RowRange excluded, double* keys,
                              std::int64_t count) {
  std::int64_t kept = 0;
  for (std::int64_t at = 0; at < count; ++at) {
    const auto position = static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(keys[at]) & kPositionBits);
    keys[kept] = keys[at];
    kept += excluded.contains(points.row(position)) ? 0 : 1;
  }
  return kept;
}

/// The width of the middle of a sorted column around a rank, `reach` ranks to either side.
HWY_INLINE double WidthAround(const SortedColumn& column, std::int64_t rank, std::int64_t reach) {
  const std::int64_t low = std::max<std::int64_t>(rank - reach, 0);
  const std::int64_t high = std::min(rank + reach, column.size() - 1);
  return (column.values()[high] - column.values()[low]) * static_cast<double>(2 * reach) /
         static_cast<double>(std::max<std::int64_t>(high - low, 1));
}

/// A radius within which about `wanted` points lie, were y and z independent.
HWY_INLINE double GuessedRadius(const TargetPoints& points, std::int64_t position, double wanted) {
  const auto n = static_cast<double>(points.n);
  const std::int64_t reach = std::max<std::int64_t>(4, points.n / 24);
  const std::int64_t y_rank = points.y_ranks[static_cast<std::size_t>(position)] + 32'768;
  const double width_y = WidthAround(points.sorted_y, y_rank, reach);
  const double width_z = WidthAround(points.sorted_z, position, reach);
  const double guess =
      std::sqrt(wanted * n) * std::sqrt(width_y) * std::sqrt(width_z) / static_cast<double>(4 * reach);
  if (guess > 0 && std::isfinite(guess)) return guess;
  const double range = std::max(points.sorted_y.values()[points.n - 1] - points.sorted_y.values()[0],
                                points.sorted_z.values()[points.n - 1] - points.sorted_z.values()[0]);
  return range > 0 && std::isfinite(range) ? range * 0.5 * std::sqrt(wanted / n)
                                           : std::numeric_limits<double>::max();
}

/// Chooses the neighbours of one point: keys in scratch.keys. Returns how many, at most `depth`.
HWY_INLINE std::int64_t Choose(const TargetPoints& points, std::int64_t position, spatial::RowRange excluded,
                               std::int64_t depth, ListScratch& scratch, double& bound) {
  constexpr int kAttempts = 4;
  const Tag tag;
  const double infinity = std::numeric_limits<double>::infinity();
  const double y = points.y[static_cast<std::size_t>(position)];
  const double z = points.z[static_cast<std::size_t>(position)];
  const double wanted = 0.8 * static_cast<double>(depth);
  const bool all = points.n - 1 <= depth;
  double guess = GuessedRadius(points, position, wanted) * scratch.correction;
  if (!(guess > 0)) guess = std::numeric_limits<double>::min();
  double radius = all ? infinity : guess;
  double* keys = scratch.keys.data();
  const bool bound_lost = mutant("te.network.list_bound_of_left_alone");
  std::int64_t count = 0;
  for (int attempt = 1;; ++attempt) {
    const Interval window = points.sorted_z.within(z, radius);
    Vector beyond = hn::Set(tag, infinity);
    count = Collect(points, window.first, position, y, z, radius, keys, beyond);
    count += Collect(points, position + 1, window.last, y, z, radius, keys + count, beyond);
    bound = hn::GetLane(hn::MinOfLanes(tag, beyond));
    if (window.first > 0) bound = std::min(bound, z - points.z[static_cast<std::size_t>(window.first - 1)]);
    if (window.last < points.n && !bound_lost)
      bound = std::min(bound, points.z[static_cast<std::size_t>(window.last)] - z);
    if (all || attempt == kAttempts || count == points.n - 1 || (count >= depth / 2 && count <= 2 * depth))
      break;
    radius *= std::clamp(std::sqrt(wanted / static_cast<double>(count + 1)), 0.2, 5.0);
    if (radius == 0) radius = std::numeric_limits<double>::min();
  }
  if (!all) {
    const double drift = std::sqrt(std::sqrt(wanted / static_cast<double>(count + 1)));
    scratch.correction = std::clamp(scratch.correction * std::clamp(drift, 0.8, 1.25), 1e-3, 1e3);
  }
  if (excluded.size() > 1 && !mutant("te.network.list_admits_window"))
    count = Admit(points, excluded, keys, count);
  if (count > depth) {
    std::nth_element(keys, keys + depth, keys + count);
    const double cut = std::bit_cast<double>(std::bit_cast<std::uint64_t>(keys[depth]) & ~kPositionBits);
    bound = mutant("te.network.list_cut_forgotten") ? bound : std::min(bound, cut);
    count = depth;
  }
  return count;
}

/// Writes a sorted list with its distances in full, and puts right what the shortened keys left unsorted.
HWY_INLINE void WriteList(const TargetPoints& points, std::int64_t position, const double* sorted,
                          std::int64_t stride, std::int64_t count, const TargetLists::Target& list) {
  const double y = points.y[static_cast<std::size_t>(position)];
  const double z = points.z[static_cast<std::size_t>(position)];
  const bool order_kept = mutant("te.network.list_sorted_by_key");
  double before = 0;
  for (std::int64_t entry = 0; entry < count; ++entry) {
    const std::uint64_t other = std::bit_cast<std::uint64_t>(sorted[entry * stride]) & kPositionBits;
    const double distance = std::max(std::fabs(points.y[other] - y), std::fabs(points.z[other] - z));
    std::int64_t at = entry;
    if (HWY_UNLIKELY(distance < before) && !order_kept)
      for (; at > 0 && distance < list.distances[at - 1]; --at) {
        list.distances[at] = list.distances[at - 1];
        list.positions[at] = list.positions[at - 1];
      }
    list.distances[at] = distance;
    list.positions[at] = static_cast<std::uint16_t>(other);
    before = list.distances[entry];
  }
  for (std::int64_t entry = count; entry < count + TargetLists::kStep; ++entry) {
    list.distances[entry] = std::numeric_limits<double>::infinity();
    list.positions[entry] = static_cast<std::uint16_t>(position);
  }
  *list.size = static_cast<std::int32_t>(count);
}

void BuildLists(const TargetPoints& points, const spatial::Exclusion& exclusion,
                const std::vector<Comparator>& network, ListScratch& scratch, TargetLists& lists,
                std::int64_t begin, std::int64_t end) {
  const Tag tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  const std::int64_t depth = lists.depth();
  scratch.keys.resize(static_cast<std::size_t>(points.n + 2 * lanes));
  scratch.matrix.resize(static_cast<std::size_t>(depth * lanes));
  double* matrix = scratch.matrix.data();
  for (std::int64_t group = begin; group < end; group += lanes) {
    const std::int64_t members = std::min(lanes, end - group);
    if (members < lanes) std::fill(scratch.matrix.begin(), scratch.matrix.end(), 0.0);
    std::int64_t counts[HWY_LANES(double)] = {};
    for (std::int64_t member = 0; member < members; ++member) {
      const std::int64_t position = group + member;
      counts[member] = Choose(points, position, exclusion.of(points.row(position)), depth, scratch,
                              *lists.writable(position).bound);
      for (std::int64_t entry = 0; entry < counts[member]; ++entry)
        matrix[entry * lanes + member] = scratch.keys[static_cast<std::size_t>(entry)];
      for (std::int64_t entry = counts[member]; entry < depth; ++entry)
        matrix[entry * lanes + member] = std::numeric_limits<double>::infinity();
    }
    for (const Comparator& pair : network) {
      double* low = matrix + pair.low * lanes;
      double* high = matrix + pair.high * lanes;
      const Vector a = hn::LoadU(tag, low), b = hn::LoadU(tag, high);
      hn::StoreU(hn::Min(a, b), tag, low);
      hn::StoreU(hn::Max(a, b), tag, high);
    }
    for (std::int64_t member = 0; member < members; ++member)
      WriteList(points, group + member, matrix + member, lanes, counts[member],
                lists.writable(group + member));
  }
}

}  // namespace assay::kernels::networks::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace assay::kernels::networks {

HWY_EXPORT(BuildLists);

namespace {

constexpr std::int64_t kGrain = 256;  // points; a multiple of every number of lanes

/// Batcher's odd-even merge sort (Batcher 1968) of the next power of two, less the comparators whose upper
/// end would hold an infinity.
std::vector<Comparator> sorting_network(std::int64_t size) {
  std::vector<Comparator> network;
  const auto whole = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(size)));
  for (std::int64_t half = 1; half < whole; half *= 2)
    for (std::int64_t distance = half; distance >= 1; distance /= 2)
      for (std::int64_t first = distance % half; first + distance < size; first += 2 * distance)
        for (std::int64_t low = first; low < first + distance && low + distance < size; ++low)
          if (low / (2 * half) == (low + distance) / (2 * half))
            network.push_back({static_cast<std::uint16_t>(low), static_cast<std::uint16_t>(low + distance)});
  return network;
}

}  // namespace

TargetPoints::TargetPoints(const double* y_rows, const double* z_rows, std::int64_t count)
    : n(count), sorted_y({y_rows, 1}, count), sorted_z({z_rows, 1}, count) {
  const auto size = static_cast<std::size_t>(n);
  constexpr std::size_t kPadding = 64;
  y.assign(size + kPadding, std::numeric_limits<double>::quiet_NaN());
  z.assign(size + kPadding, std::numeric_limits<double>::quiet_NaN());
  y_ranks.assign(size + kPadding, 0);
  for (std::int64_t at = 0; at < n; ++at) {
    const auto position = static_cast<std::size_t>(at);
    y[position] = y_rows[row(at)];
    z[position] = z_rows[row(at)];
    y_ranks[position] =
        static_cast<std::int16_t>(sorted_y.ranks()[static_cast<std::size_t>(row(at))] - 32'768);
  }
}

void TargetLists::assign(ThreadPool& pool, const TargetPoints& points, const spatial::Exclusion& exclusion) {
  const auto size = static_cast<std::size_t>(points.n);
  depth_ = depth_for(points.n);
  stride_ = depth_ + kStep;
  distances_.resize(size * static_cast<std::size_t>(stride_));
  positions_.resize(size * static_cast<std::size_t>(stride_));
  sizes_.resize(size);
  bounds_.resize(size);
  const std::vector<Comparator> network = sorting_network(depth_);
  pool.parallel_for(points.n, kGrain, [&](std::int64_t begin, std::int64_t end, unsigned) {
    ListScratch scratch;
    HWY_DYNAMIC_DISPATCH(BuildLists)(points, exclusion, network, scratch, *this, begin, end);
  });
}

}  // namespace assay::kernels::networks
#endif  // HWY_ONCE
