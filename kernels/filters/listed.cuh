#pragma once

// The head of a row's order as lists in no order, one in each of its blocks: what it has read of it. Entries
// are those of few.cuh.
#include "kernels/filters/few.cuh"
#include "kernels/filters/find_cut.cuh"

namespace assay::kernels::filters {

constexpr int most_windowed = most_few / 2;  ///< entries of a window, each counted against the others
constexpr int most_listed = 12'416;          ///< of a block: two of them share a multiprocessor's memory

/// The tokens that a block has read.
struct Ids {
  int begin, end;
};

/// Of all blocks of a row. All threads of all of them call every member, and are told the same. Whatever is
/// called by a jump gets a copy, so that the object itself stays in registers.
class Listed {
 public:
  /// `held` entries of this block, `count` of all. They have keys of `lowest` or above, and ids that are this
  /// block's. `alone`: an exchange that no other block writes to.
  __device__ Listed(Word* entries, int held, int count, float maximum, std::uint32_t lowest, Ids ids,
                    Room& room, Peers peers, Peers alone, Faults faults)
      : entries_(entries),
        held_(held),
        count_(count),
        maximum_(maximum),
        lowest_(lowest),
        ids_(ids),
        room_(room),
        peers_(peers),
        alone_(alone),
        faults_(faults) {}

  /// Of what is left, in all blocks.
  __device__ int count() const { return count_; }
  __device__ float maximum() const { return maximum_; }
  __device__ Word weight(Word entry) const { return weight_under(maximum_, logit_in(entry), faults_); }

  __device__ Word total() {
    if (limit_.mass == 0) limit_.mass = mass_of(*this);
    return limit_.mass;
  }

  /// The shortest prefix of the order of that mass. Precondition: 1 <= needed <= total().
  __device__ ListCut cut_by_mass(Word needed) const { return mass_cut_of(*this, needed); }
  /// The first so many. Precondition: 1 <= needed <= count().
  __device__ ListCut cut_by_count(int needed) const { return count_cut_of(*this, needed); }

  __device__ int length_of(const ListCut& cut) const { return length_by(*this, cut); }

  /// What is beyond the cut is passed over from now on.
  __device__ void keep(const ListCut& cut) {
    count_ = cut.length > 0 ? cut.length : length_of(cut);
    limit_ = cut;
  }
  /// What has become of a copy.
  __device__ void take(const Listed& other) {
    held_ = other.held_;
    count_ = other.count_;
    limit_ = other.limit_;
    maximum_ = other.maximum_;
    lowest_ = other.lowest_;
    peers_.sync();  // its exchanges are not known here
  }
  /// Moves what is left to the front of each list.
  __device__ void compact() {
    keep_where([](Word) { return true; });
  }

  template <typename Keep>
  __device__ void keep_where(Keep keep) {
    int to = 0;
    __syncthreads();
    for (int begin = 0; begin < held_; begin += block_threads) {
      const int i = begin + static_cast<int>(threadIdx.x);
      const Word own = i < held_ ? entries_[i] : 0;
      const Word kept = i < held_ && is_within(limit_, own) && keep(own) ? 1 : 0;
      // Everybody has read when the sums are there, and nobody writes beyond what has been read.
      const Prefix prefix = alone_.prefix(join_warp(kept, Sum()));
      const Word place = prefix.before + sum_before(kept);
      if (kept != 0) entries_[to + static_cast<int>(place)] = own;
      to += static_cast<int>(prefix.total);
    }
    held_ = to;
    limit_ = everything();
    count_ = static_cast<int>(peers_.prefix_of_blocks(static_cast<Word>(to)).total);
  }

  /// Moves what is left to the first block's list. Precondition: it holds so many.
  __device__ void gather() {
    compact();
    const Prefix lists = peers_.prefix_of_blocks(static_cast<Word>(held_));
    if (peers_.rank() != 0) {
      Word* const to = peers_.at(entries_, 0) + lists.before;
      for (int i = static_cast<int>(threadIdx.x); i < held_; i += block_threads) to[i] = entries_[i];
    }
    held_ = peers_.rank() == 0 ? count_ : 0;
    peers_.sync();
  }

