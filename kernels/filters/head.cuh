#pragma once

// Where a filter leaves the head of the order only, the row is read once and never held: a sample says from
// which logit on tokens are listed, the list decides, and what it cannot decide is left to the kernel that
// holds rows (rows.cu).
#include "kernels/filters/listed.cuh"
#include "kernels/filters/steps.hpp"

namespace assay::kernels::filters {

/// What becomes of a row's first steps.
struct Plan {
  float temperature = 1;  ///< divides every logit first
  int filter = -1;        ///< the step that leaves the head; -1: this is not a row for the head
};

/// Steps that change nothing for this row are passed over.
__device__ inline bool does_nothing(Step step, const RowParameters& one) {
  switch (step) {
    case Step::penalties:
      return one.last_n <= 0 || (one.repetition == 1 && one.presence == 0 && one.frequency == 0);
    case Step::bias:
      return one.bias_count == 0;
    case Step::temperature:
      return one.temperature == 1;
    case Step::top_k:
      return one.top_k <= 0;
    case Step::top_p:
      return one.top_p >= 1;
    case Step::min_p:
      return !(one.min_p > 0);
    case Step::typical:
      return one.typical >= 1;
  }
  return false;
}

constexpr int sampled_quads = 4 * block_threads;  ///< in 64 runs of 128 tokens, spread over the row
constexpr int sampled_tokens = 4 * sampled_quads;

/// So many of the sample's threads, each with the greatest of its 16 tokens, are enough for k: its share of
/// the sample, and four standard deviations more.
__device__ inline int rank_for(std::int64_t k, int tokens) {
  const float share = static_cast<float>(k) * sampled_tokens / static_cast<float>(tokens);
  return static_cast<int>(share + 4 * sqrtf(share)) + 4;
}

__device__ inline Plan plan_of(const Steps& steps, const RowParameters& one, int tokens) {
  Plan plan;
  for (int i = 0; i < steps.count; ++i) {
    const Step step = steps.list[i];
    if (does_nothing(step, one)) continue;
    if (step == Step::temperature && plan.temperature == 1 && one.temperature > 0) {
      // A reciprocal that is not normal, or a significand of ones, for which the quotient below is not the
      // rounded one.
      const auto bits = static_cast<std::uint32_t>(__float_as_int(one.temperature));
      if (!(one.temperature > 1e-30f && one.temperature < 1e30f) || (bits & 0x7FFFFFu) == 0x7FFFFFu)
        return plan;
      plan.temperature = one.temperature;
      continue;
    }
    const bool few = one.min_keep <= 64;
    if (step == Step::top_k && rank_for(one.top_k, tokens) <= block_threads / 2 && one.top_k < most_few)
      plan.filter = i;
    if ((step == Step::top_p || step == Step::min_p) && few) plan.filter = i;
    return plan;
  }
  return plan;
}

/// Rows on the device as the head's kernel reads them.
template <typename T>
struct HeadSource {
  const T* row;
  const std::uint32_t* mask;
  int tokens;
  bool aligned;

  /// Fours up to this one are whole, and nothing of them is masked: they can be read without a question
  /// between.
  __device__ int plain_end() const { return aligned && mask == nullptr ? tokens / 4 : 0; }
  /// `Count` fours, `step` of them apart, all on their way before the first is used. What is at `end` or
  /// beyond is -Inf.
  template <int Count>
  __device__ void read_all(float (&fours)[Count][4], int first, int step, int end) const {
    if (first + (Count - 1) * step < min(end, plain_end())) {
      const T* const from = row + 4 * std::int64_t{first};
#pragma unroll
      for (int k = 0; k < Count; ++k) read_whole(fours[k], from + 4 * k * step);
      return;
    }
#pragma unroll
    for (int k = 0; k < Count; ++k) {
#pragma unroll
      for (int i = 0; i < 4; ++i) fours[k][i] = rows::minus_infinity();
      if (first + k * step < end) read(fours[k], first + k * step);
    }
  }

  __device__ int quads() const {
    return (tokens + 3) / 4;
  }
  /// Four neighbours; -Inf for what is not there or not allowed. NaN stay.
  __device__ void read(float (&four)[4], int quad) const {
    const int id = 4 * quad;
    const int readable = tokens - id;
    read_four(four, row + id, readable, aligned);
    std::uint32_t allowed = 0xFu;
    if (mask != nullptr && readable > 0) allowed = mask[id / 32] >> (id % 32);
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (i >= readable || (allowed >> i & 1u) == 0) four[i] = rows::minus_infinity();
  }
};

/// The greatest finite logit of the sample, in every thread; the sample's four fours of this thread in
/// `sample`.
template <typename T>
__device__ float look_at_sample(const HeadSource<T>& source, Peers& alone, float (&sample)[4][4]) {
  const int quads = source.quads();
  // A warp's 32 fours lie side by side, so that memory is read in whole runs.
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  // Fours of one warp's run are `step` runs from those of the next.
  const int spacing = max(quads - 32, 0) / (4 * block_warps - 1);
  source.read_all(sample, warp * spacing + lane, block_warps * spacing, quads);
  float most = rows::minus_infinity();
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j)
      if (isfinite(sample[i][j])) most = fmaxf(most, sample[i][j]);
  return logit_of(
      static_cast<std::uint32_t>(alone.join(key_of(most), Greatest(), key_of(rows::minus_infinity()))));
}

