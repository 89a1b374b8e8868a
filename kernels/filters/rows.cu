// The steps of a sampling chain on CUDA, and the draw. A row lives in shared memory, spread over the blocks
// of a cluster (1 to 8) by rising id; the logits are read once. Filters that leave few tokens hand them to
// the first block as a list, and the others leave. Sums of probabilities are of integers
// (kernels/distribution), so that blocks, warps and lanes add in whatever order.
//
//   tokens of a row      blocks
//   up to 16,384         1; more where there are too few rows to fill the device
//   up to 300,000        2, 4, 8
//
// Of longer rows those whose first filter leaves the head of the order are streamed by another kernel before
// (head.cu).
//
// Without clusters one block holds what its shared memory has room for.
#include <cooperative_groups.h>

#include <algorithm>

#include "kernels/filters/finish.cuh"
#include "kernels/filters/head_cuda.hpp"
#include "kernels/filters/spread.cuh"
#include "kernels/filters/wide.cuh"

namespace assay::kernels::filters {

namespace {

__device__ Way apply(Wide& wide, Step step, const RowParameters& one) {
  switch (step) {
    case Step::penalties:
      wide.penalties(one);
      break;
    case Step::bias:
      wide.bias(one);
      break;
    case Step::temperature:
      wide.temperature(one.temperature);
      break;
    case Step::top_k:
      return wide.top_k(one.top_k);
    case Step::top_p:
      return wide.top_p(one.top_p, one.min_keep);
    case Step::min_p:
      return wide.min_p(one);
    case Step::typical:
      return wide.typical(one.typical, one.min_keep);
  }
  return Way::wide;
}

__device__ void finish_wide(const RowsCall& call, std::int64_t row, const RowParameters& one, Wide& wide,
                            const Part& part, Peers& peers, Faults faults) {
  if (call.kept != nullptr && peers.rank() == 0 && threadIdx.x == 0) call.kept[row] = wide.state().count;
  if (call.seed != nullptr) wide.draw(one.random, call.token + row, call.log_prob + row);
  const Survivors survivors(call, row);
  if (!survivors.wanted()) return;
  const float maximum = wide.state().maximum;
  const Word total = call.probabilities == nullptr ? 0 : total_of(part, peers, maximum, faults);
  survivors.write(part, maximum, total, faults);
}

/// One row, by its cluster.
template <typename T>
__device__ void run_row(const RowsCall& call, std::int64_t row, Peers& peers, const Part& part, Room& room,
                        const RowParameters& one, bool aligned, Faults faults) {
  const auto tokens = static_cast<int>(call.in.tokens);
  if (!are_legal(one, tokens, call.status)) return;  // all blocks of the row alike
  const bool divided = call.steps.count > 0 && call.steps.list[0] == Step::temperature && one.temperature > 0;
  const Source<T> source{reinterpret_cast<const T*>(call.in.data) + row * call.in.row_stride,
                         call.in.mask == nullptr ? nullptr : call.in.mask + row * call.in.words(), tokens,
                         aligned, divided ? one.temperature : 0.0f};
  Wide wide(part, peers, room, faults);
  wide.loaded(state_of(peers.join(load(part, peers, source, faults), CountAndMaximum(), 0)));

  int step = divided ? 1 : 0;
  Way way = Way::wide;
  while (way == Way::wide && step < call.steps.count && wide.state().count > most_few) {
    way = apply(wide, call.steps.list[step], one);
    if (way != Way::listed) ++step;
  }
  if (way == Way::wide && wide.state().count > most_few)
    return finish_wide(call, row, one, wide, part, peers, faults);
  if (way == Way::wide) wide.list_all();
  const Survivors survivors(call, row);
  if (survivors.wanted()) {
    survivors.clear(part.first, part.first + part.segment * block_warps);
    peers.sync();
  }
  if (peers.rank() != 0) return;
  Few few(room.list, wide.listed(), part.values, peers.alone(), faults);
  if (way != Way::cut_list) few.sort();
  finish_few(call, row, few, step, one, faults);
}

/// All rows, or those that the heads' kernel has left.
template <typename T>
__global__ void __launch_bounds__(block_threads, 2)
    run_rows(const __grid_constant__ RowsCall call, Spread spread, bool aligned, Faults faults) {
  extern __shared__ float4 part_memory[];
  __shared__ Room room;
  __shared__ RowParameters one;
  const int rank = static_cast<int>(blockIdx.x) % spread.blocks;
  const auto at_once = static_cast<std::int64_t>(gridDim.x) / spread.blocks;
  Peers peers(room.exchange, spread.blocks, rank);
  const Part part{reinterpret_cast<float*>(part_memory), spread.segment, rank * spread.segment * block_warps};
  let_next_kernel_start();
  wait_for_previous_kernel();
  peers.sync();  // nobody's shared memory is written to before that block runs
  for (std::int64_t row = static_cast<int>(blockIdx.x) / spread.blocks; row < call.in.rows; row += at_once) {
    if (call.pending != nullptr && call.pending[row] == 0) continue;
    if (threadIdx.x == 0) set_parameters(one, call.parameters, row);
    if (threadIdx.x == 32) set_logarithm(one, call.parameters, row);
    if (threadIdx.x == 64 && call.seed != nullptr) one.random = random_of(call, row, faults);
    __syncthreads();
    run_row<T>(call, row, peers, part, room, one, aligned, faults);
    if (row + at_once < call.in.rows) peers.sync();
  }
}

template <typename T>
void run(CUstream_st* stream, const RowsCall& call) {
  const bool after_heads = call.pending != nullptr;
  if (after_heads) run_heads_cuda<T>(stream, call);
  // Rows that the heads' kernel has left are few: as many at once as a device holds.
  constexpr std::int64_t left_at_once = 16;
  const std::int64_t at_once = after_heads ? std::min(call.in.rows, left_at_once) : call.in.rows;
  const Spread spread = spread_of(at_once, call.in.tokens);
  launch_spread("sampling on CUDA: launch", stream, at_once, spread,
                LaunchOptions(bytes_of_part(spread.segment), after_heads), run_rows<T>, call, spread,
                reads_by_four<T>(call.in.data, call.in.row_stride), selected_faults());
}

}  // namespace

std::int64_t pending_words(const LogitRows& in) {
  return in.tokens > least_head ? in.rows : 0;
}

void run_rows_cuda(CUstream_st* stream, const RowsCall& call) {
  if (call.in.dtype == DType::f32) run<float>(stream, call);
  if (call.in.dtype == DType::f16) run<__half>(stream, call);
  if (call.in.dtype == DType::bf16) run<__nv_bfloat16>(stream, call);
}

}  // namespace assay::kernels::filters