  /// Precondition: t > 0, and the greatest logit stays finite.
  __device__ void temperature(float t) {
    const auto divided = [&](float logit) {
      const float once = distribution::with_temperature(logit, t);
      return faults_(Fault::temperature_twice) ? distribution::with_temperature(once, t) : once;
    };
    compact();
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < held_; i += block_threads)
      entries_[i] = entry_of(divided(logit_in(entries_[i])), id_in(entries_[i]));
    maximum_ = divided(maximum_);
    lowest_ = 1;
    __syncthreads();
  }

  /// The token that a point of the total weight falls on, by rising id: true in the block that has listed it,
  /// in all of its threads. Precondition: the total is above 0.
  __device__ __forceinline__ bool drawn(std::uint64_t random, Word& drawn_entry) {
    Word point = distribution::point_in(random, total());
    int begin = ids_.begin, end = ids_.end;
    // Bins of neighbouring ids, until what is in one of them is few.
    for (bool whole = true;; whole = false) {
      if (threadIdx.x == 0) room_.found_bin = 0;
      const int shift = max(0, 32 - __clz(end - begin - 1) - 8);
      clear_bins(room_);
      each_weighed([&](Word entry, Word own) {
        const int id = id_in(entry);
        if (id >= begin && id < end) add_to_bin<3>(room_, (id - begin) >> shift, own);
      });
      merge_bins<3>(room_, alone_, faults_);
      const OwnBin own = own_bin(room_, alone_);
      if (whole && peers_.blocks() > 1) {
        const Word before = peers_.prefix_of_blocks(own.total).before;
        if (point < before || point >= before + own.total) return false;
        point -= before;
      }
      announce(own, point + 1);
      __syncthreads();
      point -= room_.found_before;
      begin += room_.found_bin << shift;
      end = min(begin + (1 << shift), end);
      each([&](Word entry) {
        const int id = id_in(entry);
        if (id < begin || id >= end) return;
        const std::uint32_t place = atomicAdd(&room_.appended, 1u);
        if (place < most_windowed) room_.list[place] = entry;
      });
      __syncthreads();
      if (room_.appended <= most_windowed) break;
      __syncthreads();
    }
    rank_appended(
        [](Word a, Word b) { return static_cast<std::uint32_t>(a) < static_cast<std::uint32_t>(b); },
        [&](Word entry, Word before, Word own, int) {
          if (before <= point && point < before + own) room_.found_before = entry;
        });
    __syncthreads();
    drawn_entry = room_.found_before;
    return true;
  }

  /// Over all threads of all blocks.
  __device__ Word joined(Word value) { return peers_.join(value, Sum(), 0); }

  template <typename Body>
  __device__ void each(Body body) const {
    const Word* const entries = in_shared(entries_);
    const int held = held_;
    const Word last = last_within(limit_);
#pragma unroll 4
    for (int i = static_cast<int>(threadIdx.x); i < held; i += block_threads) {
      const Word entry = entries[i];
      if (entry <= last) body(entry);
    }
  }

  /// The same with body(entry, weight): the weights of four entries are on their way together.
  template <typename Body>
  __device__ void each_weighed(Body body) const {
    constexpr int at_once = 4;
    const Word* const held_entries = in_shared(entries_);
    const int held = held_;
    const Word last = last_within(limit_);
    const double maximum = maximum_;
    const Faults faults = faults_;
#pragma unroll 1
    for (int begin = static_cast<int>(threadIdx.x); begin < held; begin += at_once * block_threads) {
      Word entries[at_once], weights[at_once];
#pragma unroll
      for (int k = 0; k < at_once; ++k) {
        const int i = begin + k * block_threads;
        entries[k] = i < held ? held_entries[i] : ~Word{0};
      }
#pragma unroll
      for (int k = 0; k < at_once; ++k)
        weights[k] = faults(Fault::single_precision_weight)
                         ? weight_under(static_cast<float>(maximum), logit_in(entries[k]), faults)
                         : distribution::weight_below(maximum, logit_in(entries[k]));
#pragma unroll
      for (int k = 0; k < at_once; ++k)
        if (entries[k] <= last) body(entries[k], weights[k]);
    }
  }

