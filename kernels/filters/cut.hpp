#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

namespace assay::kernels::filters {

/// How far down the order a prefix goes: every item above `key`, and of those that are equal to it as many by
/// position as it takes until their weights add up to `needed`.
template <typename Key>
struct Cut {
  Key key;
  std::uint64_t needed;
};

/// What an item counts for: its weight, or one.
struct Ones {
  std::uint64_t operator[](std::int64_t) const { return 1; }
};

/// An item that may still be at the cut.
template <typename Key>
struct Item {
  Key key;
  std::uint64_t weight;
};

namespace detail {

/// A key near the one where the falling sum of weights reaches `share` of the whole: by a strided sample.
template <typename Key, typename At>
Key pivot_of(std::int64_t count, double share, const At& at) {
  constexpr std::int64_t most = 128;
  Item<Key> sample[most];
  const std::int64_t taken = std::min(count, most);
  for (std::int64_t i = 0; i < taken; ++i) sample[i] = at(i * count / taken);
  std::sort(sample, sample + taken, [](const auto& a, const auto& b) { return a.key > b.key; });
  double whole = 0, sum = 0;
  for (std::int64_t i = 0; i < taken; ++i) whole += static_cast<double>(sample[i].weight);
  for (std::int64_t i = 0; i < taken; ++i) {
    sum += static_cast<double>(sample[i].weight);
    if (sum >= share * whole) return sample[i].key;
  }
  return sample[taken - 1].key;
}

}  // namespace detail

/// The cut among `active` things that `at(i)` gives as items, of mass `total`. Weighted quickselect: a pivot
/// splits what may still hold the cut, and the sums say which side does. `room` takes 2 x active items; `at`
/// may read from behind the first active of them. Precondition: 1 <= needed <= total.
template <typename Key, typename At>
Cut<Key> find_cut_among(std::int64_t active, const At& first_at, std::uint64_t needed, std::uint64_t total,
                        Item<Key>* room) {
  Item<Key>* above = room;
  Item<Key>* below = room + active;
  const Item<Key>* items = nullptr;  // at first what is given
  for (;;) {
    const auto at = [&](std::int64_t i) { return items == nullptr ? first_at(i) : items[i]; };
    const double share = total == 0 ? 1.0 : static_cast<double>(needed) / static_cast<double>(total);
    const Key pivot = detail::pivot_of<Key>(active, share, at);
    std::uint64_t sum_above = 0, sum_equal = 0;
    std::int64_t count_above = 0, count_below = 0;
    // What is above goes to the front of one room, what is below to that of the other. One of the two is
    // where the items come from: behind those that are still to be read.
    for (std::int64_t i = 0; i < active; ++i) {
      const Item<Key> item = at(i);
      if (item.key > pivot) {
        sum_above += item.weight;
        above[count_above++] = item;
      } else if (item.key == pivot) {
        sum_equal += item.weight;
      } else {
        below[count_below++] = item;
      }
    }
    if (needed <= sum_above) {
      items = above;
      active = count_above;
      total = sum_above;
    } else if (needed <= sum_above + sum_equal) {
      return {pivot, needed - sum_above};
    } else {
      needed -= sum_above + sum_equal;
      items = below;
      active = count_below;
      total -= sum_above + sum_equal;
      std::swap(above, below);
    }
  }
}

/// The shortest prefix, by falling key and rising position, whose weights add up to `needed` or more: sums of
/// integers, so that the answer does not depend on how it is found. `room` takes 2 x keys.size() items.
/// Precondition: 1 <= needed <= the sum of all weights.
template <typename Key, typename Weights>
Cut<Key> find_cut(std::span<const Key> keys, Weights weights, std::uint64_t needed, Item<Key>* room) {
  const auto all = static_cast<std::int64_t>(keys.size());
  std::uint64_t total = 0;
  for (std::int64_t i = 0; i < all; ++i) total += weights[i];
  return find_cut_among<Key>(
      all,
      [&](std::int64_t i) {
        return Item<Key>{keys[static_cast<std::size_t>(i)], weights[i]};
      },
      needed, total, room);
}

}  // namespace assay::kernels::filters
