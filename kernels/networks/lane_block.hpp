#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/networks/sorted_column.hpp"
#include "kernels/networks/target_lists.hpp"
#include "kernels/spatial/exclusion.hpp"

namespace assay::kernels::networks {

/// One x of a target: a source as it is, or a surrogate of it.
struct Lane {
  const SortedColumn* source = nullptr;
  const std::uint16_t* rows =
      nullptr;                     ///< the row of the source that stands in place of each row; null: itself
  std::int64_t* counts = nullptr;  ///< (n, 3), written where not null
  double* value = nullptr;         ///< the estimate
};

/// What all lanes of a target share.
struct LaneTask {
  const TargetPoints* points = nullptr;
  const TargetLists* lists = nullptr;
  const spatial::Exclusion* exclusion = nullptr;
  const double* psi = nullptr;  ///< psi(m) at m, up to n
  double constant = 0;          ///< psi(k)
  std::int64_t k = 4;
};

/// The x of the lanes that are worked on at once, in the order of the target's positions; one a thread,
/// kept from call to call.
class LaneBlock {
 public:
  static constexpr std::int64_t kLanes = 8;
  /// Largest k: the best so far are kept in an array of vectors.
  static constexpr std::int64_t kMostNeighbours = 32;

  /// Evaluates up to kLanes lanes.
  void evaluate(const LaneTask& task, std::span<const Lane> lanes);

  /// What the vector code works on.
  struct View {
    std::span<const Lane> lanes;
    const double* x;            ///< (n, kLanes)
    const std::int16_t* ranks;  ///< (kLanes, stride): ranks in x, less 2^15
    std::uint16_t* by_rank;     ///< (kLanes, stride): positions in rising order of x, once it is asked for
    std::int64_t stride;
    double* local;  ///< (n, kLanes), by row
  };

 private:
  void fill(const TargetPoints& points, std::span<const Lane> lanes);

  std::vector<double> x_, local_, one_lane_;
  std::vector<std::int16_t> ranks_;
  std::vector<std::uint16_t> by_rank_;
};

}  // namespace assay::kernels::networks
