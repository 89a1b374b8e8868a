#include "engine/analysis/network_tiles.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace assay::analysis {

namespace {

std::int64_t parts(std::int64_t whole, std::int64_t part) {
  return (whole + part - 1) / part;
}

}  // namespace

std::int64_t Tile::pairs() const {
  const std::int64_t diagonal =
      std::min(first_source + sources, first_target + targets) - std::max(first_source, first_target);
  return sources * targets - std::max<std::int64_t>(0, diagonal);
}

std::int64_t Tiling::count() const {
  return parts(width, source_block) * parts(width, target_batch);
}

Tile Tiling::tile(std::int64_t index) const {
  const std::int64_t batches = parts(width, target_batch);
  const std::int64_t source = index / batches * source_block, target = index % batches * target_batch;
  return {source, std::min(source_block, width - source), target, std::min(target_batch, width - target)};
}

PairTables tables_of(const TableKinds& kinds, std::int64_t sources, std::int64_t targets) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const auto rows = static_cast<std::size_t>(sources), columns = static_cast<std::size_t>(targets);
  PairTables made;
  made.te = {rows, columns, nan};
  if (kinds.surrogates) {
    made.hits = {rows, columns, 0};
    made.surrogate_mean = {rows, columns, nan};
    made.surrogate_std = {rows, columns, nan};
  }
  if (kinds.interval) {
    made.ci_low = {rows, columns, nan};
    made.ci_high = {rows, columns, nan};
  }
  if (kinds.delay) made.delay = {rows, columns, 0};
  if (kinds.by_pair) {
    made.samples = {rows, columns, 0};
    made.k_history = {rows, columns, 0};
    made.k_tau = {rows, columns, 0};
    made.l_history = {rows, columns, 0};
    made.l_tau = {rows, columns, 0};
  }
  return made;
}

std::int64_t bytes_a_pair(const TableKinds& kinds) {
  std::int64_t bytes = 0;
  PairTables one = tables_of(kinds, 1, 1);
  each_matrix(one, [&](auto& matrix) { bytes += static_cast<std::int64_t>(matrix.cells().size_bytes()); });
  return bytes + (kinds.surrogates ? 1 : 0);  // significant
}

namespace {

template <typename T>
void put(PairMatrix<T>& all, const Tile& tile, const PairMatrix<T>& part) {
  for (std::size_t source = 0; source < part.sources(); ++source) {
    const auto row = part.row(source);
    std::copy(row.begin(), row.end(),
              &all(static_cast<std::size_t>(tile.first_source) + source,
                   static_cast<std::size_t>(tile.first_target)));
  }
}

}  // namespace

void put_tile(PairTables& all, const Tile& tile, const PairTables& part) {
  put(all.te, tile, part.te);
  put(all.hits, tile, part.hits);
  put(all.surrogate_mean, tile, part.surrogate_mean);
  put(all.surrogate_std, tile, part.surrogate_std);
  put(all.ci_low, tile, part.ci_low);
  put(all.ci_high, tile, part.ci_high);
  put(all.delay, tile, part.delay);
  put(all.samples, tile, part.samples);
  put(all.k_history, tile, part.k_history);
  put(all.k_tau, tile, part.k_tau);
  put(all.l_history, tile, part.l_history);
  put(all.l_tau, tile, part.l_tau);
}

std::vector<std::byte> pack(const PairTables& part) {
  std::vector<std::byte> bytes;
  each_matrix(part, [&](const auto& matrix) {
    const auto cells = std::as_bytes(matrix.cells());
    bytes.insert(bytes.end(), cells.begin(), cells.end());
  });
  return bytes;
}

bool unpack(std::span<const std::byte> bytes, PairTables& part) {
  std::size_t needed = 0;
  each_matrix(part, [&](auto& matrix) { needed += matrix.cells().size_bytes(); });
  if (bytes.size() != needed) return false;
  each_matrix(part, [&](auto& matrix) {
    const auto cells = std::as_writable_bytes(matrix.cells());
    std::copy_n(bytes.begin(), cells.size(), cells.begin());
    bytes = bytes.subspan(cells.size());
  });
  return true;
}

}  // namespace assay::analysis
