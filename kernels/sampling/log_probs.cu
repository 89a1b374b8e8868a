// sampling.log_probs on CUDA: a row lives in the shared memory of a cluster's blocks, read once. Where the
// order is cut for n tokens is found by counting keys (find_cut.cuh), from a range that begins, for small n,
// at the n-th greatest of the warps' own maxima; the n are sent to the first block, which sorts them.
#include <cooperative_groups.h>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/status_word.hpp"
#include "kernels/distribution/draw.hpp"
#include "kernels/filters/few.cuh"
#include "kernels/filters/find_cut.cuh"
#include "kernels/filters/spread.cuh"
#include "kernels/sampling/log_probs.hpp"

namespace assay::kernels::sampling {

namespace {

using namespace filters;

// Planted faults, handed to the kernel by value; constants in the usual build.
struct LogProbsFaults {
#ifdef ASSAY_MUTANTS
  bool one_less, ties_by_warp, not_sorted, rank_without_ties, rank_from_one, not_normalised, forbidden_ranked,
      id_unchecked;
#else
  static constexpr bool one_less = false, ties_by_warp = false, not_sorted = false, rank_without_ties = false,
                        rank_from_one = false, not_normalised = false, forbidden_ranked = false,
                        id_unchecked = false;
#endif
};

LogProbsFaults planted() {
#ifdef ASSAY_MUTANTS
  return {
      mutant("sampling.log_probs.cuda_one_less"),         mutant("sampling.log_probs.cuda_ties_by_warp"),
      mutant("sampling.log_probs.cuda_not_sorted"),       mutant("sampling.log_probs.cuda_rank_without_ties"),
      mutant("sampling.log_probs.cuda_rank_from_one"),    mutant("sampling.log_probs.cuda_not_normalised"),
      mutant("sampling.log_probs.cuda_forbidden_ranked"), mutant("sampling.log_probs.cuda_id_unchecked")};
#else
  return {};
#endif
}

/// The row's probabilities.
struct Mass {
  float maximum;
  Word total;

  __device__ float log_prob(float logit) const {
    if (total == 0) return rows::minus_infinity();
    return distribution::log_prob_of(distribution::distance_below(maximum, logit), total);
  }
};

/// A key that n tokens or more reach: the n-th greatest of what the warps' maxima are; 1, which all reach,
/// where there are fewer warps. Precondition: the last exchange gave counts and maxima. Ends with a barrier.
__device__ std::uint32_t key_with(const Peers& peers, Room& room, int n) {
  const int warps = peers.blocks() * block_warps;
  if (n > warps) return 1;
  const Word* const slots = peers.last();
  const int thread = static_cast<int>(threadIdx.x);
  if (thread < warps) {
    const auto mine = static_cast<std::uint32_t>(slots[thread]);
    int rank = 0;
    for (int i = 0; i < warps; ++i) {
      const auto other = static_cast<std::uint32_t>(slots[i]);
      rank += other > mine || (other == mine && i < thread) ? 1 : 0;
    }
    if (rank == n - 1) room.bound = mine;
  }
  __syncthreads();
  return max(room.bound, 1u);
}

/// Sends every token of a greater key than the cut's to the first block, and of those of the same as many by
/// rising id as it needs, in any order. Ends with a barrier of the cluster.
__device__ void send(const Part& part, Peers& peers, Room& room, const CudaCut& cut, int* next,
                     bool by_warp) {
  Word tied = 0;
  part.walk([&](int, const float(&four)[4]) {
#pragma unroll
    for (int i = 0; i < 4; ++i) tied += is_left(four[i]) && key_of(four[i]) == cut.key ? 1 : 0;
  });
  if (threadIdx.x == 0) *next = 0;
  Word before = peers.prefix(join_warp(tied, Sum())).before;
  if (by_warp) before = 0;
  Word* const list = peers.at(room.list, 0);
  int* const place = peers.at(next, 0);
  part.walk([&](int at, const float(&four)[4]) {
    Word mine = 0;
#pragma unroll
    for (int i = 0; i < 4; ++i) mine += is_left(four[i]) && key_of(four[i]) == cut.key ? 1 : 0;
    Word rank = before;
    if (__any_sync(0xFFFFFFFFu, mine != 0)) {
      rank += sum_before(mine);
      before = __shfl_sync(0xFFFFFFFFu, rank + mine, 31);
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (!is_left(four[i])) continue;
      const Word key = key_of(four[i]);
      const bool equal = key == cut.key;
      if (key > cut.key || (equal && rank < cut.needed)) {
        const int to = atomicAdd(place, 1);
        if (to < most_few) list[to] = entry_of(four[i], part.first + at + i);
      }
      rank += equal ? 1 : 0;
    }
  });
  peers.sync();
}

/// Logarithm and rank of the chosen token. All blocks come here.
template <typename T>
__device__ void choose(const LogProbsCall& call, std::int64_t row, const Part& part, Peers& peers,
                       const Source<T>& source, const Mass& mass, LogProbsFaults faults) {
  const std::int32_t id = call.chosen[row];
  const bool allowed = id >= 0 && (source.mask == nullptr || faults.forbidden_ranked ||
                                   (source.mask[id / 32] >> (id % 32) & 1u));
  const float logit = allowed ? distribution::canonical(rows::widen(source.row[id])) : rows::minus_infinity();
  Word rank = 0;
  part.walk([&](int at, const float(&four)[4]) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (!is_left(four[i])) continue;
      const bool tied = four[i] == logit && part.first + at + i < id && !faults.rank_without_ties;
      rank += four[i] > logit || tied ? 1 : 0;
    }
  });
  rank = peers.join(rank, Sum(), 0);
  if (peers.rank() != 0 || threadIdx.x != 0) return;
  if (faults.rank_from_one) ++rank;
  call.chosen_rank[row] = allowed ? static_cast<std::int32_t>(rank) : -1;
  call.chosen_log_prob[row] = allowed ? mass.log_prob(logit) : rows::minus_infinity();
}

