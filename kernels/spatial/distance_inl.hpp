// Vector code that the searches share, compiled once for every instruction set that hwy/foreach_target.h goes
// through.
#if defined(ASSAY_KERNELS_SPATIAL_DISTANCE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ASSAY_KERNELS_SPATIAL_DISTANCE_INL
#undef ASSAY_KERNELS_SPATIAL_DISTANCE_INL
#else
#define ASSAY_KERNELS_SPATIAL_DISTANCE_INL
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/runtime/mutant.hpp"
#include "hwy/highway.h"
#include "kernels/spatial/columns.hpp"
#include "kernels/spatial/counting.hpp"
#include "kernels/spatial/exclusion.hpp"
#include "kernels/spatial/nearest_box.hpp"

HWY_BEFORE_NAMESPACE();
namespace assay::kernels::spatial::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::ScalableTag<double>;
using Vector = hn::Vec<Tag>;
using Mask = hn::Mask<Tag>;
inline constexpr std::int64_t kLanes = static_cast<std::int64_t>(HWY_LANES(double));

/// |column - q| of the points at `position` onwards: one rounding, as in the definition.
HWY_INLINE Vector Difference(const double* column, std::int64_t position, double q) {
  const Tag tag;
  return hn::Abs(hn::Sub(hn::LoadU(tag, column + position), hn::Set(tag, q)));
}

/// Bit i of lane i.
HWY_INLINE std::uint32_t BitsOf(Mask mask) {
  std::uint8_t bytes[8] = {};
  hn::StoreMaskBits(Tag(), mask, bytes);
  return bytes[0];
}

/// The coordinates of one point, and those of all others.
struct Query {
  const Columns* columns;
  const double* q;
};

/// Largest coordinate difference of kLanes points; kFixed dimensions, or as many as there are for kFixed = 0.
template <int kFixed>
HWY_INLINE Vector Distances(const Query& query, std::int64_t position) {
  Vector largest = Difference(query.columns->column(0), position, query.q[0]);
  const std::int64_t d = kFixed > 0 ? kFixed : query.columns->dimensions();
  for (std::int64_t c = 1; c < d; ++c)
    largest = hn::Max(largest, Difference(query.columns->column(c), position, query.q[c]));
  return largest;
}

/// Points of one step of a search: enough work between two branches.
inline constexpr std::int64_t kBlock = 4 * kLanes;
static_assert(Columns::kPadding % kBlock == 0);

/// Offers the kBlock points at `position` to the list. With many dimensions it is left as soon as none can
/// enter.
template <int kFixed, class List>
HWY_INLINE void Offer(const Query& query, std::int64_t position, const std::int32_t* order, RowRange excluded,
                      List& list) {
  constexpr std::int64_t kGroup = 8;
  const Tag tag;
  const Vector threshold = hn::Set(tag, list.threshold());
  Vector v0 = hn::Zero(tag), v1 = v0, v2 = v0, v3 = v0;
  const std::int64_t d = kFixed > 0 ? kFixed : query.columns->dimensions();
  for (std::int64_t c = 0; c < d;) {
    const std::int64_t end = kFixed > 0 ? d : std::min(c + kGroup, d);
    for (; c < end; ++c) {
      const double* column = query.columns->column(c);
      v0 = hn::Max(v0, Difference(column, position, query.q[c]));
      v1 = hn::Max(v1, Difference(column, position + kLanes, query.q[c]));
      v2 = hn::Max(v2, Difference(column, position + 2 * kLanes, query.q[c]));
      v3 = hn::Max(v3, Difference(column, position + 3 * kLanes, query.q[c]));
    }
    const Mask some = hn::Or(hn::Or(hn::Le(v0, threshold), hn::Le(v1, threshold)),
                             hn::Or(hn::Le(v2, threshold), hn::Le(v3, threshold)));
    if (hn::AllFalse(tag, some)) return;
  }
  HWY_ALIGN double values[kBlock];
  hn::Store(v0, tag, values);
  hn::Store(v1, tag, values + kLanes);
  hn::Store(v2, tag, values + 2 * kLanes);
  hn::Store(v3, tag, values + 3 * kLanes);
  std::uint32_t bits = BitsOf(hn::Le(v0, threshold)) | BitsOf(hn::Le(v1, threshold)) << kLanes |
                       BitsOf(hn::Le(v2, threshold)) << 2 * kLanes |
                       BitsOf(hn::Le(v3, threshold)) << 3 * kLanes;
  for (; bits != 0; bits &= bits - 1) {
    const int lane = std::countr_zero(bits);
    if (values[lane] > list.threshold()) continue;
    const std::int32_t row = order[position + lane];
    if (!excluded.contains(row)) list.offer(values[lane], row);
  }
}

/// Lanes that lie within `first` in the columns before `split` and within `second` in the others.
template <int kFixed>
HWY_INLINE Mask Within(const Query& query, std::int64_t position, double first, double second,
                       std::int64_t split) {
  const Tag tag;
  const Vector first_radius = hn::Set(tag, first);
  const Vector second_radius = hn::Set(tag, second);
  const std::int64_t d = kFixed > 0 ? kFixed : query.columns->dimensions();
  const auto column = [&](std::int64_t c) HWY_ATTR {
    return hn::Le(Difference(query.columns->column(c), position, query.q[c]),
                  c < split ? first_radius : second_radius);
  };
  Mask inside = column(0);
  for (std::int64_t c = 1; c < d; ++c) inside = hn::And(inside, column(c));
  return inside;
}

using Counter = hn::Vec<hn::RebindToSigned<Tag>>;

/// One more in every lane that is inside.
HWY_INLINE Counter Add(Counter counter, Mask inside) {
  const hn::RebindToSigned<Tag> tag;
  return hn::IfThenElse(hn::RebindMask(tag, inside), hn::Add(counter, hn::Set(tag, 1)), counter);
}

HWY_INLINE std::int64_t Total(Counter counter) {
  const hn::RebindToSigned<Tag> tag;
  return hn::GetLane(hn::SumOfLanes(tag, counter));
}

/// Appends the admissible points of these kLanes at a distance of at most `radius`; x, y and z end at columns
/// ends[0], ends[1] and ends[2].
HWY_INLINE void Gather(const Query& query, std::int64_t position, const std::int32_t* order,
                       RowRange excluded, double radius, const std::int64_t* ends,
                       std::vector<PartDistances>& near) {
  const Tag tag;
  const Mask inside = hn::Le(Distances<0>(query, position), hn::Set(tag, radius));
  if (hn::AllFalse(tag, inside)) return;
  for (std::uint32_t bits = BitsOf(inside); bits != 0; bits &= bits - 1) {
    const std::int64_t at = position + std::countr_zero(bits);
    if (excluded.contains(order[at])) continue;
    double largest[3] = {0, 0, 0};
    std::int64_t c = 0;
    for (int part = 0; part < 3; ++part)
      for (; c < ends[part]; ++c)
        largest[part] = std::max(largest[part], std::fabs(query.columns->column(c)[at] - query.q[c]));
    near.push_back({largest[0], largest[1], largest[2]});
  }
}

HWY_INLINE void GatherBlock(const Query& query, std::int64_t position, const std::int32_t* order,
                            RowRange excluded, double radius, const std::int64_t* ends,
                            std::vector<PartDistances>& near) {
  const std::int64_t end = position + kBlock - (mutant("te.ksg.box_block_tail_lost") ? kLanes : 0);
  for (std::int64_t at = position; at < end; at += kLanes)
    Gather(query, at, order, excluded, radius, ends, near);
}

}  // namespace assay::kernels::spatial::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggled
