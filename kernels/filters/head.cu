// The first of two kernels on long rows: rows whose first filter leaves the head of the order. Each is
// streamed once, by one block or a cluster where there are few; what reaches a bound is listed, and the lists
// are filtered and drawn from. `pending` says of each row whether that was enough; the second kernel
// (rows.cu) takes those where it was not.
//
// The bound comes from what is read first (bound.cuh). What is decided never rests on it: the lists hold all
// tokens of at least that logit, so a cut at a greater one is the row's. top_p needs the mass of the others
// too: it is known to 2^-28 from a rough exponential, and where a cut depends on more than that the row is
// read again and its exact weights are added up.
#include "kernels/filters/bound.cuh"
#include "kernels/filters/head_cuda.hpp"
#include "kernels/filters/judge.cuh"
#include "kernels/filters/small.cuh"
#include "kernels/filters/spread.cuh"
#include "kernels/filters/stream.cuh"

namespace assay::kernels::filters {

namespace {

/// Shared memory of a block.
struct Head {
  Room room;
  Exchange exchange_alone;  ///< that of the room is the cluster's
  Word entries[most_listed];
  std::uint32_t listed;
  std::uint32_t gathered;                   ///< in the first block
  Word ends[2][most_blocks * block_warps];  ///< of every warp of the row: lists_of
  RowParameters one;                        ///< here and not in the registers that the stream needs
  Plan plan;
};

static_assert(sizeof(Head) <= (228 - 2) * 1024 / 2,
              "two blocks on a multiprocessor of compute capability 9.0");

/// Tokens that the lists of so many blocks should hold: some less than they have room for, since guesses err
/// and blocks do not share a row's greatest tokens evenly.
__device__ inline float room_of_lists(int blocks) {
  return static_cast<float>(most_listed) * (blocks == 1 ? 0.85f : 0.7f * static_cast<float>(blocks));
}

/// The exact weights of all tokens of the slice, under the row's maximum.
template <typename T>
__device__ __noinline__ Word exact_mass(HeadSource<T> source, Slice slice, float temperature, float maximum,
                                        Faults faults) {
  constexpr int at_once = 4;
  Word sum = 0;
#pragma unroll 1
  for (int quad = slice.begin + static_cast<int>(threadIdx.x); quad < slice.end;
       quad += at_once * block_threads) {
    float fours[at_once][4];
    source.read_all(fours, quad, block_threads, slice.end);
#pragma unroll
    for (int k = 0; k < at_once; ++k)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        sum += weight_under(maximum,
                            distribution::with_temperature(distribution::canonical(fours[k][i]), temperature),
                            faults);
  }
  return sum;
}

/// A raw entry as the filters know it.
__device__ inline Word entry_after(Word raw, float temperature) {
  const float logit = __int_as_float(static_cast<int>(raw >> 32));
  return entry_of(distribution::with_temperature(distribution::canonical(logit), temperature), id_in(raw));
}

/// What the blocks of a row have listed: how much, the greatest key, and what the other tokens weigh, in
/// units of 2^reference.
struct Lists {
  int before, total;  ///< more than all can hold where one was too short
  std::uint32_t most;
  double below;
};
constexpr std::uint32_t too_many = 1u << 20;

/// `own` is the block's, the rest each thread's. The sum is in the same order in all blocks.
__device__ __noinline__ Lists lists_of(Head& head, Peers peers, std::uint32_t own, std::uint32_t most,
                                       double below) {
  const Word mass = join_warp(static_cast<Word>(__double_as_longlong(below)), SumOfDoubles());
  most = __reduce_max_sync(0xFFFFFFFFu, most);
  const int lane = peers.lane(), slot = peers.rank() * block_warps + peers.warp();
  if (lane < peers.blocks()) {
    peers.at(head.ends[0], lane)[slot] = Word{peers.warp() == 0 ? own : 0} << 32 | most;
    peers.at(head.ends[1], lane)[slot] = mass;
  }
  peers.sync();
  std::uint32_t held = 0, before = 0;
  double sum = 0;
  most = 0;
#pragma unroll 1
  for (int i = lane; i < peers.blocks() * block_warps; i += 32) {
    const Word end = head.ends[0][i];
    const auto here = static_cast<std::uint32_t>(end >> 32);
    held += here;
    before += i < peers.rank() * block_warps ? here : 0;
    most = max(most, static_cast<std::uint32_t>(end));
    sum += __longlong_as_double(static_cast<long long>(head.ends[1][i]));
  }
  const Word all = join_warp(static_cast<Word>(__double_as_longlong(sum)), SumOfDoubles());
  return {static_cast<int>(__reduce_add_sync(0xFFFFFFFFu, before)),
          static_cast<int>(__reduce_add_sync(0xFFFFFFFFu, held)), __reduce_max_sync(0xFFFFFFFFu, most),
          __longlong_as_double(static_cast<long long>(all))};
}

/// Turns what was read into entries as the filters know them. Returns the greatest key of this thread's.
__device__ __noinline__ std::uint32_t convert(Word* raw, int count, Scale scale) {
  constexpr int at_once = 4;
  Word* const entries = in_shared(raw);
  std::uint32_t most = 0;
#pragma unroll 1
  for (int first = static_cast<int>(threadIdx.x); first < count; first += at_once * block_threads) {
    Word held[at_once];
#pragma unroll
    for (int k = 0; k < at_once; ++k) {
      const int i = first + k * block_threads;
      held[k] = i < count ? entries[i] : 0;
    }
#pragma unroll
    for (int k = 0; k < at_once; ++k) {
      const int i = first + k * block_threads;
      const float logit = distribution::canonical(__int_as_float(static_cast<int>(held[k] >> 32)));
      float divided = scale.divided(logit);
      if (!(fabsf(logit) > 1e-20f && fabsf(logit) < 1e20f))  // a product may underflow, or not be finite
        divided = distribution::with_temperature(logit, scale.temperature);
      if (i >= count) break;
      const std::uint32_t key = key_of(divided);
      entries[i] = Word{~key} << 32 | static_cast<std::uint32_t>(held[k]);
      most = max(most, key);
    }
  }
  return most;
}

/// One block's view of the lists of one row. All threads of all its blocks call every member; what becomes of
/// the row is the first block's word, and `undecided` is everybody's.
struct HeadOfRow {
  const RowsCall& call;
  std::int64_t row;
  Head& head;
  Peers peers;  ///< all blocks of the row
  Peers alone;
  Step filter;
  std::uint32_t bound_key;
  float maximum;
  Ids ids;
  Rest rest;
  Faults faults;

