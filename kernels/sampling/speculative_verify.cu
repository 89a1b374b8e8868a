// sampling.speculative_verify on CUDA, in two kernels. The first judges all steps of all rows at once, each
// by a cluster: maxima and totals of the two distributions, and whether the draft token is taken. The second,
// a cluster a row, finds the first that is not and draws: it reads the two rows of that step twice, once to
// add up, once to find. What comes after a rejection has been judged in vain, beside the steps that were
// needed.
#include <cooperative_groups.h>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/status_word.hpp"
#include "kernels/distribution/verification.hpp"
#include "kernels/filters/spread.cuh"
#include "kernels/sampling/speculative_verify.hpp"

namespace assay::kernels::sampling {

namespace {

using namespace filters;
using distribution::Wide128;

// Planted faults, handed to the kernels by value; constants in the usual build.
struct VerifyFaults {
#ifdef ASSAY_MUTANTS
  bool ratio_inverted, totals_left_out, counter_reused, stream_reused, target_for_residual, rejected_kept,
      length_ignored, stale_bonus, upper_half_lost, ids_unchecked;
#else
  static constexpr bool ratio_inverted = false, totals_left_out = false, counter_reused = false,
                        stream_reused = false, target_for_residual = false, rejected_kept = false,
                        length_ignored = false, stale_bonus = false, upper_half_lost = false,
                        ids_unchecked = false;
#endif
};

VerifyFaults planted() {
#ifdef ASSAY_MUTANTS
  return {mutant("sampling.speculative_verify.cuda_ratio_inverted"),
          mutant("sampling.speculative_verify.cuda_totals_left_out"),
          mutant("sampling.speculative_verify.cuda_counter_reused"),
          mutant("sampling.speculative_verify.cuda_stream_reused"),
          mutant("sampling.speculative_verify.cuda_target_for_residual"),
          mutant("sampling.speculative_verify.cuda_rejected_kept"),
          mutant("sampling.speculative_verify.cuda_length_ignored"),
          mutant("sampling.speculative_verify.cuda_stale_bonus"),
          mutant("sampling.speculative_verify.cuda_upper_half_lost"),
          mutant("sampling.speculative_verify.cuda_ids_unchecked")};
#else
  return {};
#endif
}

/// How many draft tokens of a row count; -1 where the row is illegal, which the status then says. Of all
/// threads of a block, which get the same.
__device__ std::int64_t drafted_of(const SpeculativeCall& call, std::int64_t row,
                                   volatile std::uint32_t* status, VerifyFaults faults) {
  const std::int64_t drafted =
      call.drafted == nullptr || faults.length_ignored ? call.steps : std::int64_t{call.drafted[row]};
  bool good = drafted >= 0 && drafted <= call.steps;
  for (std::int64_t step = threadIdx.x; good && step < drafted; step += block_threads) {
    const std::int32_t id = call.draft_tokens[row * call.steps + step];
    good = id >= 0 && id < call.tokens;
  }
  if (faults.ids_unchecked) good = true;
  if (!good) *status = static_cast<std::uint32_t>(DeviceStatus::value_out_of_range);
  return __syncthreads_and(good ? 1 : 0) != 0 ? drafted : -1;
}

template <typename T>
__device__ Source<T> step_of(const SpeculativeCall& call, const StepLogits& logits, std::int64_t row,
                             std::int64_t step, bool aligned) {
  return {reinterpret_cast<const T*>(logits.data) + logits.element(row, step), nullptr,
          static_cast<int>(call.tokens), aligned, 0.0f};
}

struct Whole {
  float maximum;
  Word total;
};

/// Maximum and total weight of one row of logits, which the part holds afterwards.
template <typename T>
__device__ Whole add_up(const Part& part, Peers& peers, const Source<T>& source) {
  const Word held = load(part, peers, source, Faults{});
  const float maximum = state_of(peers.join(held, CountAndMaximum(), 0)).maximum;
  return {maximum, total_of(part, peers, maximum, Faults{})};
}

template <typename T>
__device__ Word weight_at(const Source<T>& source, const Whole& whole, std::int32_t id) {
  return distribution::weight_of(whole.maximum, distribution::canonical(rows::widen(source.row[id])));
}

template <typename T>
__global__ void __launch_bounds__(block_threads, 2)
    judge_steps(const __grid_constant__ SpeculativeCall call, StepVerdict* verdicts, Spread spread,
                bool target_aligned, bool draft_aligned, volatile std::uint32_t* status,
                VerifyFaults faults) {
  extern __shared__ float4 part_memory[];
  __shared__ Exchange exchange;
  const int rank = static_cast<int>(blockIdx.x) % spread.blocks;
  const std::int64_t at = static_cast<int>(blockIdx.x) / spread.blocks;
  const std::int64_t row = at / (call.steps + 1), step = at % (call.steps + 1);
  const std::int64_t drafted = drafted_of(call, row, status, faults);
  if (step > drafted) return;  // all blocks of the cluster alike
  Peers peers(exchange, spread.blocks, rank);
  peers.sync();  // nobody's shared memory is written to before that block runs
  const Part part{reinterpret_cast<float*>(part_memory), spread.segment, rank * spread.segment * block_warps};
  const Source<T> target =
      step_of<T>(call, call.target, row, faults.stale_bonus && step == drafted && step > 0 ? step - 1 : step,
                 target_aligned);
  const Whole of_target = add_up(part, peers, target);
  StepVerdict verdict{of_target.maximum, 0, of_target.total, 0, 0};
  if (step < drafted) {
    const Source<T> draft = step_of<T>(call, call.draft, row, step, draft_aligned);
    const Whole of_draft = add_up(part, peers, draft);
    verdict.draft_maximum = of_draft.maximum;
    verdict.draft_total = of_draft.total;
    const std::int32_t id = call.draft_tokens[row * call.steps + step];
    Word p = weight_at(target, of_target, id), q = weight_at(draft, of_draft, id);
    if (faults.ratio_inverted) {
      const Word kept = p;
      p = q;
      q = kept;
    }
    const auto position = static_cast<std::uint64_t>(call.position[row]) +
                          (faults.counter_reused ? 0 : static_cast<std::uint64_t>(step));
    const std::uint64_t random = distribution::stream_bits(static_cast<std::uint64_t>(call.seed[row]),
                                                           distribution::acceptance_stream, position);
    const bool taken = faults.totals_left_out
                           ? distribution::accepts(random, p, 1, q, 1)
                           : distribution::accepts(random, p, of_target.total, q, of_draft.total);
    verdict.accepted = taken ? 1 : 0;
  }
  if (rank == 0 && threadIdx.x == 0) verdicts[at] = verdict;
}

/// A sum of 128 bits over the lanes before this one, and over all.
struct WarpSums {
  Wide128 before, all;
};
__device__ WarpSums sums_of_warp(Wide128 value) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const auto from = [](Wide128 held, int source) {
    const auto low = static_cast<Word>(held), high = static_cast<Word>(held >> 64);
    return static_cast<Wide128>(__shfl_sync(0xFFFFFFFFu, high, source)) << 64 |
           __shfl_sync(0xFFFFFFFFu, low, source);
  };
  Wide128 sum = value;
#pragma unroll
  for (int distance = 1; distance < 32; distance *= 2) {
    const Wide128 other = from(sum, lane >= distance ? lane - distance : lane);
    if (lane >= distance) sum += other;
  }
  return {sum - value, from(sum, 31)};
}

/// Over the warps before this one, and over all.
struct ClusterSums {
  Wide128 before = 0, all = 0;

