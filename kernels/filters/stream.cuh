#pragma once

// One block reads its part of a row: what reaches a bound is listed, and what the others weigh is estimated.
#include "kernels/distribution/rough_exp.hpp"
#include "kernels/filters/head.cuh"
#include "kernels/filters/listed.cuh"

namespace assay::kernels::filters {

/// Raw logits above ids, in no order. All of it in shared memory.
struct RawList {
  Word* entries;          ///< (most_listed)
  std::uint32_t* listed;  ///< how many came, more than most_listed perhaps
};

__device__ inline unsigned shared_address(const void* place) {
  return static_cast<unsigned>(__cvta_generic_to_shared(place));
}

/// A logit as it was read, above its id.
__device__ inline Word raw_entry(float logit, int id) {
  return Word{static_cast<std::uint32_t>(__float_as_int(logit))} << 32 | static_cast<unsigned>(id);
}

/// Where in the list the entries of this thread go; all lanes of a warp call it.
__device__ __forceinline__ unsigned place_in(const RawList& list, unsigned own) {
  // In the instructions' own words: a sum over lanes takes two of them a step so.
  unsigned sum = own;
#pragma unroll
  for (unsigned distance = 1; distance < 32; distance *= 2)
    asm volatile(
        "{\n\t.reg .u32 other;\n\t.reg .pred there;\n\t"
        "shfl.sync.up.b32 other|there, %0, %1, 0, 0xFFFFFFFF;\n\t"
        "@there add.u32 %0, %0, other;\n\t}"
        : "+r"(sum)
        : "r"(distance));
  unsigned start = 0;
  asm volatile(
      "{\n\t.reg .pred last;\n\tsetp.eq.u32 last, %1, 31;\n\t"
      "@last atom.shared.add.u32 %0, [%2], %3;\n\t}"
      : "+r"(start)
      : "r"(threadIdx.x % 32), "r"(shared_address(list.listed)), "r"(sum)
      : "memory");
  return __shfl_sync(0xFFFFFFFFu, start, 31) + sum - own;
}

/// Adds one where a logit reaches the bound.
__device__ __forceinline__ void count_hit(unsigned& count, float logit, float bound) {
  asm("{\n\t.reg .pred hit;\n\tsetp.ge.f32 hit, %1, %2;\n\t@hit add.u32 %0, %0, 1;\n\t}"
      : "+r"(count)
      : "f"(logit), "f"(bound));
}
/// Puts what is above `below`, the number before the bound, to `place` in shared memory, which moves on.
/// Asked in other words than count_hit does, so that its answers are not kept in bits between the two.
__device__ __forceinline__ void put_hit(unsigned& place, float logit, int id, float below) {
  asm volatile(
      "{\n\t.reg .pred hit;\n\tsetp.gt.f32 hit, %2, %3;\n\t"
      "@hit st.shared.v2.b32 [%0], {%1, %4};\n\t@hit add.u32 %0, %0, 8;\n\t}"
      : "+r"(place)
      : "r"(id), "f"(logit), "f"(below), "r"(__float_as_int(logit))
      : "memory");
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
                                          float before_bound, const Scale& scale, const RawList& list,
                                          double& mass) {
  unsigned own = 0;
  double sum = 0;
#pragma unroll
  for (int k = 0; k < Count; ++k)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float logit = fours[k][i];
      count_hit(own, logit, bound);
      const float weighed = logit >= bound ? scale.lowest : fmaxf(scale.divided(logit), scale.lowest);
      sum += distribution::rough_exp(static_cast<double>(weighed), scale.reference);
    }
  mass += sum;
  const unsigned to = place_in(list, own);
  if (to + own > most_listed) return;
  unsigned place = shared_address(list.entries) + to * static_cast<unsigned>(sizeof(Word));
  int id = 4 * first;
#pragma unroll
  for (int k = 0; k < Count; ++k) {
#pragma unroll
    for (int i = 0; i < 4; ++i) put_hit(place, fours[k][i], id + i, before_bound);
    id += 4 * step;
    asm volatile("" : "+r"(id));  // distances from the first would each take a register
  }
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
  const float before_bound = nextafterf(bound, rows::minus_infinity());
  double mass = 0;
  const auto look = [&](const float(&fours)[count][4], int part) {
    const int first = slice.first(part / parts_of_round) + part % parts_of_round * count * slice.run;
    list_many(fours, first, slice.run, bound, before_bound, scale, list, mass);
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