  __device__ int first_step() const { return head.plan.filter; }
  __device__ bool is_first() const { return peers.rank() == 0; }

  /// What all lists hold, `own` of them this block's.
  __device__ __forceinline__ Verdict decide(const Lists& lists, int own) const {
    return lists.total <= most_few ? decide_short(*this, lists, own) : filter_long(lists.total, own);
  }
  /// Where that was undecided: the row's exact mass is known now.
  __device__ __noinline__ static Verdict decide_again(HeadOfRow row, int total, int own, Word exact) {
    row.rest.exact = exact;
    row.rest.counted = true;
    return total <= most_few ? row.filter_short(total) : row.filter_long(total, own);
  }

 private:
  /// Where all lists together are short the first block goes on with them.
  __device__ __noinline__ static Verdict decide_short(HeadOfRow row, Lists lists, int own) {
    if (!row.is_first()) {
      Word* const to = row.peers.at(row.head.entries, 0) + lists.before;
      for (int i = static_cast<int>(threadIdx.x); i < own; i += block_threads) to[i] = row.head.entries[i];
    }
    row.peers.sync();
    if (row.is_first()) {
      Few few(row.head.entries, lists.total, row.head.entries + most_few, row.alone, row.faults);
      few.sort();
    }
    return row.filter_short(lists.total);
  }

