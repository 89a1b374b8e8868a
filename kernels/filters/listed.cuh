#pragma once

// The head of a row's order as a list in no order, of up to 10,240 tokens, with which one block goes on.
// Entries are those of few.cuh.
#include "kernels/filters/few.cuh"
#include "kernels/filters/find_cut.cuh"

namespace assay::kernels::filters {

constexpr int most_listed = 10'240;

/// Where a list is cut: entries of a greater key, and of this key those whose id is not beyond the last.
struct ListCut {
  std::uint32_t key;
  std::uint32_t last_id;
  Word above;   ///< mass of the greater keys
  Word needed;  ///< of the entries of this key
};

/// Of one block. All threads call every member.
class Listed {
 public:
  /// All entries have keys of `lowest` or above, and ids below `tokens`.
  __device__ Listed(Word* entries, int count, float maximum, std::uint32_t lowest, int tokens, Room& room,
                    Peers peers, Faults faults)
      : entries_(entries),
        held_(count),
        count_(count),
        maximum_(maximum),
        lowest_(lowest),
        tokens_(tokens),
        room_(room),
        peers_(peers),
        faults_(faults) {}

  /// Of what is left.
  __device__ int count() const { return count_; }
  __device__ float maximum() const { return maximum_; }
  __device__ Word weight(Word entry) const { return weight_under(maximum_, logit_in(entry), faults_); }

  __device__ __noinline__ Word total() {
    Word sum = 0;
    each([&](Word entry) { sum += weight(entry); });
    return peers_.join(sum, Sum(), 0);
  }

  /// The shortest prefix of the order of that mass. Precondition: 1 <= needed <= total().
  __device__ __noinline__ ListCut cut_by_mass(Word needed) {
    return cut<3>(needed, [&](Word entry) { return weight(entry); });
  }
  /// The first so many. Precondition: 1 <= needed <= count().
  __device__ __noinline__ ListCut cut_by_count(int needed) {
    return cut<1>(static_cast<Word>(needed), [](Word) { return Word{1}; });
  }

  __device__ __noinline__ int length_of(const ListCut& cut) {
    Word kept = 0;
    each([&](Word entry) { kept += is_within(cut, entry) ? 1 : 0; });
    return static_cast<int>(peers_.join(kept, Sum(), 0));
  }

  /// What is beyond the cut is passed over from now on.
  __device__ void keep(const ListCut& cut) {
    const int length = length_of(cut);
    limit_ = cut;
    count_ = length;
  }
  /// Moves what is left to the front.
  __device__ __noinline__ void compact() {
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
      const Prefix prefix = peers_.prefix(join_warp(kept, Sum()));
      const Word place = prefix.before + sum_before(kept);
      if (kept != 0) entries_[to + static_cast<int>(place)] = own;
      to += static_cast<int>(prefix.total);
    }
    held_ = count_ = to;
    limit_ = everything();
    __syncthreads();
  }

  /// Precondition: t > 0.
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

  /// The token of this block that a point of the total weight falls on, by rising id: its entry, in all
  /// threads. Precondition: the total is above 0.
  __device__ __noinline__ Word drawn(std::uint64_t random, Word total) {
    const Word point = distribution::point_in(random, total);
    const CudaCut cut = find<3>(
        least_id_key(), 0xFFFFFFFFu, point + 1,
        [](Word entry) { return Word{~static_cast<std::uint32_t>(entry)}; },
        [&](Word entry) { return weight(entry); });
    __syncthreads();
    each([&](Word entry) {
      if (~static_cast<std::uint32_t>(entry) == static_cast<std::uint32_t>(cut.key))
        room_.found_before = entry;
    });
    __syncthreads();
    return room_.found_before;
  }

  /// Over all threads.
  __device__ Word joined(Word value) { return peers_.join(value, Sum(), 0); }

  template <typename Body>
  __device__ void each(Body body) const {
    const Word* const entries = entries_;
    const int held = held_;
    const ListCut limit = limit_;
#pragma unroll 2
    for (int i = static_cast<int>(threadIdx.x); i < held; i += block_threads) {
      const Word entry = entries[i];
      if (is_within(limit, entry)) body(entry);
    }
  }

