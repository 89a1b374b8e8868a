// sampling.softmax on CUDA: a row lives in the shared memory of a cluster's blocks, read once; its maximum,
// the sum of its integer weights, then the share of each token. The same operations as the CPU's, hence its
// bits.
#include <cooperative_groups.h>

#include "engine/runtime/mutant.hpp"
#include "kernels/distribution/share.hpp"
#include "kernels/filters/spread.cuh"
#include "kernels/sampling/softmax.hpp"

namespace assay::kernels::sampling {

namespace {

using namespace filters;

// Planted faults, handed to the kernel by value; constants in the usual build.
struct SoftmaxFaults {
#ifdef ASSAY_MUTANTS
  bool weight_for_share, total_of_maximum, single_precision_total, lost_warp, forbidden_not_written;
#else
  static constexpr bool weight_for_share = false, total_of_maximum = false, single_precision_total = false,
                        lost_warp = false, forbidden_not_written = false;
#endif
};

SoftmaxFaults planted() {
#ifdef ASSAY_MUTANTS
  return {mutant("sampling.softmax.cuda_weight_for_share"), mutant("sampling.softmax.cuda_total_of_maximum"),
          mutant("sampling.softmax.cuda_single_precision_total"), mutant("sampling.softmax.cuda_lost_warp"),
          mutant("sampling.softmax.cuda_forbidden_not_written")};
#else
  return {};
#endif
}

template <typename T>
__global__ void __launch_bounds__(block_threads, 2)
    softmax_of_rows(const __grid_constant__ SoftmaxCall call, Spread spread, bool aligned, bool out_aligned,
                    SoftmaxFaults faults) {
  extern __shared__ float4 part_memory[];
  __shared__ Exchange exchange;
  const int rank = static_cast<int>(blockIdx.x) % spread.blocks;
  const std::int64_t row = static_cast<int>(blockIdx.x) / spread.blocks;
  Peers peers(exchange, spread.blocks, rank);
  const Part part{reinterpret_cast<float*>(part_memory), spread.segment, rank * spread.segment * block_warps};
  peers.arrive();
  const Word held = load(part, peers, source_of<T>(call.in, row, aligned), Faults{});
  peers.wait();  // nobody's shared memory is written to before that block runs
  const float maximum = state_of(peers.join(held, CountAndMaximum(), 0)).maximum;
  Word mass = 0;
  part.walk([&](int, const float(&four)[4]) {
#pragma unroll
    for (int i = 0; i < 4; ++i) mass += distribution::weight_of(maximum, four[i]);  // 0 of what is dropped
  });
  if (faults.lost_warp && peers.warp() == 1) mass = 0;
  Word total = peers.join(mass, Sum(), 0);
  if (faults.single_precision_total) total = static_cast<Word>(static_cast<float>(total));
  if (faults.total_of_maximum && total > 0) total = Word{1} << distribution::weight_bits;
  const double inverse = distribution::inverse_mass(total);
  const auto tokens = static_cast<int>(call.in.tokens);
  float* const out = call.probabilities + row * call.in.tokens;
  part.walk([&](int at, const float(&four)[4]) {
    const int id = part.first + at;
    // Lanes beyond the warp's segment are handed what is dropped: the tokens of the next warp.
    if (at >= part.start() + part.segment || id >= tokens) return;
    float shares[4];
#pragma unroll
    for (int i = 0; i < 4; ++i)
      shares[i] = distribution::share_at(distribution::distance_below(maximum, four[i]), inverse);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (faults.weight_for_share)
        shares[i] = static_cast<float>(static_cast<double>(distribution::weight_of(maximum, four[i])) *
                                       0x1p-45 * inverse);
      if (!is_left(four[i]) || total == 0) shares[i] = 0;
    }
    if (out_aligned && id + 4 <= tokens && !faults.forbidden_not_written) {
      __stcs(reinterpret_cast<float4*>(out + id), float4{shares[0], shares[1], shares[2], shares[3]});
      return;
    }
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (id + i < tokens && (!faults.forbidden_not_written || is_left(four[i]))) out[id + i] = shares[i];
  });
}

template <typename T>
void launch(CUstream_st* stream, const SoftmaxCall& call) {
  const Spread spread = spread_of(call.in.rows, call.in.tokens);
  const bool out_aligned =
      reinterpret_cast<std::uintptr_t>(call.probabilities) % sizeof(float4) == 0 && call.in.tokens % 4 == 0;
  launch_spread("sampling.softmax: launch", stream, call.in.rows, spread, bytes_held(spread),
                softmax_of_rows<T>, call, spread, reads_by_four<T>(call.in.data, call.in.row_stride),
                out_aligned, planted());
}

}  // namespace

void softmax_cuda(CUstream_st* stream, const SoftmaxCall& given) {
  SoftmaxCall call = given;
  if (mutant("sampling.softmax.cuda_mask_ignored")) call.in.mask = nullptr;
  if (call.in.dtype == DType::f32) launch<float>(stream, call);
  if (call.in.dtype == DType::f16) launch<__half>(stream, call);
  if (call.in.dtype == DType::bf16) launch<__nv_bfloat16>(stream, call);
}

}  // namespace assay::kernels::sampling