  /// What each warp gave, times 2^shift.
  __device__ void add(const Peers& peers, const Word* of_warps, int shift) {
    for (int warp = 0; warp < peers.blocks() * block_warps; ++warp) {
      const Wide128 other = static_cast<Wide128>(of_warps[warp]) << shift;
      if (warp < peers.rank() * block_warps + peers.warp()) before += other;
      all += other;
    }
  }
};

/// `of_warp` is the same in all its lanes. The lower halves are read before the upper ones are exchanged: a
/// set of slots is written to again by the next exchange but one.
__device__ ClusterSums sums_of_cluster(Peers& peers, Wide128 of_warp, VerifyFaults faults) {
  ClusterSums sums;
  sums.add(peers, peers.exchange(static_cast<Word>(of_warp)), 0);
  const Word* const upper = peers.exchange(static_cast<Word>(of_warp >> 64));
  if (!faults.upper_half_lost) sums.add(peers, upper, 64);
  return sums;
}

/// What the last token of a row is drawn from: the residual of a step, or the target's own.
template <typename T>
struct Rest {
  Source<T> target, draft;
  float target_maximum, draft_maximum;
  Word target_total, draft_total;  ///< the draft's 0: it has no part in the draw

  /// body(id, four weights) for each four of the warp's segment, all lanes together.
  template <typename Body>
  __device__ void walk(int first, int segment, Body body) const {
    const int lane = static_cast<int>(threadIdx.x % 32);
    const int end = min(first + segment, target.tokens);
    for (int begin = first; begin < end; begin += tile) {
      const int id = begin + 4 * lane;
      float p[4], q[4] = {0, 0, 0, 0};
      read_four(p, target.row + id, end - id, target.aligned);
      if (draft_total > 0) read_four(q, draft.row + id, end - id, draft.aligned);
      Wide128 weights[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        weights[i] = 0;
        if (id + i >= end) continue;
        const Word of_target = distribution::weight_of(target_maximum, distribution::canonical(p[i]));
        const Word of_draft =
            draft_total > 0 ? distribution::weight_of(draft_maximum, distribution::canonical(q[i])) : 0;
        weights[i] = distribution::residual_weight(of_target, target_total, of_draft, draft_total);
      }
      body(id, weights);
    }
  }