/// The logit of that rank among the greatest of groups of threads: of four threads each where that leaves
/// enough groups to tell ranks apart, else of one.
__device__ __noinline__ inline float sample_rank(const float (&sample)[4][4], int rank, Room& room) {
  float most = rows::minus_infinity();
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j) most = fmaxf(most, sample[i][j]);
  const int lanes = rank <= block_threads / 16 ? 4 : 1;
  if (lanes == 4)
    for (int distance = 1; distance < 4; distance *= 2)
      most = fmaxf(most, __shfl_xor_sync(0xFFFFFFFFu, most, distance));
  const int groups = block_threads / lanes;
  __syncthreads();
  auto* const greatest = reinterpret_cast<float*>(room.list);
  if (static_cast<int>(threadIdx.x) % lanes == 0) greatest[static_cast<int>(threadIdx.x) / lanes] = most;
  __syncthreads();
  const int own = static_cast<int>(threadIdx.x);
  if (own < groups) {
    most = greatest[own];
    int greater = 0;
    for (int i = 0; i < groups; i += 4) {
      const float4 four = *reinterpret_cast<const float4*>(greatest + i);
      const auto precedes = [&](float other, int at) {
        return other > most || (other == most && at < own) ? 1 : 0;
      };
      greater +=
          precedes(four.x, i) + precedes(four.y, i + 1) + precedes(four.z, i + 2) + precedes(four.w, i + 3);
    }
    if (greater == rank - 1) room.bound = static_cast<std::uint32_t>(__float_as_int(most));
  }
  __syncthreads();
  return __int_as_float(static_cast<int>(room.bound));
}

/// How far below the maximum the head reaches that holds p of the sample's mass and some more, or as many as
/// a list has room for: in units of divided logits; below 0 where the sample does not say. Bins of 1/32 reach
/// 8 below.
__device__ __noinline__ inline float sample_reach(const float (&sample)[4][4], float most, float reciprocal,
                                                  double p, int tokens, Room& room, Peers& alone,
                                                  Faults faults) {
  clear_bins(room);
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const float distance = (most - sample[i][j]) * reciprocal;
      if (distance < bins / bins_per_unit)
        atomicAdd(&room.of_bins.counted[0][max(0, static_cast<int>(distance * bins_per_unit))], 1u);
    }
  merge_bins<1>(room, alone, faults);
  if (threadIdx.x < 32) {
    constexpr int each = bins / 32;
    float mass = 0;
    Word count = 0;
    const auto term = [&](int bin) {
      return static_cast<float>(room.of_bins.merged[bin]) *
             exp2f(-1.442695f / bins_per_unit * static_cast<float>(bin));
    };
    for (int i = 0; i < each; ++i) {
      mass += term(static_cast<int>(threadIdx.x) * each + i);
      count += room.of_bins.merged[static_cast<int>(threadIdx.x) * each + i];
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
    // The first bin that either the mass or the room ends in; lanes ask in turn.
    // The greatest tokens of a row are seldom in its sample, whose mass then lies further down; more is
    // listed than that.
    const auto share = static_cast<float>(p + 0.75 * (1 - p));
    const auto most_sampled = static_cast<Word>(0.85f * most_listed * sampled_tokens /
                                                static_cast<float>(max(tokens, sampled_tokens)));
    int end = bins;
    for (int i = 0; i < each && end == bins; ++i) {
      const int bin = static_cast<int>(threadIdx.x) * each + i;
      counted += room.of_bins.merged[bin];
      before += term(bin);
      if (counted > most_sampled)
        end = bin - 1;
      else if (before >= share * whole)
        end = bin;
    }
    for (int distance = 16; distance > 0; distance /= 2)
      end = min(end, __shfl_xor_sync(0xFFFFFFFFu, end, distance));
    if (threadIdx.x == 0) room.found_bin = end;
  }
  __syncthreads();
  return (static_cast<float>(min(room.found_bin, bins - 1)) + 1) / bins_per_unit;
}

/// 2^exponent in single precision, relative error below 2 u (u = 2^-24): f = logit log2(e) - reference - n in
/// [-1/2, 1/2] comes out of two fused operations, 2^f of a polynomial (approximation 5.1e-9; evaluated 1.2 u,
/// over all floats of that range), and n goes to the exponent. Precondition: n is in [-126, 127].
__device__ inline float power_below(float logit, float reference) {
  constexpr float log2_e = 0x1.715476p+0f, log2_e_rest = 0x1.4ae0c0p-26f;
  const float shifted = __fmaf_rn(logit, log2_e, 0x1.8p23f - reference);
  const float whole = shifted - (0x1.8p23f - reference);
  const float rest = __fmaf_rn(logit, log2_e_rest, __fmaf_rn(logit, log2_e, -(whole)));
  float series = 0x1.4440a4p-13f;
  series = __fmaf_rn(series, rest, 0x1.5f095cp-10f);
  series = __fmaf_rn(series, rest, 0x1.3b2a1ap-7f);
  series = __fmaf_rn(series, rest, 0x1.c6af6cp-5f);
  series = __fmaf_rn(series, rest, 0x1.ebfbe0p-3f);
  series = __fmaf_rn(series, rest, 0x1.62e430p-1f);
  series = __fmaf_rn(series, rest, 1.0f);
  return __int_as_float(__float_as_int(series) + (__float_as_int(shifted) << 23));
}

}  // namespace assay::kernels::filters
