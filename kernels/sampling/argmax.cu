// sampling.argmax on CUDA: every logit is read once, by the blocks of a cluster. What is compared is one word
// a token, its key above the complement of its id, so that the greatest word is the first maximum.
#include <cooperative_groups.h>

#include "engine/runtime/mutant.hpp"
#include "kernels/filters/head.cuh"
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
__global__ void __launch_bounds__(block_threads, 2)
    argmax_of_rows(const __grid_constant__ ArgmaxCall call, int blocks, bool aligned, ArgmaxFaults faults) {
  __shared__ Exchange exchange;
  const int rank = static_cast<int>(blockIdx.x) % blocks;
  const std::int64_t row = static_cast<int>(blockIdx.x) / blocks;
  Peers peers(exchange, blocks, rank);
  peers.arrive();
  HeadSource<T> source{reinterpret_cast<const T*>(call.in.data) + row * call.in.row_stride,
                       call.in.mask == nullptr ? nullptr : call.in.mask + row * call.in.words(),
                       static_cast<int>(call.in.tokens), aligned};
  if (faults.unhandled_tail) source.tokens = source.tokens / 4 * 4;
  const Slice slice = Slice::of(source.quads(), blocks, rank);
  // Of this thread, which reads by rising id: the first of its greatest.
  float most = rows::minus_infinity();
  int id = -1;
  constexpr int at_once = quads_at_once * block_threads;
  if (!faults.lost_block || rank == 0 || rank + 1 < blocks)
    for (int begin = slice.begin; begin < slice.end; begin += at_once) {
      const int first = begin + static_cast<int>(threadIdx.x);
      float fours[quads_at_once][4];
      source.read_all(fours, first, block_threads, slice.end);
#pragma unroll
      for (int k = 0; k < quads_at_once; ++k)
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const int at = 4 * (first + k * block_threads) + i;
          const bool later = faults.last_maximum && fours[k][i] == most && id >= 0;
          const bool counts = faults.minus_infinity_taken && id < 0 && at < source.tokens;
          if (fours[k][i] > most || later || counts) {
            most = fours[k][i];
            id = at;
          }
        }
    }
  const auto place = static_cast<unsigned>(id);
  Word word =
      id < 0 ? 0 : Word{key_of(distribution::canonical(most))} << 32 | (faults.last_maximum ? place : ~place);
  peers.wait();  // nobody's shared memory is written to before that block runs
  word = peers.join(word, Greatest(), 0);
  if (rank != 0 || threadIdx.x != 0) return;
  const auto found = static_cast<unsigned>(word);
  call.token[row] = word == 0 ? -1 : static_cast<std::int32_t>(faults.last_maximum ? found : ~found);
  call.logit[row] = word == 0 ? rows::minus_infinity() : logit_of(static_cast<std::uint32_t>(word >> 32));
}

template <typename T>
void launch(CUstream_st* stream, const ArgmaxCall& call) {
  const Spread spread = spread_of_stream(call.in.rows, call.in.tokens);
  launch_spread("sampling.argmax: launch", stream, call.in.rows, spread, 0, argmax_of_rows<T>, call,
                spread.blocks, reads_by_four<T>(call.in.data, call.in.row_stride), planted());
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
