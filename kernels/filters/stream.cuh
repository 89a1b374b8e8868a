#pragma once

// One block reads its part of a row: what reaches a bound is listed, and what the others weigh is estimated.
#include "kernels/distribution/rough_exp.hpp"
#include "kernels/filters/head.cuh"
#include "kernels/filters/listed.cuh"

namespace assay::kernels::filters {

/// Raw logits above ids, in no order.
struct RawList {
  Word* entries;          ///< (most_listed)
  std::uint32_t* listed;  ///< how many came, more than most_listed perhaps; in shared memory
};

/// A logit as it was read, above its id.
__device__ inline Word raw_entry(float logit, int id) {
  return Word{static_cast<std::uint32_t>(__float_as_int(logit))} << 32 | static_cast<unsigned>(id);
}

/// Where in the list the entries of this thread go; all lanes of a warp call it.
__device__ inline unsigned place_in(const RawList& list, unsigned own) {
  const auto lane = threadIdx.x % 32;
  unsigned sum = own;
#pragma unroll
  for (unsigned distance = 1; distance < 32; distance *= 2) {
    const unsigned other = __shfl_up_sync(0xFFFFFFFFu, sum, distance);
    if (lane >= distance) sum += other;
  }
  unsigned start = 0;
  if (lane == 31 && sum > 0) start = atomicAdd(list.listed, sum);
  return __shfl_sync(0xFFFFFFFFu, start, 31) + sum - own;
}

/// Logits and what they are divided by, for a mass in units of 2^reference.
struct Scale {
  float temperature, reciprocal;
  float lowest;  ///< what is less counts as this: it has no weight
  std::int32_t reference;

  /// `top`: no logit that is weighed is greater, once divided. Precondition: |top| <= 1e5.
  __device__ static Scale of(float t, float top) {
    return {t, __frcp_rn(t), top - 64, static_cast<std::int32_t>(ceilf(top * 1.4427f))};
  }

  /// The rounded quotient by a rounded reciprocal (Markstein 1990), where neither it nor a product
  /// underflows.
  __device__ float divided(float logit) const {
    const float guess = logit * reciprocal;
    return __fmaf_rn(__fmaf_rn(-guess, temperature, logit), reciprocal, guess);
  }
};

/// Lists what a thread has read of it, where few tokens reach the bound: most threads have none.
template <int Count>
__device__ __forceinline__ void list_few(const float (&fours)[Count][4], int first, int step, float bound,
                                         const RawList& list) {
  float most = rows::minus_infinity();
#pragma unroll
  for (int k = 0; k < Count; ++k)
#pragma unroll
    for (int i = 0; i < 4; ++i) most = fmaxf(most, fours[k][i]);
  if (!(most >= bound)) return;
  unsigned own = 0;
#pragma unroll
  for (int k = 0; k < Count; ++k)
#pragma unroll
    for (int i = 0; i < 4; ++i) own += fours[k][i] >= bound ? 1 : 0;
  const unsigned to = atomicAdd(list.listed, own);
  if (to + own > most_listed) return;  // too many: nobody looks at the list
  Word* at = list.entries + to;
#pragma unroll
  for (int k = 0; k < Count; ++k)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (fours[k][i] >= bound) *at++ = raw_entry(fours[k][i], 4 * (first + k * step) + i);
}

/// The same where many do; adds the mass of the others to `mass`.
template <int Count>
__device__ __forceinline__ void list_many(const float (&fours)[Count][4], int first, int step, float bound,
                                          const Scale& scale, const RawList& list, double& mass) {
  std::uint32_t hits = 0;
  double sum = 0;
#pragma unroll
  for (int k = 0; k < Count; ++k)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float logit = fours[k][i];
      const bool hit = logit >= bound;
      hits |= hit ? 1u << (4 * k + i) : 0u;
      const float weighed = hit ? scale.lowest : fmaxf(scale.divided(logit), scale.lowest);
      sum += distribution::rough_exp(static_cast<double>(weighed), scale.reference);
    }
  mass += sum;
  const auto own = static_cast<unsigned>(__popc(hits));
  const unsigned to = place_in(list, own);
  if (to + own > most_listed) return;
  Word* at = list.entries + to;
#pragma unroll
  for (int k = 0; k < Count; ++k)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if ((hits & 1u << (4 * k + i)) != 0) *at++ = raw_entry(fours[k][i], 4 * (first + k * step) + i);
}

/// Lists what of the slice reaches the bound, where few tokens do. `even` and `odd` are the two halves of its
/// first round: of two sets of registers the one is on its way while the other is looked at.
template <typename T>
__device__ __forceinline__ void stream_few(const HeadSource<T>& source, const Slice& slice,
                                           float (&even)[4][4], float (&odd)[4][4], float bound,
                                           const RawList& list) {
  const int rounds = slice.rounds();
#pragma unroll 1
  for (int round = 0;;) {
    const int first = slice.first(round);
    list_few(even, first, slice.run, bound, list);
    ++round;
    if (round < rounds) slice.read(even, source, round);
    list_few(odd, first + 4 * slice.run, slice.run, bound, list);
    if (round >= rounds) return;
    slice.read(odd, source, round, 4);
  }
}

template <typename T>
__device__ __noinline__ void stream_few_again(HeadSource<T> source, Slice slice, float bound, RawList to) {
  float even[4][4], odd[4][4];
  slice.read(even, source, 0);
  slice.read(odd, source, 0, 4);
  stream_few(source, slice, even, odd, bound, RawList{in_shared(to.entries), in_shared(to.listed)});
}

/// The same where many do: returns what the others of this thread weigh. Weights need so many registers that
/// fewer fours are on their way.
template <typename T>
__device__ __noinline__ double stream_many(HeadSource<T> source, Slice slice, float bound, Scale scale,
                                           RawList to) {
  const RawList list{in_shared(to.entries), in_shared(to.listed)};
  constexpr int count = 2, parts_of_round = quads_at_once / count;
  const int parts = parts_of_round * slice.rounds();
  const auto read = [&](float(&fours)[count][4], int part) {
    slice.read(fours, source, part / parts_of_round, part % parts_of_round * count);
  };
  double mass = 0;
  const auto look = [&](const float(&fours)[count][4], int part) {
    const int first = slice.first(part / parts_of_round) + part % parts_of_round * count * slice.run;
    list_many(fours, first, slice.run, bound, scale, list, mass);
  };
  float even[count][4], odd[count][4];
  read(even, 0);
#pragma unroll 1
  for (int part = 0; part < parts; part += 2) {
    read(odd, part + 1);
    look(even, part);
    if (part + 2 < parts) read(even, part + 2);
    look(odd, part + 1);
  }
  return mass;
}

}  // namespace assay::kernels::filters
