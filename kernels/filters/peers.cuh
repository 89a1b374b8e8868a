#pragma once

// The blocks of a cluster that hold one row, and what they tell each other.
#include <cooperative_groups.h>

#include <cstdint>

namespace assay::kernels::filters {

constexpr int block_threads = 512;
constexpr int block_warps = block_threads / 32;
constexpr int most_blocks = 8;

using Word = unsigned long long;  // what CUDA's shuffles and atomics know as 64 bits

/// The same place, known to be in this block's shared memory, which takes shorter instructions to reach.
template <typename T>
__device__ T* in_shared(T* place) {
  return static_cast<T*>(__cvta_shared_to_generic(__cvta_generic_to_shared(place)));
}

struct Sum {
  __device__ Word operator()(Word a, Word b) const { return a + b; }
};
struct Greatest {
  __device__ Word operator()(Word a, Word b) const { return a > b ? a : b; }
};
struct Least {
  __device__ Word operator()(Word a, Word b) const { return a < b ? a : b; }
};
/// Of doubles, by their bits. The order of addition follows from the lanes alone, and is the same in every
/// block.
struct SumOfDoubles {
  __device__ Word operator()(Word a, Word b) const {
    return __double_as_longlong(__longlong_as_double(a) + __longlong_as_double(b));
  }
};

/// All lanes get the result.
template <typename Join>
__device__ Word join_warp(Word value, Join join) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2)
    value = join(value, __shfl_xor_sync(0xFFFFFFFFu, value, distance));
  return value;
}

/// The sum over the lanes before this one.
__device__ inline Word sum_before(Word value) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  Word sum = value;
#pragma unroll
  for (int distance = 1; distance < 32; distance *= 2) {
    const Word other = __shfl_up_sync(0xFFFFFFFFu, sum, distance);
    if (lane >= distance) sum += other;
  }
  return sum - value;
}

/// One word of every warp of the cluster, in each block's shared memory. Two sets, used in turn: who writes
/// the one has passed the barrier that everybody reached after reading it.
struct Exchange {
  Word slots[2][most_blocks * block_warps];
};

struct Prefix {
  Word before;  ///< over the warps before this one
  Word total;
};

class Peers {
 public:
  __device__ Peers(Exchange& exchange, int blocks, int rank)
      : exchange_(exchange), blocks_(blocks), rank_(rank) {}

  __device__ int blocks() const { return blocks_; }
  __device__ int rank() const { return rank_; }
  __device__ int warp() const { return static_cast<int>(threadIdx.x / 32); }
  __device__ int lane() const { return static_cast<int>(threadIdx.x % 32); }

  /// What is at `own` here, in the shared memory of another block.
  template <typename T>
  __device__ T* at(T* own, int rank) const {
#if __CUDA_ARCH__ >= 900
    if (blocks_ > 1) return cooperative_groups::this_cluster().map_shared_rank(own, rank);
#endif
    return own;
  }

  /// Nobody goes on before all have come; what was written before is seen after.
  __device__ void sync() const {
#if __CUDA_ARCH__ >= 900
    if (blocks_ > 1) {
      cooperative_groups::this_cluster().sync();
      return;
    }
#endif
    __syncthreads();
  }

  /// A sync() in two halves: what stands between them is done while others are still to come.
  __device__ void arrive() const {
#if __CUDA_ARCH__ >= 900
    if (blocks_ > 1) asm volatile("barrier.cluster.arrive.aligned;" ::: "memory");
#endif
  }
  __device__ void wait() const {
#if __CUDA_ARCH__ >= 900
    if (blocks_ > 1) asm volatile("barrier.cluster.wait.aligned;" ::: "memory");
#endif
  }

  /// Gives every block the word of every warp, in the order of their tokens; `value` is the same in all
  /// lanes. Valid until the next call but one. Ends with sync().
  __device__ const Word* exchange(Word value) {
    Word* const slots = exchange_.slots[parity_];
    parity_ ^= 1;
    if (lane() < blocks_) at(slots, lane())[rank_ * block_warps + warp()] = value;
    sync();
    return slots;
  }

  /// What the last exchange gave.
  __device__ const Word* last() const {
    return exchange_.slots[parity_ ^ 1];
  }

  /// This block without the others, who are waiting or have left.
  __device__ Peers alone() const {
    Peers made(exchange_, 1, 0);
    made.parity_ = parity_;
    return made;
  }

  /// Joined over all threads of all blocks; all get the result.
  template <typename Join>
  __device__ Word join(Word value, Join join, Word identity) {
    const Word all = join_by(*this, value, join, identity);
    parity_ ^= 1;
    return all;
  }
  /// Of what each block gives (the same in all its threads): over the blocks before this one.
  __device__ Prefix prefix_of_blocks(Word of_block) {
    const Prefix prefix = blocks_before(*this, of_block);
    parity_ ^= 1;
    return prefix;
  }
  /// Of what each warp gives (the same in all its lanes).
  __device__ Prefix prefix(Word of_warp) {
    const Prefix prefix = warps_before(*this, of_warp);
    parity_ ^= 1;
    return prefix;
  }

 private:
  // One function for all who call it: what runs once waits for its instructions. By value, so that nobody's
  // peers stand in memory, which is far away beside so much shared memory.
  template <typename Join>
  __device__ __noinline__ static Word join_by(Peers peers, Word value, Join join, Word identity) {
    const Word* const slots = peers.exchange(join_warp(value, join));
    if (peers.blocks_ == 1) {
      Word all = slots[0];
#pragma unroll
      for (int i = 1; i < block_warps; ++i) all = join(all, slots[i]);
      return all;
    }
    Word mine = identity;
    for (int i = peers.lane(); i < peers.blocks_ * block_warps; i += 32) mine = join(mine, slots[i]);
    return join_warp(mine, join);
  }

  __device__ __noinline__ static Prefix blocks_before(Peers peers, Word of_block) {
    const Word* const slots = peers.exchange(peers.warp() == 0 ? of_block : 0);
    Word before = 0, total = 0;
    for (int block = 0; block < peers.blocks_; ++block) {
      total += slots[block * block_warps];
      if (block < peers.rank_) before += slots[block * block_warps];
    }
    return {before, total};
  }

  __device__ __noinline__ static Prefix warps_before(Peers peers, Word of_warp) {
    const Word* const slots = peers.exchange(of_warp);
    Word before = 0, total = 0;
    if (peers.blocks_ == 1) {
#pragma unroll
      for (int i = 0; i < block_warps; ++i) {
        before += i < peers.warp() ? slots[i] : 0;
        total += slots[i];
      }
      return {before, total};
    }
    for (int i = peers.lane(); i < peers.blocks_ * block_warps; i += 32) {
      total += slots[i];
      if (i < peers.rank_ * block_warps + peers.warp()) before += slots[i];
    }
    return {join_warp(before, Sum()), join_warp(total, Sum())};
  }

  Exchange& exchange_;
  int blocks_, rank_;
  int parity_ = 0;
};

}  // namespace assay::kernels::filters
