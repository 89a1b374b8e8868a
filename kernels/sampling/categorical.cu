// sampling.categorical on CUDA: a row lives in the shared memory of a cluster's blocks, each warp a segment
// of neighbours. The sums of the segments say which warp a draw's point falls to; that warp walks its segment
// for it. Every warp looks at every draw, 32 at a time: nothing is handed around.
#include <cooperative_groups.h>

#include "engine/runtime/mutant.hpp"
#include "kernels/distribution/draw.hpp"
#include "kernels/filters/spread.cuh"
#include "kernels/sampling/categorical.hpp"

namespace assay::kernels::sampling {

namespace {

using namespace filters;

// Planted faults, handed to the kernel by value; constants in the usual build.
struct CategoricalFaults {
#ifdef ASSAY_MUTANTS
  bool counter_reused, row_in_the_seed, draw_shifted, log_prob_of_maximum, lost_sum_of_lanes, last_draws_lost;
#else
  static constexpr bool counter_reused = false, row_in_the_seed = false, draw_shifted = false,
                        log_prob_of_maximum = false, lost_sum_of_lanes = false, last_draws_lost = false;
#endif
};

CategoricalFaults planted() {
#ifdef ASSAY_MUTANTS
  return {mutant("sampling.categorical.cuda_counter_reused"),
          mutant("sampling.categorical.cuda_row_in_the_seed"),
          mutant("sampling.categorical.cuda_draw_shifted"),
          mutant("sampling.categorical.cuda_log_prob_of_maximum"),
          mutant("sampling.categorical.cuda_lost_sum_of_lanes"),
          mutant("sampling.categorical.cuda_last_draws_lost")};
#else
  return {};
#endif
}

/// The weights of four neighbours, dropped ones none; returns their sum.
__device__ Word weigh_four(Word (&weight)[4], const float (&four)[4], float maximum) {
  Word sum = 0;
#pragma unroll
  for (int i = 0; i < 4; ++i)
    sum += weight[i] = is_left(four[i]) ? distribution::weight_of(maximum, four[i]) : 0;
  return sum;
}

template <typename T>
__global__ void __launch_bounds__(block_threads, 1)
    draw_of_rows(const __grid_constant__ CategoricalCall call, Spread spread, bool aligned,
                 CategoricalFaults faults) {
  extern __shared__ float4 part_memory[];
  __shared__ Exchange exchange;
  const int rank = static_cast<int>(blockIdx.x) % spread.blocks;
  const std::int64_t row = static_cast<int>(blockIdx.x) / spread.blocks;
  Peers peers(exchange, spread.blocks, rank);
  const Part part{reinterpret_cast<float*>(part_memory), spread.segment, rank * spread.segment * block_warps};
  const Word held = load(part, peers, source_of<T>(call.in, row, aligned), Faults{});
  peers.sync();  // nobody's shared memory is written to before that block runs
  const float maximum = state_of(peers.join(held, CountAndMaximum(), 0)).maximum;
  Word mine = 0;
  part.walk([&](int, const float(&four)[4]) {
    Word weight[4];
    mine += weigh_four(weight, four, maximum);
  });
  mine = join_warp(mine, Sum());  // of the segment
  const Prefix prefix = peers.prefix(mine);

  std::int32_t* const token = call.token + row * call.draws;
  float* const log_prob = call.log_prob + row * call.draws;
  if (prefix.total == 0) {
    for (std::int64_t draw = threadIdx.x; rank == 0 && draw < call.draws; draw += block_threads) {
      token[draw] = -1;
      log_prob[draw] = rows::minus_infinity();
    }
    return;
  }
  auto seed = static_cast<std::uint64_t>(call.seed[row]);
  if (faults.row_in_the_seed) seed += static_cast<std::uint64_t>(row);
  const auto position = static_cast<std::uint64_t>(call.position[row]);
  for (std::int64_t first = 0; first < call.draws; first += 32) {
    if (faults.last_draws_lost && first > 0 && first + 32 > call.draws) break;
    const std::int64_t own = first + peers.lane();
    const std::uint64_t counter = position + (faults.counter_reused ? 0 : static_cast<std::uint64_t>(own));
    const Word point = distribution::point_in(distribution::draw_bits(seed, counter), prefix.total);
    const bool falls = own < call.draws && prefix.before <= point && point < prefix.before + mine;
    for (unsigned left = __ballot_sync(0xFFFFFFFFu, falls); left != 0; left &= left - 1) {
      const int lane = __ffs(static_cast<int>(left)) - 1;
      const std::int64_t draw = first + lane;
      const Word wanted = __shfl_sync(0xFFFFFFFFu, point, lane);
      Word before = prefix.before;
      part.walk([&](int at, const float(&four)[4]) {
        Word weight[4];
        const Word sum = weigh_four(weight, four, maximum);
        Word start = before + (faults.lost_sum_of_lanes ? 0 : sum_before(sum));
        before = __shfl_sync(0xFFFFFFFFu, start + sum, 31);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          if (start <= wanted && wanted < start + weight[i]) {
            token[draw] = part.first + at + i + (faults.draw_shifted ? 1 : 0);
            const float drawn = faults.log_prob_of_maximum ? maximum : four[i];
            log_prob[draw] =
                distribution::log_prob_of(distribution::distance_below(maximum, drawn), prefix.total);
          }
          start += weight[i];
        }
      });
    }
  }
}

template <typename T>
void launch(CUstream_st* stream, const CategoricalCall& call) {
  const Spread spread = spread_of(call.in.rows, call.in.tokens);
  launch_spread("sampling.categorical: launch", stream, call.in.rows, spread, bytes_held(spread),
                draw_of_rows<T>, call, spread, reads_by_four<T>(call.in.data, call.in.row_stride), planted());
}

}  // namespace

void categorical_cuda(CUstream_st* stream, const CategoricalCall& given) {
  CategoricalCall call = given;
  if (mutant("sampling.categorical.cuda_mask_ignored")) call.in.mask = nullptr;
  if (call.in.dtype == DType::f32) launch<float>(stream, call);
  if (call.in.dtype == DType::f16) launch<__half>(stream, call);
  if (call.in.dtype == DType::bf16) launch<__nv_bfloat16>(stream, call);
}

}  // namespace assay::kernels::sampling
