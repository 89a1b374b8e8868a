#pragma once

#include <cstdint>

#include "kernels/spatial/exclusion_view.hpp"

struct CUstream_st;

namespace assay {
class Workspace;
}

namespace assay::kernels::windows {

/// Targets in device memory, each in the order of its axis (order.hpp): the first column of z, or of y
/// without z.
struct Targets {
  const double* columns = nullptr;     ///< (t, dy + dz, n): y, then z
  const std::int32_t* rows = nullptr;  ///< (t, n): the row at each position
  std::int32_t n = 0, dy = 0, dz = 0;
};

/// Which pairs a launch evaluates: pair i is source i % sources of target i / sources.
struct Pairs {
  const double* x = nullptr;  ///< (pairs, dx, n), in the order of the pair's target
  std::int32_t dx = 0;
  std::int64_t count = 0;
  std::int64_t sources = 1;  ///< pairs of one target
};

struct Options {
  std::int32_t k = 4;
  int algorithm = 1;
  spatial::ExclusionView exclusion;
  spatial::ExclusionView count_exclusion;
  bool sweep = false;  ///< where sweep.hpp takes it
};

/// Whether a sweep is what `Search::automatic` comes to: one column each, and enough points. One TE at N =
/// 10,000 takes 0.33 ms by it and 0.40 without (benchmarks/NOTES.md).
constexpr bool sweep_suits(std::int64_t dx, std::int64_t dy, std::int64_t dz, int algorithm, std::int64_t k,
                           std::int64_t n) {
  return dx == 1 && dy == 1 && dz == 1 && algorithm == 1 && k <= 8 && n >= 4096;
}

/// Device memory; null pointers are not written. Rows in the order of the points, not of the axis.
struct Outputs {
  /// Source s of target j goes to values[s / group * group_stride + s % group + j * target_stride].
  double* values = nullptr;
  std::int64_t group = 1, group_stride = 1, target_stride = 0;
  std::int64_t first_source = 0;   ///< s of the first of a target's sources
  double* local = nullptr;         ///< (pairs, n)
  double* radii = nullptr;         ///< (pairs, n, 3)
  std::int64_t* counts = nullptr;  ///< (slots, n, 3)
  const std::int32_t* slots =
      nullptr;  ///< (pairs): the slot of a pair's counts, or -1; null: pair i has slot i
};

/// psi(1) .. psi(count - 1) at 1 .. count - 1.
void psi_table(CUstream_st* stream, double* table, std::int64_t count);

/// Points (groups, n, d) column by column in another order: to[(g * to_columns + first + c) * n + p] = the
/// value of column c in row rows[g * n + p] of group g.
void gather_columns(CUstream_st* stream, const double* points, const std::int32_t* rows, std::int64_t groups,
                    std::int32_t n, std::int32_t d, double* to, std::int32_t to_columns, std::int32_t first);

/// Sources (sources, n, dx) in the order of each of `targets` targets: to (targets * sources, dx, n).
void gather_sources(CUstream_st* stream, const double* sources, std::int64_t count, const std::int32_t* rows,
                    std::int64_t targets, std::int32_t n, std::int32_t dx, double* to);

/// Kraskov's estimate (engine/te/ksg.hpp) of every pair, by windows along the axis. `psi` holds psi(1) ..
/// psi(n + 1).
void evaluate(CUstream_st* stream, Workspace& workspace, const Targets& targets, const Pairs& pairs,
              const Options& options, const double* psi, const Outputs& outputs);

}  // namespace assay::kernels::windows
