#pragma once

// Where a filter leaves the head of the order only, the row is read once and never held. This is what is
// read, and in which order; bound.cuh says from which logit on tokens are listed, stream.cuh lists them.
#include "kernels/filters/part.cuh"
#include "kernels/filters/room.cuh"
#include "kernels/filters/row_parameters.cuh"
#include "kernels/filters/steps.hpp"

namespace assay::kernels::filters {

/// What becomes of a row's first steps.
struct Plan {
  float temperature = 1;  ///< divides every logit first
  int filter = -1;        ///< the step that leaves the head; -1: this is not a row for the head
  bool small = false;     ///< small.cuh takes it
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

constexpr int quads_at_once = 8;  ///< fours of a thread that are on their way together

/// Tokens that a block looks at before it knows a bound: all of the row's, or of this block's part, where
/// there are not more.
constexpr int first_tokens = 4 * quads_at_once * block_threads;

/// So many of a block's threads, each with the greatest of its tokens, are enough for k where they saw
/// `share` of the row: that share of k, and four standard deviations more.
__device__ inline int rank_for(std::int64_t k, float share) {
  const float expected = static_cast<float>(k) * share;
  return static_cast<int>(fminf(static_cast<float>(k), expected + 4 * sqrtf(expected) + 4));
}

/// What one of so many blocks looks at first, of all tokens.
__device__ inline float first_share(int tokens, int blocks) {
  return fminf(1.0f / static_cast<float>(blocks),
               static_cast<float>(first_tokens) / static_cast<float>(tokens));
}

__device__ inline Plan plan_of(const Steps& steps, const RowParameters& one, int tokens, int blocks) {
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
    if (step == Step::top_k && one.top_k < most_few &&
        rank_for(one.top_k, first_share(tokens, blocks)) <= block_threads / 2)
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
    const int plain = min(end, plain_end());
    const T* const from = row + 4 * std::int64_t{first};
    if (first + (Count - 1) * step < plain) {
#pragma unroll
      for (int k = 0; k < Count; ++k) read_whole(fours[k], from + 4 * k * step);
      return;
    }
#pragma unroll
    for (int k = 0; k < Count; ++k) {
#pragma unroll
      for (int i = 0; i < 4; ++i) fours[k][i] = rows::minus_infinity();
      if (first + k * step < plain) read_whole(fours[k], from + 4 * k * step);
    }
    if (plain == end) return;
#pragma unroll 1
    for (int k = 0; k < Count; ++k) {
      const int quad = first + k * step;
      if (quad < plain || quad >= end) continue;
      const float4 four = read_slowly(row, mask, tokens, aligned, quad);
      // By a constant index, so that all stay in registers.
#pragma unroll
      for (int at = 0; at < Count; ++at) {
        fours[at][0] = at == k ? four.x : fours[at][0];
        fours[at][1] = at == k ? four.y : fours[at][1];
        fours[at][2] = at == k ? four.z : fours[at][2];
        fours[at][3] = at == k ? four.w : fours[at][3];
      }
    }
  }

  __device__ int quads() const {
    return (tokens + 3) / 4;
  }

 private:
  /// Four neighbours; -Inf for what is not there or not allowed. NaN stay. Its instructions are kept away
  /// from those of rows that are read at once.
  __device__ __noinline__ static float4 read_slowly(const T* row, const std::uint32_t* mask, int tokens,
                                                    bool aligned, int quad) {
    const int id = 4 * quad;
    const int readable = tokens - id;
    float four[4];
    read_four(four, row + id, readable, aligned);
    std::uint32_t allowed = 0xFu;
    if (mask != nullptr && readable > 0) allowed = mask[id / 32] >> (id % 32);
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (i >= readable || (allowed >> i & 1u) == 0) four[i] = rows::minus_infinity();
    return {four[0], four[1], four[2], four[3]};
  }
};

/// The part of a row that one block reads, in fours, and the order it reads them in: a round is one four of
/// each thread from each of `quads_at_once` runs of neighbours, which lie spread over the part, so that what
/// is read first is like the rest.
struct Slice {
  int begin, end;
  int run;  ///< fours of each

  __device__ static Slice of(int quads, int blocks, int rank) {
    // Blocks are a power of two; a part is of whole words of a mask.
    const int shift = __ffs(blocks) - 1 + 3;
    const int each = (quads + (1 << shift) - 1) >> shift << 3;
    constexpr int of_runs = quads_at_once * 8;
    int run = (each + of_runs - 1) / of_runs * 8;
    if (run < block_threads * 3 / 4) run = block_threads;  // few tokens: some for as many threads as possible
    return {min(rank * each, quads), min((rank + 1) * each, quads), run};
  }
  __device__ int rounds() const { return (run + block_threads - 1) / block_threads; }
  /// This thread's first four of a round; they are `run` apart.
  __device__ int first(int round) const {
    return begin + round * block_threads + static_cast<int>(threadIdx.x);
  }
  /// Where its fours of a round end: at nothing for those threads that are beyond the runs.
  __device__ int end_of(int round) const {
    return round * block_threads + static_cast<int>(threadIdx.x) < run ? end : 0;
  }

  /// Sends for a round without waiting for it.
  template <typename T>
  __device__ void prefetch(const HeadSource<T>& source, int round) const {
    constexpr int line = 128 / (4 * static_cast<int>(sizeof(T)));  // fours of it
    if (threadIdx.x % line != 0) return;
    const int until = end_of(round);
    const T* from = source.row + 4 * std::int64_t{first(round)};
#pragma unroll 1
    for (int quad = first(round); quad < until; quad += run, from += 4 * run)
      asm volatile("prefetch.global.L2 [%0];" ::"l"(from));
  }
  template <int Count, typename T>
  __device__ void read(float (&fours)[Count][4], const HeadSource<T>& source, int round,
                       int first_run = 0) const {
    source.read_all(fours, first(round) + first_run * run, run, end_of(round));
  }
};

/// Of what a thread holds; NaN are passed over.
template <int Count>
__device__ inline float greatest_of(const float (&fours)[Count][4]) {
  float most = rows::minus_infinity();
#pragma unroll
  for (int k = 0; k < Count; ++k)
#pragma unroll
    for (int i = 0; i < 4; ++i) most = fmaxf(most, fours[k][i]);
  return most;
}

/// The greatest finite logit of what a thread holds; -Inf where there is none.
template <int Count>
__device__ inline float greatest_finite(const float (&fours)[Count][4]) {
  float most = rows::minus_infinity();
#pragma unroll
  for (int k = 0; k < Count; ++k)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (isfinite(fours[k][i])) most = fmaxf(most, fours[k][i]);
  return most;
}

}  // namespace assay::kernels::filters