  /// The prefixes that weigh at least as much as two sums, which a function of the list's own mass gives:
  /// bins of counts say near which key they end, exact weights are added up above it, and the tokens around
  /// it are sorted. False where that did not find both.
  template <typename NeededFor>
  __device__ __noinline__ bool cut_near(NeededFor needed_for, double rest_mass, double p, ListCut& cut,
                                        bool& alike) {
    const std::uint32_t high = key_of(maximum_), low = max(lowest_, 1u);
    const int bits = 32 - __clz(static_cast<int>(high - low));
    const int shift = bits > 8 ? bits - 8 : 0;
    clear_bins(room_);
    each([&](Word entry) { atomicAdd(&room_.of_bins.counted[0][(high - key_in(entry)) >> shift], 1u); });
    merge_bins<1>(room_, peers_, faults_);
    // What the tokens of a bin weigh, about: in units of 2^-30.
    Word guess = 0;
    const int bin = static_cast<int>(threadIdx.x);
    if (bin < bins) {
      const std::uint32_t middle =
          max(high - (static_cast<std::uint32_t>(bin) << shift), (1u << shift) / 2 + 1) - (1u << shift) / 2;
      const float term = exp2f(fmaxf(-40.0f, 1.442695f * (logit_of(middle) - maximum_)));
      guess = static_cast<Word>(static_cast<float>(room_.of_bins.merged[bin]) * term * 0x1p30f);
      room_.of_bins.merged[bin] = guess;
    }
    guess = peers_.join(guess, Sum(), 0);
    find_bin(room_, peers_,
             static_cast<Word>(fmax(1.0, p * (static_cast<double>(guess) + rest_mass * 0x1p30))));
    const int found = room_.found_bin;
    if (found < 0) return false;
    const std::uint32_t above = found < 2 ? high : high - (static_cast<std::uint32_t>(found - 1) << shift);
    const std::uint32_t reach = static_cast<std::uint32_t>(found + 2) << shift;
    const std::uint32_t below = high - low >= reach ? high - reach + 1 : low;
    if (threadIdx.x == 0) room_.bound = 0;
    __syncthreads();
    Word whole = 0, greater = 0;
    each([&](Word entry) {
      const Word own = weight(entry);
      const std::uint32_t key = key_in(entry);
      whole += own;
      if (found >= 2 && key > above) {
        greater += own;
      } else if (key >= below) {
        const std::uint32_t at = atomicAdd(&room_.bound, 1u);
        if (at < most_few) room_.list[at] = entry;
      }
    });
    whole = peers_.join(whole, Sum(), 0);
    greater = peers_.join(greater, Sum(), 0);
    const auto count = static_cast<int>(room_.bound);
    if (count > most_few) return false;
    Word needed[2];
    needed_for(whole, needed);
    if (whole < needed[1] || needed[0] <= greater) return false;
    Few window(room_.list, count, nullptr, peers_, faults_);
    window.sort();
    const Few::Pair masses = window.masses_under(maximum_);
    if (masses.total < needed[1] - greater) return false;
    const Few::Lengths lengths = window.lengths(masses, needed[0] - greater, needed[1] - greater);
    alike = lengths.low == lengths.high;
    const Word last = window.entry(lengths.high - 1);
    cut = {key_in(last), static_cast<std::uint32_t>(last), 0, 0};
    __syncthreads();  // the room is used again
    return true;
  }

 private:
  __device__ static ListCut everything() {
    return {0, 0xFFFFFFFFu, 0, 0};
  }
  __device__ static std::uint32_t key_in(Word entry) {
    return ~static_cast<std::uint32_t>(entry >> 32);
  }
  __device__ static bool is_within(const ListCut& cut, Word entry) {
    const std::uint32_t key = key_in(entry);
    return key > cut.key || (key == cut.key && static_cast<std::uint32_t>(entry) <= cut.last_id);
  }

  /// Ids as keys that fall with them.
  __device__ Word least_id_key() const {
    return ~static_cast<std::uint32_t>(tokens_ - 1);
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
    if (mass - mass / equal < found.needed) return {key, 0xFFFFFFFFu, needed - found.needed, found.needed};
    const CudaCut tied = find<Parts>(
        least_id_key(), 0xFFFFFFFFu, found.needed,
        [&](Word entry) { return key_in(entry) == key ? Word{~static_cast<std::uint32_t>(entry)} : Word{0}; },
        weight);
    return {key, ~static_cast<std::uint32_t>(tied.key), needed - found.needed, found.needed};
  }

  Word* entries_;
  int held_;   ///< entries that are there
  int count_;  ///< those within the limit
  ListCut limit_ = everything();
  float maximum_;
  std::uint32_t lowest_;
  int tokens_;
  Room& room_;
  Peers peers_;
  Faults faults_;
};

}  // namespace assay::kernels::filters
