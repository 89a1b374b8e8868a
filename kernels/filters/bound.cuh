#pragma once

// From which logit on the tokens of a row are listed: a guess from what its blocks have read first, the same
// in all of them.
#include "kernels/filters/find_cut.cuh"
#include "kernels/filters/head.cuh"

namespace assay::kernels::filters {

constexpr int groups =
    128;  ///< of neighbouring threads over all blocks of a row, whose greatest are compared
constexpr int most_certain = 64;  ///< up to this k they give a bound that k tokens are sure to reach

/// The one of that rank among the first Count of room.greatest, in all threads. Ends with a barrier.
/// Preconditions: 1 <= rank <= Count; a barrier stands between the writes and this.
template <int Count>
__device__ __noinline__ float rank_among(int rank, Room& room) {
  constexpr int each = block_threads / Count;  // threads that look at the others for one
  const int own = static_cast<int>(threadIdx.x) / each, first = 4 * (static_cast<int>(threadIdx.x) % each);
  const float* const greatest = in_shared(room.greatest);
  const float mine = greatest[own];
  int greater = 0;
#pragma unroll 4
  for (int i = first; i < Count; i += 4 * each) {
    const float4 four = *reinterpret_cast<const float4*>(greatest + i);
    const auto precedes = [&](float other, int at) {
      return other > mine || (other == mine && at < own) ? 1 : 0;
    };
    greater +=
        precedes(four.x, i) + precedes(four.y, i + 1) + precedes(four.z, i + 2) + precedes(four.w, i + 3);
  }
#pragma unroll
  for (int distance = 1; distance < each; distance *= 2)
    greater += __shfl_xor_sync(0xFFFFFFFFu, greater, distance);
  if (greater == rank - 1) room.bound = static_cast<std::uint32_t>(__float_as_int(mine));
  __syncthreads();
  return __int_as_float(static_cast<int>(room.bound));
}

/// A little less than a logit, so that dividing both by a temperature does not make them one.
__device__ inline float below(float logit) {
  return logit - (fabsf(logit) * 1e-5f + 1e-30f);
}

/// What at least k tokens reach: of `groups` groups each has a token that reaches its greatest. `most`: the
/// greatest logit that each thread holds. Precondition: k <= most_certain.
__device__ __forceinline__ float bound_of_groups(float most, int k, const Peers& peers, Room& room) {
  const int thread = static_cast<int>(threadIdx.x);
  // Blocks and threads are powers of two.
  const int shift = __ffs(peers.blocks() * block_threads / groups) - 1, lanes = 1 << shift;
#pragma unroll 1
  for (int distance = 1; distance < lanes; distance *= 2)
    most = fmaxf(most, __shfl_xor_sync(0xFFFFFFFFu, most, distance));
  const int to = thread & (lanes - 1);
  if (to < peers.blocks())
    peers.at(room.greatest, to)[peers.rank() * (block_threads >> shift) + (thread >> shift)] = most;
  peers.sync();
  return below(rank_among<groups>(k, room));
}

/// The same for any k, nearly surely.
__device__ __noinline__ inline float bound_of_count(float most, std::int64_t k, int tokens, Peers peers,
                                                    Room& room) {
  if (k <= most_certain) return bound_of_groups(most, static_cast<int>(k), peers, room);
  room.greatest[threadIdx.x] = most;
  __syncthreads();
  const float own = rank_among<block_threads>(rank_for(k, first_share(tokens, peers.blocks())), room);
  return below(logit_of(static_cast<std::uint32_t>(peers.join(key_of(own), Least(), ~Word{0}))));
}

/// What a token has to reach for min_p, or less. `most`: a logit of the row.
__device__ inline float bound_of_min_p(float most, float temperature, const RowParameters& one) {
  const float top = distribution::with_temperature(most, temperature);
  return (top + static_cast<float>(one.log_min_p) - 1e-3f * (1 + fabsf(top))) * temperature;
}

constexpr float sample_bins_per_unit = 16;  ///< of bins by distance: they reach 16 below the greatest

/// How far below the greatest logit that was read the tokens reach that hold p of the mass and some more, or
/// as many as should be listed: in units of divided logits.
__device__ __noinline__ inline float reach_in_bins(double p, float read_share, float most_counted,
                                                   Room& room) {
  if (threadIdx.x < 32) {
    constexpr int each = bins / 32;
    const int first = static_cast<int>(threadIdx.x) * each;
    float mass = 0, terms[each];
    Word count = 0, counts[each];
#pragma unroll
    for (int i = 0; i < each; ++i) {
      counts[i] = room.of_bins.merged[first + i];
      terms[i] = static_cast<float>(counts[i]) *
                 exp2f(-1.442695f / sample_bins_per_unit * static_cast<float>(first + i));
      mass += terms[i];
      count += counts[i];
    }
    float whole = mass;
    for (int distance = 16; distance > 0; distance /= 2)
      whole += __shfl_xor_sync(0xFFFFFFFFu, whole, distance);
    float before = mass;
    for (int distance = 1; distance < 32; distance *= 2) {
      const float other = __shfl_up_sync(0xFFFFFFFFu, before, distance);
      if (static_cast<int>(threadIdx.x) >= distance) before += other;
    }
    before -= mass;
    Word counted = sum_before(count);
    // The greatest tokens of a row are seldom in a small sample, whose mass then lies further down; more is
    // listed than that. Of a row that has been read as a whole nothing but the width of a bin is unknown.
    const float more = read_share < 1 ? 0.75f : 0.1f;
    const auto share = static_cast<float>(p + more * (1 - p));
    // The first bin that either the mass or the room ends in; lanes ask in turn.
    int end = bins;
#pragma unroll
    for (int i = 0; i < each; ++i) {
      counted += counts[i];
      before += terms[i];
      const bool full = static_cast<float>(counted) > most_counted;
      if (end == bins && (full || before >= share * whole)) end = full ? first + i - 1 : first + i;
    }
    for (int distance = 16; distance > 0; distance /= 2)
      end = min(end, __shfl_xor_sync(0xFFFFFFFFu, end, distance));
    if (threadIdx.x == 0) room.found_bin = end;
  }
  __syncthreads();
  return static_cast<float>(min(room.found_bin, bins - 1) + 1) / sample_bins_per_unit;
}

/// What a row's blocks have seen of it first.
struct FirstLook {
  float most;   ///< a logit of the row
  float bound;  ///< what is listed
};

/// What the tokens that hold p of the mass reach, about. `room_for`: how many should be listed at most.
__device__ __forceinline__ FirstLook look_for_mass(const float (&even)[4][4], const float (&odd)[4][4],
                                                   int tokens, float temperature, double p, float room_for,
                                                   Peers& peers, Room& room, Faults faults) {
  // Of +Inf comes no bound, and the row is left.
  const float own = fmaxf(greatest_of(even), greatest_of(odd));
  clear_bins(room);
  const float most = logit_of(static_cast<std::uint32_t>(peers.join(Word{key_of(own)}, Greatest(), 0)));
  const float scale = sample_bins_per_unit / temperature;
  std::uint32_t* const counted = in_shared(room.of_bins.counted[0]);
  const auto count = [&](const float(&fours)[4][4]) {
#pragma unroll
    for (int k = 0; k < 4; ++k)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float bin = (most - fours[k][i]) * scale;
        if (bin < bins) atomicAdd(counted + max(0, static_cast<int>(bin)), 1u);
      }
  };
  count(even);
  count(odd);
  merge_bins<1>(room, peers, faults);
  const float read_share =
      fminf(1.0f, static_cast<float>(peers.blocks()) * first_share(tokens, peers.blocks()));
  return {most, most - temperature * reach_in_bins(p, read_share, room_for * read_share, room)};
}

/// The bound for a filter other than top_p.
template <typename T>
__device__ __noinline__ FirstLook look_for_few(HeadSource<T> source, Slice slice, Step filter,
                                               float temperature, const RowParameters& one, Peers peers,
                                               Room& room) {
  float fours[quads_at_once][4];
  slice.read(fours, source, 0);
  if (filter == Step::top_k) {
    const float most = greatest_of(fours);
    return {most, bound_of_count(most, one.top_k, source.tokens, peers, room)};
  }
  const float most =
      logit_of(static_cast<std::uint32_t>(peers.join(Word{key_of(greatest_finite(fours))}, Greatest(), 0)));
  return {most, bound_of_min_p(most, temperature, one)};
}

}  // namespace assay::kernels::filters
