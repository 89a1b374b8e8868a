#pragma once

#include <cstdint>

#include "engine/runtime/host_device.hpp"
#include "engine/runtime/philox.hpp"

/// Speculative verification in integers (Leviathan, Kalman, Matias 2023; Chen et al. 2023): p = P_x / P and
/// q = Q_x / Q, weights below 2^46 and totals below 2^64 (weight.hpp). Products of a weight and the other's
/// total are below 2^110, and those of two totals below 2^127 where at most 300,000 tokens are added: 128
/// bits hold all of them, nothing is rounded, and sums have no order.
namespace assay::kernels::distribution {

using Wide128 = unsigned __int128;

/// Streams of Philox beside that of plain draws, 0 (draw.hpp): bits that decided whether a draft token is
/// taken are never those of a draw, nor are those of a draw of the draft's.
inline constexpr std::uint64_t acceptance_stream = 1, residual_stream = 2;

ASSAY_HOST_DEVICE inline std::uint64_t stream_bits(std::uint64_t seed, std::uint64_t stream,
                                                   std::uint64_t position) {
  return Philox(seed, stream, position).next_u64();
}

/// floor(random scale / 2^64), for scale below 2^127: 64 random bits as a point in [0, scale). A stretch of
/// w of the scale is met by floor or ceil of w 2^64 / scale of them: its probability is within 2^-64 of
/// w / scale.
ASSAY_HOST_DEVICE inline Wide128 wide_point_in(std::uint64_t random, Wide128 scale) {
  const Wide128 upper = static_cast<Wide128>(random) * static_cast<std::uint64_t>(scale >> 64);
  const Wide128 lower = static_cast<Wide128>(random) * static_cast<std::uint64_t>(scale);
  return upper + (lower >> 64);
}

/// Whether random / 2^64 < min(1, p / q) = P_x Q / (Q_x P), exactly: for an integer b, r a < b 2^64 where
/// floor(r a / 2^64) < b. Where Q_x is 0 (no draw of the draft's): whether p > 0, the limit. Where either
/// total is 0: no.
ASSAY_HOST_DEVICE inline bool accepts(std::uint64_t random, std::uint64_t target_weight,
                                      std::uint64_t target_total, std::uint64_t draft_weight,
                                      std::uint64_t draft_total) {
  return wide_point_in(random, static_cast<Wide128>(draft_weight) * target_total) <
         static_cast<Wide128>(target_weight) * draft_total;
}

/// max(0, p - q), in units of 1 / (P Q). Where the draft has no total, q is 0: the target's weight.
ASSAY_HOST_DEVICE inline Wide128 residual_weight(std::uint64_t target_weight, std::uint64_t target_total,
                                                 std::uint64_t draft_weight, std::uint64_t draft_total) {
  if (draft_total == 0) return target_weight;
  const Wide128 of_target = static_cast<Wide128>(target_weight) * draft_total;
  const Wide128 of_draft = static_cast<Wide128>(draft_weight) * target_total;
  return of_target > of_draft ? of_target - of_draft : 0;
}

}  // namespace assay::kernels::distribution
