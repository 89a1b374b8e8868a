#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/analysis/systems.hpp"

namespace assay::validation::transfer_entropy {

/// What the past of a source can say about the next value of a target beyond the target's own past.
enum class Link : std::uint8_t {
  none,      ///< nothing, in the process that made the data
  indirect,  ///< something, through others or a common driver: a discovery that is right, no direct edge
  direct     ///< the source stands in the target's equation
};

/// The links between all variables of independent systems side by side. Across systems: none. Within a linear
/// system the exact transfer entropy for histories of 1 decides between none and indirect (Barnett, Barrett,
/// Seth 2009); it is computed from log-determinants of at most (3, 3) covariances, whose rounding lies below
/// 10^-12 nats. Within any other system two variables are told apart only where no variable drives both (each
/// drives itself): then they are independent. A common driver does not always leave information, so some
/// pairs are called indirect that carry none; a false discovery there is not seen.
class Coupling {
 public:
  explicit Coupling(std::span<const analysis::GeneratedSystem> blocks);
  Link link(std::int64_t source, std::int64_t target) const {
    return links_[static_cast<std::size_t>(source * variables_ + target)];
  }

 private:
  std::int64_t variables_ = 0;
  std::vector<Link> links_;
};

/// All columns of tables of equally many rows, one table after the other.
analysis::SeriesTable side_by_side(std::span<const analysis::SeriesTable> tables);
analysis::SeriesTable side_by_side(std::span<const analysis::GeneratedSystem> systems);
/// `rows` rows of one column from row `first`.
analysis::SeriesTable part_of_column(const analysis::SeriesTable& table, std::int64_t column,
                                     std::int64_t first, std::int64_t rows);

}  // namespace assay::validation::transfer_entropy