  /// Of a sorted list.
  __device__ Verdict filter_short(int count) const {
    Few few(head.entries, count, head.entries + most_few, alone, faults);
    Verdict verdict = left_to_next;
    if (is_first()) verdict = filter_few(few, filter, head.one, bound_key, rest, faults);
    if (filter == Step::top_p) {
      // The others have to know whether they are needed once more.
      const auto block = static_cast<int>(threadIdx.x);
      if (is_first() && block < peers.blocks()) *peers.at(&head.room.verdict, block) = verdict;
      peers.sync();
      verdict = static_cast<Verdict>(head.room.verdict);
    }
    if (is_first() && verdict == decided) finish_few(call, row, few, first_step() + 1, head.one, faults);
    return verdict;
  }

  /// Where they are longer, all blocks go on with their own.
  __device__ __forceinline__ Verdict filter_long(int count, int own) const {
    Listed listed(head.entries, own, count, maximum, bound_key, ids, head.room, peers, alone, faults);
    if (filter == Step::top_p) {
      const Verdict verdict = filter_list(listed, head.one, bound_key, rest, faults);
      if (verdict != decided) return verdict;
    } else {
      const Outcome outcome = filter_otherwise(listed, filter, head.one, bound_key, faults);
      if (outcome.verdict != decided) return outcome.verdict;
      listed.take(outcome.listed);
    }
    return finish_list(call, row, listed, head.entries, first_step() + 1, head.one, is_first(), alone, faults)
               ? decided
               : left_to_next;
  }
};

/// Of a small top_k's sorted list: whether the first k are the row's.
__device__ inline bool is_decided(const Word* entries, int k, std::uint32_t bound_key) {
  return isfinite(logit_in(entries[0])) && key_of(logit_in(entries[k - 1])) > bound_key;
}

/// Where so many logits are alike that they are not ranked.
__device__ __noinline__ bool finish_alike(const RowsCall& call, std::int64_t row, Head& head, Word* list,
                                          int count, std::uint32_t bound_key, Peers alone, Faults faults) {
  if (count > most_few) return false;
  Few few(list, count, list + most_few, alone, faults);
  few.sort();
  if (!is_decided(list, static_cast<int>(head.one.top_k), bound_key)) return false;
  finish_few(call, row, few, head.plan.filter, head.one, faults);
  return true;
}

/// A row whose first filter is a small top_k, from its first round on. Whether it is done; the first block's
/// word counts.
template <typename T>
__device__ __forceinline__ bool finish_as_small(const RowsCall& call, std::int64_t row,
                                                const HeadSource<T>& source, const Slice& slice,
                                                float (&even)[4][4], float (&odd)[4][4], Head& head,
                                                Peers& peers, Peers& alone, Faults faults) {
  const auto thread = static_cast<int>(threadIdx.x);
  const auto k = static_cast<int>(head.one.top_k) + (faults(Fault::top_k_one_more) ? 1 : 0);
  const float t = head.plan.temperature;
  const float most = fmaxf(greatest_of(even), greatest_of(odd));
  slice.prefetch(source, 2);
  slice.prefetch(source, 3);
  const float bound = bound_of_groups(most, k, peers, head.room);
  if (!isfinite(bound)) return false;
  stream_few(source, slice, even, odd, bound, RawList{in_shared(head.entries), in_shared(&head.listed)});
  __syncthreads();
  Word* list = head.entries;
  std::uint32_t listed = head.listed;
  if (peers.blocks() > 1) {
    list += most_listed / 2;
    if (thread < 32) {
      // A list that is too long counts as more than can be gathered.
      const std::uint32_t own = listed <= most_gathered ? listed : 2 * most_gathered;
      std::uint32_t to = 0;
      if (thread == 0) to = atomicAdd(peers.at(&head.gathered, 0), own);
      to = __shfl_sync(0xFFFFFFFFu, to, 0);
      Word* const gathered = peers.at(list, 0);
#pragma unroll 1
      for (std::uint32_t i = threadIdx.x; i < own && to + i < most_gathered; i += 32)
        gathered[to + i] = head.entries[i];
    }
    peers.sync();
    if (peers.rank() != 0) return false;
    listed = head.gathered;
  }
  auto count = static_cast<int>(listed);
  if (listed > most_gathered || count < k) return false;
#pragma unroll 1
  for (int i = thread; i < count; i += block_threads) list[i] = entry_after(list[i], t);
  __syncthreads();
  const std::uint32_t bound_key = key_of(distribution::with_temperature(bound, t));
  const SmallList ranked{list};
  if (count > most_ranked) count = drop_most(list, count, k, head.room);
  if (count > most_ranked) return finish_alike(call, row, head, list, count, bound_key, alone, faults);
  sort_ranked(ranked, count);
  const bool good = is_decided(list, k, bound_key);
  if (good && thread < 32) finish_small(call, row, ranked, count, head.plan.filter, head.one, faults);
  return good;
}

/// Any other row of which a filter leaves the head. Whether it is done; the first block's word counts.
template <typename T>
__device__ __forceinline__ bool finish_as_lists(const RowsCall& call, std::int64_t row,
                                                const HeadSource<T>& source, const Slice& slice,
                                                FirstLook first, Head& head, Peers& peers, Peers& alone,
                                                Faults faults) {
  const int tokens = source.tokens;
  const Step filter = call.steps.list[head.plan.filter];
  const float t = head.plan.temperature;
  const float top = distribution::with_temperature(first.most, t);
  const bool useful = isfinite(first.bound) && (filter == Step::top_k || fabsf(top) <= 1e5f);
  const RawList raw{head.entries, &head.listed};
  const Scale scale = Scale::of(t, top);
  double below = 0;
  if (useful && filter == Step::top_p) below = stream_many(source, slice, first.bound, scale, raw);
  if (useful && filter != Step::top_p) stream_few_again(source, slice, first.bound, raw);
  __syncthreads();
  std::uint32_t own = head.listed, most = 0;
  if (own > most_listed || !useful)
    own = too_many;
  else
    most = convert(head.entries, static_cast<int>(own), scale);
  const Lists lists = lists_of(head, peers, own, most, below);
  if (lists.total >= static_cast<int>(too_many) || lists.total == 0) return false;
  const float maximum = logit_of(lists.most);
  if (!isfinite(maximum)) return false;
  const HeadOfRow this_row{call,
                           row,
                           head,
                           peers,
                           alone,
                           filter,
                           key_of(distribution::with_temperature(first.bound, t)),
                           maximum,
                           {4 * slice.begin, min(4 * slice.end, tokens)},
                           {lists.below, scale.reference, tokens, false, 0},
                           faults};
  Verdict verdict = this_row.decide(lists, static_cast<int>(own));
  if (verdict == undecided) {
    const Word exact = peers.join(exact_mass(source, slice, t, maximum, faults), Sum(), 0);
    verdict = HeadOfRow::decide_again(this_row, lists.total, static_cast<int>(own), exact);
  }
  return verdict == decided;
}

/// `Resident` blocks on a multiprocessor.
template <typename T, int Resident>
__global__ void __launch_bounds__(block_threads, Resident)
    run_heads(const __grid_constant__ RowsCall call, int blocks, bool aligned, Faults faults) {
  extern __shared__ float4 memory[];
  Head& head = *reinterpret_cast<Head*>(memory);
  let_next_kernel_start();
  wait_for_previous_kernel();
  const int rank = static_cast<int>(blockIdx.x) & (blocks - 1);  // a power of two
  const std::int64_t row = static_cast<int>(blockIdx.x) >> (__ffs(blocks) - 1);
  const int thread = static_cast<int>(threadIdx.x);
  const auto tokens = static_cast<int>(call.in.tokens);
  Peers peers(head.room.exchange, blocks, rank);
  Peers alone(head.exchange_alone, 1, 0);
  peers.arrive();
  const HeadSource<T> source{reinterpret_cast<const T*>(call.in.data) + row * call.in.row_stride,
                             call.in.mask == nullptr ? nullptr : call.in.mask + row * call.in.words(), tokens,
                             aligned};
  const Slice slice = Slice::of(source.quads(), blocks, rank);
  // Logits and parameters are on their way together, the parameters by three warps. More of the row is sent
  // for while the bound is found.
  float even[4][4], odd[4][4];
  slice.read(even, source, 0);
  slice.read(odd, source, 0, 4);
  slice.prefetch(source, 1);
  if (thread == 0) {
    set_parameters(head.one, call.parameters, row);
    head.plan = plan_of(call.steps, head.one, tokens, blocks);
    head.plan.small = head.plan.filter >= 0 && is_small(call.steps, head.plan.filter, head.one);
    head.listed = 0;
    head.gathered = 0;
  }
  if (thread == 32) set_logarithm(head.one, call.parameters, row);
  if (thread == 64 && call.seed != nullptr) head.one.random = random_of(call, row, faults);
  const Survivors survivors(call, row);
  if (survivors.wanted()) survivors.clear(4 * slice.begin, 4 * slice.end);
  __syncthreads();
  const bool legal = are_legal(head.one, tokens, call.status);
  peers.wait();  // nobody's shared memory is written to before that block runs
  bool pending = legal;
  if (legal && head.plan.small) {  // all blocks of the row alike
    pending = !finish_as_small(call, row, source, slice, even, odd, head, peers, alone, faults);
  } else if (legal && head.plan.filter >= 0) {
    const Step filter = call.steps.list[head.plan.filter];
    const float t = head.plan.temperature;
    slice.prefetch(source, 2);
    const FirstLook first = filter == Step::top_p
                                ? look_for_mass(even, odd, tokens, t, head.one.top_p, room_of_lists(blocks),
                                                peers, head.room, faults)
                                : look_for_few(source, slice, filter, t, head.one, peers, head.room);
    pending = !finish_as_lists(call, row, source, slice, first, head, peers, alone, faults);
  }
  if (rank == 0 && thread == 0) call.pending[row] = pending ? 1 : 0;
}

}  // namespace

template <typename T>
void run_heads_cuda(CUstream_st* stream, const RowsCall& call) {
  // Whoever wants survivors wants many of them, perhaps: more than one block's list holds.
  const bool many = call.left != nullptr || call.left_logits != nullptr || call.probabilities != nullptr;
  // Two blocks share a multiprocessor's registers, and what these do not hold goes to memory, past nearly no
  // cache beside the lists. That pays where rows are many; few rows wait for it and for nothing else.
  const bool few = 4 * call.in.rows < CurrentDevice().multiprocessors;
  const Spread spread = spread_of_stream(call.in.rows, call.in.tokens, few ? 1 : 2, many ? 2 : 1);
  launch_spread("sampling on CUDA: launch", stream, call.in.rows, spread, LaunchOptions(sizeof(Head), true),
                few ? run_heads<T, 1> : run_heads<T, 2>, call, spread.blocks,
                reads_by_four<T>(call.in.data, call.in.row_stride), selected_faults());
}

template void run_heads_cuda<float>(CUstream_st*, const RowsCall&);
#ifndef ONLY_F32
template void run_heads_cuda<__half>(CUstream_st*, const RowsCall&);
template void run_heads_cuda<__nv_bfloat16>(CUstream_st*, const RowsCall&);
#endif

}  // namespace assay::kernels::filters
