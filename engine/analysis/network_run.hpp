#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>

#include "engine/analysis/network_task.hpp"
#include "engine/analysis/network_tiles.hpp"

namespace assay::analysis {

/// Reports that so many more pairs are finished.
using Tick = std::function<void(std::int64_t pairs)>;

/// Fills the tables of one tile. Called by one thread at a time; keeps what it needs from tile to tile.
using TileBody =
    std::function<std::optional<InputError>(const Tile& tile, PairTables& tables, const Tick& tick)>;

/// Has the workers evaluate all tiles of a network, a thread each where there are several, and puts the
/// results into `network`; then finds what is significant. Tiles that options.checkpoint holds are taken from
/// it, and the cutting with them; every finished one is written to it before the next begins. The error is
/// that of the first tile that has one; an exception of a worker is rethrown.
std::optional<InputError> run_tiles(const NetworkTask& task, Tiling tiling,
                                    const std::array<std::uint64_t, 2>& digest,
                                    std::span<const TileBody> workers, const Progress& progress,
                                    Network& network);

}  // namespace assay::analysis