  /// The prefixes that weigh at least as much as two sums, which a function of the lists' own mass gives:
  /// exact masses of bins say in which of them they end, and what that holds is ranked. `alike`: they end at
  /// the same token. False where that did not find them.
  template <typename NeededFor>
  __device__ __forceinline__ bool cut_near(NeededFor needed_for, ListCut& cut, bool& alike) {
    const float maximum = maximum_, scale = bins / (maximum - logit_of(max(lowest_, 1u)));
    if (!(scale > 0 && isfinite(scale))) return false;
    const auto bin_of = [&](Word entry) {
      return min(static_cast<int>((maximum - logit_in(entry)) * scale), bins - 1);  // rises as logits fall
    };
    clear_bins(room_);
    each_weighed([&](Word entry, Word own) { add_to_bin<3>(room_, bin_of(entry), own); });
    merge_bins<3>(room_, peers_, faults_);
    const OwnBin own = own_bin(room_, alone_);
    Word needed[2];
    needed_for(own.total, needed);
    if (own.total < needed[1]) return false;
    announce(own, needed[1]);
    peers_.sync();
    const Word above = room_.found_before;
    const int found = room_.found_bin;
    if (needed[0] <= above) return false;
    // The first block ranks what is in the bin.
    Word* const window = peers_.at(room_.list, 0);
    std::uint32_t* const appended = peers_.at(&room_.appended, 0);
    Word longer = 0;
    each([&](Word entry) {
      const int at = bin_of(entry);
      longer += at < found ? 1 : 0;
      if (at != found) return;
      const std::uint32_t place = atomicAdd(appended, 1u);
      if (place < most_windowed) window[place] = entry;
    });
    longer = peers_.join(longer, Sum(), 0);
    if (peers_.rank() == 0) {
      rank_appended([](Word a, Word b) { return a < b; },
                    [&](Word entry, Word before, Word weight, int rank) {
                      before += above;
                      if (before >= needed[1] || before + weight < needed[1]) return;
                      room_.near_cut = {{key_in(entry), static_cast<std::uint32_t>(entry), 0, 0,
                                         static_cast<int>(longer) + rank + 1, before + weight},
                                        true,
                                        before < needed[0]};
                    });
      __syncthreads();
      const auto block = static_cast<int>(threadIdx.x);
      if (block > 0 && block < peers_.blocks()) *peers_.at(&room_.near_cut, block) = room_.near_cut;
    }
    peers_.sync();
    cut = room_.near_cut.cut;
    alike = room_.near_cut.alike;
    return room_.near_cut.found;
  }

 private:
  // Each ends with a barrier, since the caller's peers do not know of its exchanges.
  __device__ __noinline__ static Word mass_of(Listed listed) {
    const Word mass = listed.peers_.join(listed.own_mass(), Sum(), 0);
    listed.peers_.sync();
    return mass;
  }
  __device__ __noinline__ static ListCut mass_cut_of(Listed listed, Word needed) {
    const ListCut made = listed.template cut<3>(needed, [&](Word entry) { return listed.weight(entry); });
    listed.peers_.sync();
    return made;
  }
  __device__ __noinline__ static ListCut count_cut_of(Listed listed, int needed) {
    const ListCut made = listed.template cut<1>(static_cast<Word>(needed), [](Word) { return Word{1}; });
    listed.peers_.sync();
    return made;
  }
  __device__ __noinline__ static int length_by(Listed listed, ListCut cut) {
    Word kept = 0;
    listed.each([&](Word entry) { kept += is_within(cut, entry) ? 1 : 0; });
    const auto length = static_cast<int>(listed.peers_.join(kept, Sum(), 0));
    listed.peers_.sync();
    return length;
  }

  __device__ static ListCut everything() {
    return {1, 0xFFFFFFFFu, 0, 0, 0, 0};
  }
  /// The last entry that is within a cut: entries rise in the order of tokens.
  __device__ static Word last_within(const ListCut& cut) {
    return Word{~cut.key} << 32 | cut.last_id;
  }
  __device__ static std::uint32_t key_in(Word entry) {
    return ~static_cast<std::uint32_t>(entry >> 32);
  }
  __device__ static bool is_within(const ListCut& cut, Word entry) {
    return entry <= last_within(cut);
  }

