// sampling.argmax on CUDA: every logit is read once, by the blocks of a cluster. What is compared is one word
// a token, its key above the complement of its id, so that the greatest word is the first maximum.
#include <cooperative_groups.h>

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/spread.cuh"
#include "kernels/sampling/argmax.hpp"

namespace assay::kernels::sampling {

namespace {

using namespace filters;

// Planted faults, handed to the kernel by value; constants in the usual build.
struct ArgmaxFaults {
#ifdef ASSAY_MUTANTS
  bool last_maximum, minus_infinity_taken, lost_block, unhandled_tail;
#else
  static constexpr bool last_maximum = false, minus_infinity_taken = false, lost_block = false,
                        unhandled_tail = false;
#endif
};

ArgmaxFaults planted() {
#ifdef ASSAY_MUTANTS
  return {mutant("sampling.argmax.cuda_last_maximum"), mutant("sampling.argmax.cuda_minus_infinity_taken"),
          mutant("sampling.argmax.cuda_lost_block"), mutant("sampling.argmax.cuda_unhandled_tail")};
#else
  return {};
#endif
}

template <typename T>
__global__ void __launch_bounds__(block_threads)
    argmax_of_rows(const __grid_constant__ ArgmaxCall call, Spread spread, bool aligned,
                   ArgmaxFaults faults) {
  __shared__ Exchange exchange;
  const int rank = static_cast<int>(blockIdx.x) % spread.blocks;
  const std::int64_t row = static_cast<int>(blockIdx.x) / spread.blocks;
  Peers peers(exchange, spread.blocks, rank);
  Source<T> source = source_of<T>(call.in, row, aligned);
  if (faults.unhandled_tail) source.tokens = source.tokens / 4 * 4;
  const int first = (rank * block_warps + peers.warp()) * spread.segment;
  Word most = 0;
  if (!faults.lost_block || rank == 0 || rank + 1 < spread.blocks)
    read_segment(source, first, spread.segment, [&](int id, const float(&four)[4]) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const bool counts = four[i] > rows::minus_infinity() ||
                            (faults.minus_infinity_taken && four[i] == rows::minus_infinity());
        const auto place = static_cast<unsigned>(id + i);
        const Word word = Word{key_of(four[i])} << 32 | (faults.last_maximum ? place : ~place);
        if (counts && word > most) most = word;
      }
    });
  peers.sync();  // nobody's shared memory is written to before that block runs
  most = peers.join(most, Greatest(), 0);
  if (rank != 0 || threadIdx.x != 0) return;
  const auto place = static_cast<unsigned>(most);
  call.token[row] = most == 0 ? -1 : static_cast<std::int32_t>(faults.last_maximum ? place : ~place);
  call.logit[row] = most == 0 ? rows::minus_infinity() : logit_of(static_cast<std::uint32_t>(most >> 32));
}

template <typename T>
void launch(CUstream_st* stream, const ArgmaxCall& call) {
  const Spread spread = spread_of(call.in.rows, call.in.tokens);
  launch_spread("sampling.argmax: launch", stream, call.in.rows, spread, 0, argmax_of_rows<T>, call, spread,
                reads_by_four<T>(call.in.data, call.in.row_stride), planted());
}

}  // namespace

void argmax_cuda(CUstream_st* stream, const ArgmaxCall& given) {
  ArgmaxCall call = given;
  if (mutant("sampling.argmax.cuda_mask_ignored")) call.in.mask = nullptr;
  if (mutant("sampling.argmax.cuda_ignored_row_stride")) call.in.row_stride = call.in.tokens;
  if (call.in.dtype == DType::f32) launch<float>(stream, call);
  if (call.in.dtype == DType::f16) launch<__half>(stream, call);
  if (call.in.dtype == DType::bf16) launch<__nv_bfloat16>(stream, call);
}

}  // namespace assay::kernels::sampling
