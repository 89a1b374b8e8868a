#include "kernels/filters/long_row.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "engine/runtime/mutant.hpp"
#include "kernels/distribution/weight.hpp"
#include "kernels/filters/bin_cut.hpp"
#include "kernels/filters/filters.hpp"
#include "kernels/filters/keep.hpp"
#include "kernels/filters/passes.hpp"

namespace assay::kernels::filters {

namespace {

/// What is left becomes the head. A position is never below its place in the head, so ids may move down.
void narrow_to(Left& left, const Head& head, RowScratch& scratch) {
  if (head.logits != scratch.logits) {
    std::copy_n(head.logits, head.count, scratch.logits);
    for (std::int64_t at = 0; at < head.count; ++at) scratch.ids[at] = left.id(head.positions[at]);
  }
  left = {scratch.logits, scratch.ids, head.count, false};
}

/// Where a head of `source` can be listed: straight where what is left belongs, unless the row is there.
HeadRoom room_for(const DividedRow& source, RowScratch& scratch) {
  if (source.row.data == reinterpret_cast<const std::byte*>(scratch.logits))
    return room_beside(source, scratch);
  return {scratch.logits, scratch.ids};
}

/// Where their bins go: behind logits that may lie in `keys`, a head being a quarter of the row at most.
std::int32_t* room_of_bins(const DividedRow& source, RowScratch& scratch) {
  return reinterpret_cast<std::int32_t*>(scratch.keys) + source.row.count;
}

/// Whether the tokens at the cut of a head may be fewer than those of the row: logits below the raw bound
/// that the division made equal to it.
bool may_lack_ties(const DividedRow& source, const Head& head, float key) {
  return source.divided() && key == head.bound && !mutant("sampling.chain.merged_ties_lost");
}

std::span<const float> values_of(const Head& head) {
  return {head.logits, static_cast<std::size_t>(head.count)};
}

/// Where the mass of a row reaches p, if its head holds that: to the token.
std::optional<Cut<float>> cut_of_mass(const DividedRow& source, const EstimatedHead& estimated, double p,
                                      RowScratch& scratch) {
  const Head& head = estimated.head();
  const float maximum = greatest(head.logits, head.count);
  if (!std::isfinite(maximum)) return std::nullopt;
  const std::uint64_t mass = weigh(head.logits, head.count, maximum, scratch.weights);
  const Rest rest = estimated.rest(maximum);
  const std::uint64_t needed = mass_needed_of(p, mass + rest.least);
  const std::uint64_t most = mass_needed_of(p, mass + rest.most);
  if (most > mass) return std::nullopt;
  const auto cut_at = [&](std::uint64_t part) {
    return find_cut_by_bins(values_of(head), scratch.weights, part, head.bound, maximum, room<float>(scratch),
                            room_of_bins(source, scratch));
  };
  const auto cut = cut_at(needed);
  // Equal tokens have one weight: so many of them are kept under the least mass, and under the greatest.
  const std::uint64_t weight = distribution::weight_of(maximum, cut.key);
  const auto tokens = [&](std::uint64_t part) { return (part - 1) / weight; };
  if (tokens(cut.needed) == tokens(cut.needed + (most - needed))) return cut;
  return cut_at(mass_needed_of(p, mass + weigh_others(source, head, maximum)));
}

}  // namespace

std::uint64_t mass_needed_of(double p, std::uint64_t total) {
  std::uint64_t needed = std::max<std::uint64_t>(1, distribution::mass_needed(p, total));
  if (mutant("sampling.chain.mass_rounded_down") && needed > 1) --needed;
  if (mutant("sampling.chain.mass_scaled")) needed = std::min(total, needed + needed / 8);
  return needed;
}

void keep_cut_of_long(Left& left, Cut<float> cut, RowScratch& scratch) {
  // Of the equal tokens those up to the last that it takes.
  std::int64_t last = -1;
  for (std::uint64_t taken = 0; taken < cut.needed; taken += scratch.weights[last]) {
    do ++last;
    while (left.logits[last] != cut.key);
  }
  if (mutant("sampling.chain.long_row_keeps_all_ties")) last = left.count;
  if (left.whole) std::iota(scratch.ids, scratch.ids + left.count, 0);
  left = {left.logits, scratch.ids, keep_above(left.logits, scratch.ids, left.count, cut.key, last), false};
}

bool narrow_to_count(Left& left, const DividedRow& source, std::int64_t k, RowScratch& scratch) {
  const auto bound = bound_of_count(source, k);
  if (!bound) return false;
  const Head head = head_of(source, *bound, room_for(source, scratch), scratch);
  if (head.count < k || head.count > head_limit(left.count)) return false;
  narrow_to(left, head, scratch);
  return true;
}

bool start_with_top_k(Left& left, const DividedRow& source, std::int64_t k, RowScratch& scratch) {
  if (k <= 0 || k >= left.count) return false;
  const auto bound = bound_of_count(source, k);
  if (!bound) return false;
  const Head head = head_of(source, *bound, room_for(source, scratch), scratch);
  if (head.count < k || head.count > head_limit(left.count)) return false;
  Left kept = left;
  narrow_to(kept, head, scratch);
  keep_top_k(kept, k, scratch);
  if (may_lack_ties(source, head, *std::min_element(kept.logits, kept.logits + kept.count))) return false;
  left = kept;
  return true;
}

bool keep_top_p_of_long(Left& left, const DividedRow& source, double p, std::int64_t least,
                        RowScratch& scratch) {
  // A sample of a few that weigh much may mislead: a share closer to the whole than p, then closer still.
  for (const double closer : {0.7, 0.2}) {
    const auto bound = bound_of_mass(source, 1 - closer * (1 - std::max(p, 0.0)));
    if (!bound) return false;
    const auto estimated = EstimatedHead::of(source, *bound, room_for(source, scratch), scratch);
    if (!estimated) return false;
    const Head& head = estimated->head();
    if (head.count < least || head.count > head_limit(left.count)) return false;
    const auto cut = cut_of_mass(source, *estimated, p, scratch);
    if (!cut) continue;
    if (may_lack_ties(source, head, cut->key)) return false;
    if (least > 1 && length_of(values_of(head), *cut, scratch.weights) < least) return false;
    narrow_to(left, head, scratch);
    keep_cut_of_long(left, *cut, scratch);
    return true;
  }
  return false;
}

}  // namespace assay::kernels::filters
