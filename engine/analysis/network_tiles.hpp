#pragma once

#include <cstdint>
#include <vector>

#include "engine/analysis/network.hpp"

namespace assay::analysis {

/// Some sources with some targets: what is evaluated at a time, and what a checkpoint holds a record of.
/// Places among the columns of the network.
struct Tile {
  std::int64_t first_source = 0, sources = 0;
  std::int64_t first_target = 0, targets = 0;
  /// Pairs of a column with another one.
  std::int64_t pairs() const;
};

/// A square of `width` columns cut into blocks of sources, and each of these into batches of targets.
struct Tiling {
  std::int64_t width = 0, source_block = 0, target_batch = 0;
  std::int64_t count() const;
  /// Tile by number: all batches of the first block of sources, then those of the next.
  Tile tile(std::int64_t index) const;
};

/// Which matrices of PairTables a network has.
struct TableKinds {
  bool surrogates = false, interval = false, delay = false, by_pair = false;
};

/// The matrices of those kinds, filled with NaN and 0.
PairTables tables_of(const TableKinds& kinds, std::int64_t sources, std::int64_t targets);

/// Bytes of one pair in them.
std::int64_t bytes_a_pair(const TableKinds& kinds);

/// Calls visit(matrix) for every matrix of the tables, in a fixed order.
template <typename Tables, typename Visit>
void each_matrix(Tables& tables, const Visit& visit) {
  visit(tables.te);
  visit(tables.hits);
  visit(tables.surrogate_mean);
  visit(tables.surrogate_std);
  visit(tables.ci_low);
  visit(tables.ci_high);
  visit(tables.delay);
  visit(tables.samples);
  visit(tables.k_history);
  visit(tables.k_tau);
  visit(tables.l_history);
  visit(tables.l_tau);
}

/// Puts a tile's tables in their place.
void put_tile(PairTables& all, const Tile& tile, const PairTables& part);

/// A tile's tables as bytes, and back: `unpack` returns whether there were as many as the tables hold.
std::vector<std::byte> pack(const PairTables& part);
bool unpack(std::span<const std::byte> bytes, PairTables& part);

}  // namespace assay::analysis
