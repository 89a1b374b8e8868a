#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/cut.hpp"
#include "kernels/filters/left.hpp"

/// How a step drops tokens: the gaps close, and what is left stays by rising id.
namespace assay::kernels::filters {

/// Keeps what `keep` says of (position, logit), in order.
template <typename Keep>
void keep_where(Left& left, RowScratch& scratch, const Keep& keep) {
  std::int64_t kept = 0;
  for (std::int64_t at = 0; at < left.count; ++at) {
    // Written whether it is kept or not: what is not is written over. Nobody can guess which ones are.
    const bool keeps = keep(at, left.logits[at]);
    scratch.ids[kept] = left.id(at);
    left.logits[kept] = left.logits[at];
    kept += keeps ? 1 : 0;
  }
  left.ids = scratch.ids;
  left.whole = left.whole && kept == left.count;
  left.count = kept;
}

/// Keeps the prefix that a cut over `key_of(position, logit)` names.
template <typename Key, typename Weights, typename KeyOf>
void keep_prefix(Left& left, RowScratch& scratch, Cut<Key> cut, Weights weights, const KeyOf& key_of) {
  std::uint64_t needed = cut.needed, skipped = 0;
  if (mutant("sampling.chain.ties_from_the_end")) {
    // As many of the equal ones as are kept, from the end instead of from the beginning.
    std::uint64_t equal = 0;
    for (std::int64_t at = 0; at < left.count; ++at)
      if (key_of(at, left.logits[at]) == cut.key) equal += weights[at];
    skipped = equal - std::min(equal, needed);
  }
  std::uint64_t taken = 0;
  keep_where(left, scratch, [&](std::int64_t at, float logit) {
    const Key key = key_of(at, logit);
    if (key != cut.key) return key > cut.key;
    if (skipped > 0) {
      skipped -= std::min<std::uint64_t>(skipped, weights[at]);
      return false;
    }
    if (taken >= needed && !mutant("sampling.chain.top_k_keeps_all_ties")) return false;
    taken += weights[at];
    return true;
  });
}

inline float logit_key(std::int64_t, float logit) {
  return logit;
}

template <typename Key>
Item<Key>* room(RowScratch& scratch) {
  return reinterpret_cast<Item<Key>*>(scratch.items);
}

/// Of the prefix that the cut names.
template <typename Key>
std::int64_t length_of(std::span<const Key> keys, Cut<Key> cut, const std::uint64_t* weights) {
  std::int64_t length = 0;
  std::uint64_t taken = 0;
  for (std::size_t at = 0; at < keys.size(); ++at) {
    if (keys[at] > cut.key) ++length;
    if (keys[at] != cut.key || taken >= cut.needed) continue;
    taken += weights[at];
    ++length;
  }
  return length;
}

}  // namespace assay::kernels::filters
