#pragma once

// What single precision says of a row: its mass to about a millionth, with a bound, and how its tokens are
// spread below the maximum. It never decides anything: it says where exact weights have to be looked at.
#include "kernels/filters/find_cut.cuh"

namespace assay::kernels::filters {

struct Estimate {
  double mass;   ///< sum of exp(logit - maximum)
  double error;  ///< of it, at most
};

/// Counts of tokens by their distance from the maximum go to the merged bins. Precondition: a finite maximum.
///
/// The error. Let d be a token's distance, S the sum of exp(-d), u = 2^-24. The subtraction and the product
/// with log2(e) round d by at most 2 u d together, log2(e) itself is off by less than u, ex2.approx by 2
/// units in the last place (4 u): a term is off by (3 u d + 4 u + higher orders) exp(-d), and all of them by
/// 3 u D + 4 u S, where D is the sum of d exp(-d), which is added up along the way. Each of a lane's four
/// sums has at most `segment / 128` terms in float, hence as many u of S; from there on sums are double. D is
/// taken twice, which its own error is far below. Tokens beyond 32 have no weight but a term: below 2^-46 of
/// the maximum each, as is the rounding of each weight to an integer.
__device__ inline Estimate estimate(const Part& part, Peers& peers, Room& room, const RowState& state,
                                    Faults faults) {
  clear_bins(room);
  float sums[4] = {0, 0, 0, 0};
  float distances = 0;
  part.walk([&](int, const float(&four)[4]) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float distance = state.maximum - four[i];  // NaN of what is dropped, +Inf of -Inf
      if (!(distance < 64)) continue;
      float term;
      asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(term) : "f"(distance * -1.44269504f));
      sums[i] += term;
      distances += distance * term;
      if (distance < bins / bins_per_unit)
        atomicAdd(&room.of_bins.counted[0][static_cast<int>(distance * bins_per_unit)], 1u);
    }
  });
  const auto joined = [&](double value) {
    return __longlong_as_double(static_cast<long long>(
        peers.join(static_cast<Word>(__double_as_longlong(value)), SumOfDoubles(), 0)));
  };
  const double mass =
      joined((static_cast<double>(sums[0]) + sums[1]) + (static_cast<double>(sums[2]) + sums[3]));
  const double spread = joined(static_cast<double>(distances));
  merge_bins<1>(room, peers, faults);
  constexpr double unit = 0x1p-24;
  const double terms = part.segment / tile + 1;
  const double error = mass * unit * (4 + 2 * terms) + 6 * unit * spread + state.count * 0x1p-45;
  if (faults(Fault::estimate_decides)) return {mass * (1 + 0x1p-12), 0};
  return {mass, error};
}

}  // namespace assay::kernels::filters
