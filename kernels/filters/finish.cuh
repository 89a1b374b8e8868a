#pragma once

// How a row ends: what one block does with a list of few tokens, what is drawn, what is written.
#include <cstdint>

#include "kernels/distribution/draw.hpp"
#include "kernels/filters/few.cuh"
#include "kernels/filters/rows_cuda.hpp"

namespace assay::kernels::filters {

__device__ __noinline__ inline void apply(Few& few, Step step, const RowParameters& one) {
  switch (step) {
    case Step::penalties:
      return few.penalties(one);
    case Step::bias:
      return few.bias(one);
    case Step::temperature:
      return few.temperature(one.temperature);
    case Step::top_k:
      return few.top_k(one.top_k);
    case Step::top_p:
      return few.top_p(one.top_p, one.min_keep);
    case Step::min_p:
      return few.min_p(one);
    case Step::typical:
      return few.typical(one.typical, one.min_keep);
  }
}

__device__ __noinline__ inline std::uint64_t random_of(const RowsCall& call, std::int64_t row,
                                                       Faults faults) {
  auto seed = static_cast<std::uint64_t>(call.seed[row]);
  auto position = static_cast<std::uint64_t>(call.position[row]);
  if (faults(Fault::counter_reused)) position = 0;
  if (faults(Fault::row_in_the_seed)) seed += static_cast<std::uint64_t>(row);
  return distribution::draw_bits(seed, position);
}

/// Where a row's survivors are written.
struct Survivors {
  std::uint32_t* left;
  float* logits;
  float* probabilities;
  int tokens, words;

  __device__ Survivors(const RowsCall& call, std::int64_t row)
      : left(call.left == nullptr ? nullptr : call.left + row * call.in.words()),
        logits(call.left_logits == nullptr ? nullptr : call.left_logits + row * call.in.tokens),
        probabilities(call.probabilities == nullptr ? nullptr : call.probabilities + row * call.in.tokens),
        tokens(static_cast<int>(call.in.tokens)),
        words(static_cast<int>(call.in.words())) {}

  __device__ bool wanted() const { return left != nullptr || logits != nullptr || probabilities != nullptr; }

  /// Nothing of these tokens is left; `begin` is a multiple of 32.
  __device__ void clear(int begin, int end) const {
    end = min(tokens, end);
    for (int id = begin + static_cast<int>(threadIdx.x); id < end; id += block_threads) {
      if (logits != nullptr) logits[id] = rows::minus_infinity();
      if (probabilities != nullptr) probabilities[id] = 0;
      if (left != nullptr && id % 32 == 0) left[id / 32] = 0;
    }
  }

  __device__ void add(Word entry, Word weight, Word total) const {
    const int id = id_in(entry);
    if (left != nullptr) atomicOr(&left[id / 32], 1u << (id % 32));
    if (logits != nullptr) logits[id] = logit_in(entry);
    if (probabilities != nullptr) probabilities[id] = distribution::probability_of(weight, total);
  }
  /// What the list holds, after clear() by all.
  __device__ void add(const Few& few, Word total) const {
    for (int i = static_cast<int>(threadIdx.x); i < few.count(); i += block_threads)
      add(few.entry(i), few.weight(i), total);
  }

  /// What this block's part holds. A warp goes by whole words of the mask.
  __device__ void write(const Part& part, float maximum, Word total, Faults faults) const {
    __syncthreads();
    const int lane = static_cast<int>(threadIdx.x % 32);
    const int held = part.segment * block_warps;
    for (int at = static_cast<int>(threadIdx.x / 32) * 32; at < held; at += block_threads) {
      const int id = part.first + at + lane;
      const float logit = part.values[at + lane];
      const unsigned bits = __ballot_sync(0xFFFFFFFFu, is_left(logit));
      if (id >= tokens) continue;
      if (left != nullptr && lane == 0) left[id / 32] = bits;
      if (logits != nullptr) logits[id] = is_left(logit) ? logit : rows::minus_infinity();
      if (probabilities != nullptr)
        probabilities[id] = distribution::probability_of(weight_under(maximum, logit, faults), total);
    }
  }
};

/// Of the first block, which goes on alone from `step`.
__device__ __noinline__ inline void finish_few(const RowsCall& call, std::int64_t row, Few& few, int step,
                                               const RowParameters& one, Faults faults) {
  for (; step < call.steps.count; ++step) apply(few, call.steps.list[step], one);
  __syncthreads();
  if (call.kept != nullptr && threadIdx.x == 0) call.kept[row] = few.count();
  const Survivors survivors(call, row);
  if (survivors.wanted())
    survivors.add(few, call.probabilities == nullptr || few.count() == 0 ? 0 : few.masses().total);
  if (call.seed != nullptr) few.draw(one.random, call.token + row, call.log_prob + row);
}

}  // namespace assay::kernels::filters
