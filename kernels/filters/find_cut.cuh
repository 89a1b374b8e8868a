#pragma once

// Where the order of a row's tokens is cut: the CUDA side of cut.hpp. No sort: the range of keys that the cut
// is known to lie in is divided into 256 bins, whose masses, sums of integers, say in which of them it is; 8
// bits of the key come out of each look at the row. Whoever knows a narrow range to begin with needs fewer.
#include "kernels/filters/part.cuh"
#include "kernels/filters/room.cuh"

namespace assay::kernels::filters {

/// Every token of a greater key, and of those of this one as many by rising id as it takes to reach `needed`.
struct CudaCut {
  Word key;
  Word needed;
};

/// What a token counts for.
struct One {
  __device__ Word operator()(float) const { return 1; }
};
struct LogitKey {
  __device__ Word operator()(float logit) const { return key_of(logit); }
};

/// The first bin whose masses, added up from the first, reach `needed`, and what the bins before it hold, in
/// the room; -1 where all together do not. Ends with a barrier of the cluster.
__device__ __noinline__ inline void find_bin(Room& room, Peers peers, Word needed) {
  constexpr int each = bins / 32;
  if (threadIdx.x == 0) room.found_bin = -1;
  __syncthreads();
  if (peers.warp() == 0) {
    Word sum = 0;
    for (int i = 0; i < each; ++i) sum += room.of_bins.merged[peers.lane() * each + i];
    Word before = sum_before(sum);
    if (before < needed && needed <= before + sum) {
      int bin = peers.lane() * each;
      while (before + room.of_bins.merged[bin] < needed) before += room.of_bins.merged[bin++];
      room.found_bin = bin;
      room.found_before = before;
    }
  }
  peers.sync();
}

__device__ inline void clear_bins(Room& room) {
  std::uint32_t* const counted = in_shared(room.of_bins.counted[0]);
  for (int i = static_cast<int>(threadIdx.x); i < 3 * bins; i += block_threads) counted[i] = 0;
  __syncthreads();
}

/// Adds to the bin of an item. A weight is in three parts of 15 bits: of 2^15.2 tokens of a block, below
/// 2^31.
template <int Parts>
__device__ void add_to_bin(Room& room, int bin, Word weight) {
#pragma unroll
  for (int part = 0; part < Parts; ++part) {
    const auto bits = static_cast<std::uint32_t>(part == 2 ? weight >> 30 : weight >> (15 * part) & 0x7FFFu);
    atomicAdd(in_shared(&room.of_bins.counted[part][bin]), bits);
  }
}

/// Adds up what the blocks have counted, once all have come here.
template <int Parts>
__device__ void merge_bins(Room& room, Peers& peers, Faults faults) {
  if (!faults(Fault::missing_barrier)) peers.sync();
  const int bin = static_cast<int>(threadIdx.x);
  if (bin < bins) {
    Word sum = 0;
    const int heard = faults(Fault::lost_block) && peers.blocks() > 1 ? peers.blocks() - 1 : peers.blocks();
    for (int block = 0; block < heard; ++block) {
      const auto* const counted = peers.at(&room.of_bins.counted[0][0], block);
#pragma unroll
      for (int part = 0; part < Parts; ++part)
        if (part < 2 || !faults(Fault::lost_part_of_mass))
          sum += Word{counted[part * bins + bin]} << (15 * part);
    }
    room.of_bins.merged[bin] = sum;
  }
  __syncthreads();
}

/// What the merged bins before a thread's own hold, and its own: threads from `bins` on have none.
struct OwnBin {
  Word before, held, total;

  __device__ bool is_at(Word needed) const { return before < needed && needed <= before + held; }
};
/// Of one block, behind merge_bins by the same threads.
__device__ inline OwnBin own_bin(const Room& room, Peers& alone) {
  const auto bin = static_cast<int>(threadIdx.x);
  const Word held = bin < bins ? room.of_bins.merged[bin] : 0;
  const Word before = sum_before(held);
  const Prefix prefix = alone.prefix(__shfl_sync(0xFFFFFFFFu, before + held, 31));
  return {prefix.before + before, held, prefix.total};
}

/// The cut of whatever `walk` hands over: walk(visit) calls visit(key, weight) for each item, weight a
/// function that is asked only where the key counts; keys of 0 do not. Precondition: 1 <= low; the cut lies
/// at a key in [low, high]; items above `high` are not counted in `needed`.
template <int Parts, typename Walk>
__device__ CudaCut find_cut_of(Walk walk, Peers& peers, Room& room, Word low, Word high, Word needed,
                               Faults faults) {
  while (low < high) {
    const int bits = 64 - __clzll(static_cast<long long>(high - low));
    const int shift = bits > 8 ? bits - 8 : 0;
    clear_bins(room);
    walk([&](Word key, auto weight_of_item) {
      if (key < low || key > high) return;
      const Word weight = weight_of_item();
      add_to_bin<Parts>(room, static_cast<int>((high - key) >> shift), weight);
    });
    merge_bins<Parts>(room, peers, faults);
    find_bin(room, peers, needed);
    needed -= room.found_before;
    high -= Word{static_cast<unsigned>(room.found_bin)} << shift;
    const Word width = (Word{1} << shift) - 1;
    low = high - low > width ? high - width : low;
  }
  return {low, needed};
}

template <int Parts, typename KeyOf, typename WeightOf>
__device__ CudaCut find_cut(const Part& part, Peers& peers, Room& room, Word low, Word high, Word needed,
                            KeyOf key_of_token, WeightOf weight_of_token, Faults faults) {
  return find_cut_of<Parts>(
      [&](auto visit) {
        part.walk([&](int, const float(&four)[4]) {
#pragma unroll
          for (int i = 0; i < 4; ++i)
            if (is_left(four[i])) visit(key_of_token(four[i]), [&] { return weight_of_token(four[i]); });
        });
      },
      peers, room, low, high, needed, faults);
}

/// Drops what is not in the prefix, or (Change false) only counts it. Returns its length.
template <bool Change, typename KeyOf, typename WeightOf>
__device__ int keep_prefix(const Part& part, Peers& peers, CudaCut cut, KeyOf key_of_token,
                           WeightOf weight_of_token, Faults faults) {
  Word tied = 0;
  part.walk([&](int, const float(&four)[4]) {
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (is_left(four[i]) && key_of_token(four[i]) == cut.key) tied += weight_of_token(four[i]);
  });
  Word before = peers.prefix(join_warp(tied, Sum())).before;
  if (faults(Fault::ties_by_block)) before = 0;
  Word kept = 0;
  const auto judge = [&](float(&four)[4]) {
    Word weight[4];
    Word sum = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      weight[i] = is_left(four[i]) && key_of_token(four[i]) == cut.key ? weight_of_token(four[i]) : 0;
      sum += weight[i];
    }
    Word mine = before;
    if (__any_sync(0xFFFFFFFFu, sum != 0)) {
      mine += sum_before(sum);
      before = __shfl_sync(0xFFFFFFFFu, mine + sum, 31);
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (!is_left(four[i])) continue;
      const Word key = key_of_token(four[i]);
      if (key > cut.key || (key == cut.key && mine < cut.needed))
        ++kept;
      else
        four[i] = dropped();
      mine += weight[i];
    }
  };
  if constexpr (Change)
    part.change([&](int, float(&four)[4]) { judge(four); });
  else
    part.walk([&](int, float(&four)[4]) { judge(four); });
  return static_cast<int>(peers.join(kept, Sum(), 0));
}

}  // namespace assay::kernels::filters