template <typename T>
__global__ void __launch_bounds__(block_threads, 2)
    log_probs_of_rows(const __grid_constant__ LogProbsCall call, Spread spread, bool aligned,
                      volatile std::uint32_t* status, LogProbsFaults faults) {
  extern __shared__ float4 part_memory[];
  __shared__ Room room;
  __shared__ int next;
  const int rank = static_cast<int>(blockIdx.x) % spread.blocks;
  const std::int64_t row = static_cast<int>(blockIdx.x) / spread.blocks;
  if (call.chosen != nullptr && call.chosen[row] >= call.in.tokens && !faults.id_unchecked) {
    if (threadIdx.x == 0) *status = static_cast<std::uint32_t>(DeviceStatus::value_out_of_range);
    return;  // all blocks of the row alike
  }
  Peers peers(room.exchange, spread.blocks, rank);
  const Part part{reinterpret_cast<float*>(part_memory), spread.segment, rank * spread.segment * block_warps};
  const Source<T> source = source_of<T>(call.in, row, aligned);
  const Word held = load(part, peers, source, Faults{});
  peers.sync();  // nobody's shared memory is written to before that block runs
  const RowState state = state_of(peers.join(held, CountAndMaximum(), 0));
  const auto n = static_cast<int>(call.n);
  const int listed = min(n - (faults.one_less && n > 1 ? 1 : 0), state.count);
  const std::uint32_t low = listed > 0 ? key_with(peers, room, listed) : 1;
  Mass mass{state.maximum, total_of(part, peers, state.maximum, Faults{})};
  if (faults.not_normalised && mass.total > 0) mass.total = Word{1} << distribution::weight_bits;
  if (call.chosen != nullptr) choose(call, row, part, peers, source, mass, faults);
  if (listed > 0) {
    const CudaCut cut = find_cut<1>(part, peers, room, low, key_of(state.maximum), static_cast<Word>(listed),
                                    LogitKey(), One(), Faults{});
    send(part, peers, room, cut, &next, faults.ties_by_warp);
  }
  if (rank != 0) return;
  Few few(room.list, listed, part.values, peers.alone(), Faults{});
  if (!faults.not_sorted) few.sort();
  __syncthreads();
  for (int place = static_cast<int>(threadIdx.x); place < n; place += block_threads) {
    const bool there = place < listed;
    call.ids[row * n + place] = there ? id_in(few.entry(place)) : -1;
    call.log_probs[row * n + place] =
        there ? mass.log_prob(logit_in(few.entry(place))) : rows::minus_infinity();
  }
}

template <typename T>
void launch(CUstream_st* stream, const LogProbsCall& call, std::uint32_t* status) {
  const Spread spread = spread_of(call.in.rows, call.in.tokens);
  launch_spread("sampling.log_probs: launch", stream, call.in.rows, spread, bytes_of_part(spread.segment),
                log_probs_of_rows<T>, call, spread, reads_by_four<T>(call.in.data, call.in.row_stride),
                static_cast<volatile std::uint32_t*>(status), planted());
}

}  // namespace

void log_probs_cuda(CUstream_st* stream, const LogProbsCall& given, std::uint32_t* status) {
  LogProbsCall call = given;
  if (mutant("sampling.log_probs.cuda_mask_ignored")) call.in.mask = nullptr;
  if (call.in.dtype == DType::f32) launch<float>(stream, call, status);
  if (call.in.dtype == DType::f16) launch<__half>(stream, call, status);
  if (call.in.dtype == DType::bf16) launch<__nv_bfloat16>(stream, call, status);
}

}  // namespace assay::kernels::sampling
