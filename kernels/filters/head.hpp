#pragma once

#include <cstdint>
#include <optional>

#include "kernels/filters/left.hpp"
#include "kernels/filters/raw_row.hpp"

/// The greatest few of a long row, found in one sweep over the row as it lies in memory, and what the others
/// weigh: estimated with a bound, or exactly.
namespace assay::kernels::filters {

/// Rows shorter than this are not worth a sample.
inline constexpr std::int64_t long_row = 16'384;

/// A head of more is of no use, and cut short where it is gathered.
constexpr std::int64_t head_limit(std::int64_t count) {
  return count / 4;
}

/// A row, and what its logits are divided by before anything else.
struct DividedRow {
  RawRow row;
  float temperature = 1;  ///< above 0; what does not change a logit where it is 1

  bool divided() const { return temperature != 1; }
};

/// Elements of at least `raw_bound` as they lie in memory. Divided by the temperature they are at least
/// `bound`, and the others at most that: division and rounding keep the order, but may make two logits one.
struct Head {
  float raw_bound = 0;
  float bound = 0;
  float* logits = nullptr;            ///< (count), divided and by rising position
  std::int32_t* positions = nullptr;  ///< (count)
  std::int64_t count = 0;
};

/// A logit as it lies in memory, so far down the row that about k are that or more, rather more than fewer.
std::optional<float> bound_of_count(const DividedRow& source, std::int64_t k);
/// The same for a share of the mass. None where too much of the row is above for a head to be of use.
std::optional<float> bound_of_mass(const DividedRow& source, double share);

/// Where a head is listed: half of a row's tokens fit.
struct HeadRoom {
  float* logits;
  std::int32_t* positions;
};
/// In parts of the scratch that hold no row: its `keys`, and the upper half of `items` behind the marks.
HeadRoom room_beside(const DividedRow& source, RowScratch& scratch);

/// What is at least `raw_bound` (finite). The marks lie in the upper half of the scratch's `items`; find_cut
/// has room below for a head within its limit.
Head head_of(const DividedRow& source, float raw_bound, HeadRoom room, RowScratch& scratch);

/// What the others of a row weigh under the row's maximum.
struct Rest {
  std::uint64_t least, most;
};

/// A head and, from the same sweep, an estimate of what the others weigh.
class EstimatedHead {
 public:
  /// None where this machine or these numbers allow no estimate.
  static std::optional<EstimatedHead> of(const DividedRow& source, float raw_bound, HeadRoom room,
                                         RowScratch& scratch);

  const Head& head() const { return head_; }
  /// Between these lies the sum of their weights, as integers. `maximum`: the head's, finite.
  Rest rest(float maximum) const;

 private:
  Head head_;
  double sum_ = 0;    ///< of exp(logit - bound)
  double shift_ = 0;  ///< its logarithm is too great by this
  double spread_ = 0;
  int additions_ = 0;
  std::int64_t others_ = 0;
};

/// The sum of their weights itself.
std::uint64_t weigh_others(const DividedRow& source, const Head& head, float maximum);

}  // namespace assay::kernels::filters