  __device__ Wide128 sum(int first, int segment) const {
    Wide128 mine = 0;
    walk(first, segment, [&](int, const Wide128(&weights)[4]) {
      mine += (weights[0] + weights[1]) + (weights[2] + weights[3]);
    });
    return sums_of_warp(mine).all;
  }
};

template <typename T>
__global__ void __launch_bounds__(block_threads, 1)
    finish_rows(const __grid_constant__ SpeculativeCall call, const StepVerdict* verdicts, Spread spread,
                bool target_aligned, bool draft_aligned, volatile std::uint32_t* status,
                VerifyFaults faults) {
  __shared__ Exchange exchange;
  const int rank = static_cast<int>(blockIdx.x) % spread.blocks;
  const std::int64_t row = static_cast<int>(blockIdx.x) / spread.blocks;
  const std::int64_t drafted = drafted_of(call, row, status, faults);
  if (drafted < 0) return;  // all blocks of the row alike
  Peers peers(exchange, spread.blocks, rank);
  peers.sync();  // nobody's shared memory is written to before that block runs
  const StepVerdict* const of_row = verdicts + row * (call.steps + 1);
  std::int64_t taken = 0;
  while (taken < drafted && of_row[taken].accepted != 0) ++taken;
  const StepVerdict verdict = of_row[taken];
  const std::int64_t target_step = faults.stale_bonus && taken == drafted && taken > 0 ? taken - 1 : taken;

  const bool residual = taken < drafted && !faults.target_for_residual;
  Rest<T> rest{step_of<T>(call, call.target, row, target_step, target_aligned),
               step_of<T>(call, call.draft, row, residual ? taken : 0, draft_aligned),
               verdict.target_maximum,
               verdict.draft_maximum,
               verdict.target_total,
               residual ? verdict.draft_total : 0};
  const int first = (rank * block_warps + peers.warp()) * spread.segment;
  Wide128 mine = rest.sum(first, spread.segment);
  ClusterSums sums = sums_of_cluster(peers, mine, faults);
  if (sums.all == 0 && rest.draft_total > 0) {  // nothing of the target is beyond the draft
    rest.draft_total = 0;
    mine = rest.sum(first, spread.segment);
    sums = sums_of_cluster(peers, mine, faults);
  }

  std::int32_t* const out = call.out + row * (call.steps + 1);
  if (rank == 0) {
    if (threadIdx.x == 0) call.accepted[row] = static_cast<std::int32_t>(taken);
    for (std::int64_t step = threadIdx.x; step <= call.steps; step += block_threads) {
      const bool kept = step < taken || (faults.rejected_kept && step > taken && step < drafted);
      if (step != taken) out[step] = kept ? call.draft_tokens[row * call.steps + step] : -1;
      if (step == taken && sums.all == 0) out[step] = -1;
    }
  }
  const std::uint64_t random = distribution::stream_bits(
      static_cast<std::uint64_t>(call.seed[row]),
      faults.stream_reused ? distribution::acceptance_stream : distribution::residual_stream,
      static_cast<std::uint64_t>(call.position[row]) +
          (faults.counter_reused ? 0 : static_cast<std::uint64_t>(taken)));
  const Wide128 point = distribution::wide_point_in(random, sums.all);
  Wide128 before = sums.before;
  if (!(before <= point && point < before + mine)) return;  // the same in all lanes
  rest.walk(first, spread.segment, [&](int id, const Wide128(&weights)[4]) {
    const WarpSums in_warp = sums_of_warp((weights[0] + weights[1]) + (weights[2] + weights[3]));
    Wide128 start = before + in_warp.before;
    before += in_warp.all;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (start <= point && point < start + weights[i]) out[taken] = id + i;
      start += weights[i];
    }
  });
}

/// Whether four neighbours can be read at once in every row and step.
template <typename T>
bool steps_by_four(const StepLogits& logits) {
  return reads_by_four<T>(logits.data, logits.row_stride) && logits.step_stride % 4 == 0;
}

template <typename T>
void launch(CUstream_st* stream, const SpeculativeCall& call, StepVerdict* verdicts, std::uint32_t* status) {
  const bool target_aligned = steps_by_four<T>(call.target), draft_aligned = steps_by_four<T>(call.draft);
  auto* const heard = static_cast<volatile std::uint32_t*>(status);
  const std::int64_t all = call.rows * (call.steps + 1);
  const Spread of_steps = spread_of(all, call.tokens);
  launch_spread("sampling.speculative_verify: launch of the steps", stream, all, of_steps,
                bytes_held(of_steps), judge_steps<T>, call, verdicts, of_steps, target_aligned, draft_aligned,
                heard, planted());
  const Spread of_rows = spread_of(call.rows, call.tokens);
  launch_spread("sampling.speculative_verify: launch of the draws", stream, call.rows, of_rows, 0,
                finish_rows<T>, call, static_cast<const StepVerdict*>(verdicts), of_rows, target_aligned,
                draft_aligned, heard, planted());
}

}  // namespace

void speculative_verify_cuda(CUstream_st* stream, const SpeculativeCall& call, StepVerdict* verdicts,
                             std::uint32_t* status) {
  if (call.dtype == DType::f32) launch<float>(stream, call, verdicts, status);
  if (call.dtype == DType::f16) launch<__half>(stream, call, verdicts, status);
  if (call.dtype == DType::bf16) launch<__nv_bfloat16>(stream, call, verdicts, status);
}

}  // namespace assay::kernels::sampling