  __device__ Word own_mass() const {
    Word sum = 0;
    each_weighed([&](Word, Word own) { sum += own; });
    return sum;
  }

  /// Says which bin a sum ends in, and empties the window. Behind it: a barrier.
  __device__ void announce(const OwnBin& own, Word needed) {
    if (own.is_at(needed)) {
      room_.found_bin = static_cast<int>(threadIdx.x);
      room_.found_before = own.before;
    }
    if (threadIdx.x == 0) {
      room_.appended = 0;
      room_.near_cut.found = false;
    }
  }

  /// found(entry, mass before it, its weight, number before it) for each entry of this block's window, of
  /// which precedes(a, b) is an order; nothing where there are more than it holds.
  template <typename Precedes, typename Found>
  __device__ void rank_appended(Precedes precedes, Found found) {
    constexpr int lanes = 4;  // for an entry
    Word* const list = in_shared(room_.list);
    Word* const weights = list + most_windowed;
    const auto count = static_cast<int>(room_.appended), thread = static_cast<int>(threadIdx.x);
    if (count > most_windowed) return;
    if (thread < count) weights[thread] = weight(list[thread]);
    __syncthreads();
#pragma unroll 1
    for (int begin = 0; begin < count; begin += block_threads / lanes) {
      const int own = begin + thread / lanes;
      const Word mine = own < count ? list[own] : 0;
      Word before = 0;
      int rank = 0;
#pragma unroll 4
      for (int i = thread % lanes; i < count; i += lanes) {
        const bool first = precedes(list[i], mine);
        before += first ? weights[i] : 0;
        rank += first ? 1 : 0;
      }
#pragma unroll
      for (int distance = 1; distance < lanes; distance *= 2) {
        before += __shfl_xor_sync(0xFFFFFFFFu, before, distance);
        rank += __shfl_xor_sync(0xFFFFFFFFu, rank, distance);
      }
      if (own < count && thread % lanes == 0) found(mine, before, weights[own], rank);
    }
  }

  template <int Parts, typename KeyOf, typename WeightOf>
  __device__ CudaCut find(Word low, Word high, Word needed, KeyOf key, WeightOf weight) {
    return find_cut_of<Parts>(
        [&](auto visit) { each([&](Word entry) { visit(key(entry), [&] { return weight(entry); }); }); },
        peers_, room_, low, high, needed, faults_);
  }

  template <int Parts, typename WeightOf>
  __device__ ListCut cut(Word needed, WeightOf weight) {
    const CudaCut found = find<Parts>(
        max(lowest_, 1u), key_of(maximum_), needed, [](Word entry) { return Word{key_in(entry)}; }, weight);
    const auto key = static_cast<std::uint32_t>(found.key);
    // Of equal logits, all of the same weight, the first by id; all of them where fewer do not weigh enough.
    Word equal = 0, mass = 0;
    each([&](Word entry) {
      if (key_in(entry) != key) return;
      ++equal;
      mass += weight(entry);
    });
    equal = peers_.join(equal, Sum(), 0);
    mass = peers_.join(mass, Sum(), 0);
    const Word above = needed - found.needed;
    if (mass - mass / equal < found.needed) return {key, 0xFFFFFFFFu, above, found.needed, 0, 0};
    const CudaCut tied = find<Parts>(
        ~0x7FFFFFFFu, 0xFFFFFFFFu, found.needed,
        [&](Word entry) { return key_in(entry) == key ? Word{~static_cast<std::uint32_t>(entry)} : Word{0}; },
        weight);
    return {key, ~static_cast<std::uint32_t>(tied.key), above, found.needed, 0, 0};
  }

  Word* entries_;
  int held_;   ///< entries that are here
  int count_;  ///< those within the limit, of all blocks
  ListCut limit_ = everything();
  float maximum_;
  std::uint32_t lowest_;
  Ids ids_;
  Room& room_;
  Peers peers_, alone_;
  Faults faults_;
};

}  // namespace assay::kernels::filters
