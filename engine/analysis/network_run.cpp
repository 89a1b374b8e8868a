#include "engine/analysis/network_run.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/analysis/checkpoint.hpp"

namespace assay::analysis {

namespace {

/// The tiles on their way: which comes next, what is finished, what went wrong. Shared by the workers.
class Tiles {
 public:
  Tiles(const NetworkTask& task, const Progress& progress, Network& network)
      : task_(task), progress_(progress), network_(network) {}

  /// The checkpoint's tiles first. `tiling` becomes its cutting.
  std::optional<InputError> prepare(Tiling& tiling, const std::array<std::uint64_t, 2>& digest) {
    const std::string& path = task_.options.checkpoint;
    CheckpointKey key{digest, tiling.source_block, tiling.target_batch};
    if (!path.empty()) {
      Result<Checkpoint> opened = Checkpoint::open(path, key);
      if (!opened) return opened.error();
      checkpoint_ = std::move(opened).value();
      tiling.source_block = std::min(key.source_block, tiling.width);
      tiling.target_batch = std::min(key.target_batch, tiling.width);
    }
    tiling_ = tiling;
    finished_.assign(static_cast<std::size_t>(tiling.count()), 0);
    if (!checkpoint_) {
      if (progress_) progress_(0, task_.pairs());
      return std::nullopt;
    }
    auto error = checkpoint_->load([&](std::int64_t part, std::span<const std::byte> bytes) {
      if (part < 0 || part >= tiling_.count()) return false;
      const Tile tile = tiling_.tile(part);
      PairTables tables = tables_of(task_.kinds, tile.sources, tile.targets);
      if (!unpack(bytes, tables)) return false;
      if (finished_[static_cast<std::size_t>(part)] == 0) done_ += tile.pairs();
      finished_[static_cast<std::size_t>(part)] = 1;
      put_tile(network_, tile, tables);
      return true;
    });
    if (error) return error;
    network_.resumed_pairs = done_;
    if (progress_) progress_(done_, task_.pairs());
    return std::nullopt;
  }

  /// Takes tile after tile until there are none, or something went wrong anywhere.
  void work(const TileBody& body) {
    try {
      for (std::int64_t index = next_++; index < tiling_.count() && !stopped_; index = next_++) {
        if (finished_[static_cast<std::size_t>(index)] != 0) continue;
        const Tile tile = tiling_.tile(index);
        PairTables tables = tables_of(task_.kinds, tile.sources, tile.targets);
        auto error = body(tile, tables, [&](std::int64_t pairs) {
          const std::lock_guard lock(mutex_);
          done_ += pairs;
          if (progress_) progress_(done_, task_.pairs());
        });
        const std::lock_guard lock(mutex_);
        if (!error && checkpoint_) error = checkpoint_->append(index, pack(tables));
        if (error) {
          stopped_ = true;
          if (!error_ || index < error_at_) error_ = error, error_at_ = index;
        } else {
          put_tile(network_, tile, tables);
        }
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      if (!thrown_) thrown_ = std::current_exception();
    }
  }

  std::optional<InputError> outcome() const {
    if (thrown_) std::rethrow_exception(thrown_);
    return error_;
  }

 private:
  const NetworkTask& task_;
  const Progress& progress_;
  Network& network_;
  Tiling tiling_;
  std::optional<Checkpoint> checkpoint_;
  std::vector<char> finished_;
  std::atomic<std::int64_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::int64_t done_ = 0;
  std::optional<InputError> error_;
  std::int64_t error_at_ = 0;
  std::exception_ptr thrown_;
};

}  // namespace

std::optional<InputError> run_tiles(const NetworkTask& task, Tiling tiling,
                                    const std::array<std::uint64_t, 2>& digest,
                                    std::span<const TileBody> workers, const Progress& progress,
                                    Network& network) {
  network.columns = task.columns;
  network.surrogates = task.options.surrogates.count;
  static_cast<PairTables&>(network) = tables_of(task.kinds, task.width(), task.width());
  Tiles tiles(task, progress, network);
  if (auto error = tiles.prepare(tiling, digest)) return error;
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < workers.size(); ++i)
    threads.emplace_back([&tiles, &body = workers[i]] { tiles.work(body); });
  tiles.work(workers[0]);
  for (std::thread& thread : threads) thread.join();
  if (auto error = tiles.outcome()) return error;
  find_significant(network, task.options.fdr);
  return std::nullopt;
}

}  // namespace assay::analysis
