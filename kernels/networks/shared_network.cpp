#include "kernels/networks/shared_network.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

#include "engine/runtime/mutant.hpp"
#include "engine/runtime/thread_pool.hpp"
#include "kernels/te/digamma.hpp"

namespace assay::kernels::networks {

namespace {

/// Rows of surrogates held at once, in 16 bits each: 32 MiB. They are drawn once for all targets, and the
/// lists of a target are built once for all of them.
constexpr std::int64_t kRowsHeld = std::int64_t{1} << 24;

}  // namespace

struct SharedNetwork::Call {
  te::NetworkTargets targets;
  std::span<const std::int64_t> skip;
  te::NetworkResult result;
};

/// What one worker needs beside the sources; kept from target to target.
struct SharedNetwork::Workspace {
  std::optional<TargetPoints> points;
  TargetLists lists;
  std::vector<Lane> lanes;
  std::vector<double> unread;  // values that nobody asked for
  std::vector<LaneBlock> blocks;
};

/// Lanes [begin, end) of all: first the sources as they are, then the surrogates of each source in turn.
struct SharedNetwork::Lanes {
  std::int64_t begin, end;
  const spatial::Exclusion* exclusion;
  std::int64_t first_drawn;         // the lane that `rows` begins with
  std::vector<std::uint16_t> rows;  // of surrogates: (lanes, n)
};

bool SharedNetwork::takes(const te::NetworkSources& sources, const te::KsgOptions& options) {
  return sources.d == 1 && options.algorithm == 1 && options.k <= LaneBlock::kMostNeighbours &&
         options.search == spatial::Search::automatic && sources.n <= SortedColumn::kMostValues;
}

SharedNetwork::SharedNetwork(ThreadPool& pool, const te::NetworkSources& sources,
                             std::span<const std::int64_t> trial_lengths, const te::KsgOptions& options,
                             const SurrogateDraws& draws)
    : m_(sources.m),
      n_(sources.n),
      k_(options.k),
      threads_(pool.threads()),
      draws_(draws),
      exclusion_(n_, trial_lengths, options.theiler_window),
      without_trials_(n_, {}, options.theiler_window),
      same_exclusion_(options.theiler_window == 0 || trial_lengths.size() < 2),
      psi_(static_cast<std::size_t>(n_ + 1)),
      constant_(te::digamma(static_cast<double>(k_))) {
  std::vector<std::optional<SortedColumn>> sorted(static_cast<std::size_t>(m_));
  pool.parallel_for(m_, 1, [&](std::int64_t begin, std::int64_t end, unsigned) {
    for (std::int64_t s = begin; s < end; ++s)
      sorted[static_cast<std::size_t>(s)].emplace(spatial::Coordinate{sources.source(s).data, 1}, n_);
  });
  sources_.reserve(sorted.size());
  for (auto& column : sorted) sources_.push_back(std::move(*column));
  for (std::int64_t m = 1; m <= n_; ++m)
    psi_[static_cast<std::size_t>(m)] = te::digamma(static_cast<double>(m));
}

bool SharedNetwork::suits(std::int64_t points, std::int64_t sources, std::int64_t surrogates, std::int64_t dy,
                          std::int64_t dz) {
  // fewer lanes do not pay for the lists
  const std::int64_t enough = points <= 4'000 ? 4 : points <= 30'000 ? 8 : 12;
  return dy == 1 && dz == 1 && sources * (1 + surrogates) >= enough;
}

std::int64_t SharedNetwork::working_bytes() const {
  const std::int64_t lists = (TargetLists::depth_for(n_) + TargetLists::kStep) * 10;
  const std::int64_t block = LaneBlock::kLanes * 20;
  constexpr std::int64_t columns = 3 * 24;  // a sorted column with its table, and the points by position
  return n_ * (m_ * 24 + static_cast<std::int64_t>(threads_) * (lists + block + columns)) +
         (draws_.count > 0 ? 2 * kRowsHeld : 0);
}

void SharedNetwork::evaluate(ThreadPool& pool, const te::NetworkTargets& targets,
                             std::span<const std::int64_t> skip, const te::NetworkResult& result) const {
  const Call call{targets, skip, result};
  const bool plain = result.values != nullptr || (result.counts != nullptr && !result.counted.empty());
  const std::int64_t all = m_ * (1 + (result.surrogates == nullptr ? 0 : draws_.count));
  const std::int64_t most = std::max<std::int64_t>(kRowsHeld / n_, 256);
  for (std::int64_t begin = plain ? 0 : m_; begin < all;) {
    Lanes lanes{.begin = begin, .end = std::min(all, std::max(begin, m_) + most), .exclusion = &exclusion_};
    if (begin < m_ && !same_exclusion_) lanes.end = m_;
    if (begin >= m_ && !mutant("te.network.surrogate_keeps_trials")) lanes.exclusion = &without_trials_;
    lanes.first_drawn = std::max(begin, m_);
    const std::int64_t drawn = std::max<std::int64_t>(lanes.end - lanes.first_drawn, 0);
    lanes.rows.resize(static_cast<std::size_t>(drawn * n_));
    pool.parallel_for(drawn, 1, [&](std::int64_t from, std::int64_t to, unsigned) {
      for (std::int64_t at = from; at < to; ++at) {
        const std::int64_t surrogate = lanes.first_drawn - m_ + at;
        draws_.rows_of(surrogate / draws_.count, surrogate % draws_.count, n_, lanes.rows.data() + at * n_);
      }
    });
    evaluate_lanes(pool, call, lanes);
    begin = lanes.end;
  }
}

void SharedNetwork::evaluate_lanes(ThreadPool& pool, const Call& call, const Lanes& lanes) const {
  const auto threads = static_cast<std::int64_t>(pool.threads());
  if (call.targets.t < 2 * threads) {  // few targets: all workers at one of them
    Workspace workspace;
    for (std::int64_t target = 0; target < call.targets.t; ++target)
      evaluate_target(pool, call, lanes, target, workspace);
    return;
  }
  std::vector<Workspace> workspaces(static_cast<std::size_t>(threads));
  pool.parallel_for(call.targets.t, 1, [&](std::int64_t begin, std::int64_t end, unsigned worker) {
    ThreadPool alone(1);
    for (std::int64_t target = begin; target < end; ++target)
      evaluate_target(alone, call, lanes, target, workspaces[worker]);
  });
}

void SharedNetwork::evaluate_target(ThreadPool& pool, const Call& call, const Lanes& lanes,
                                    std::int64_t target, Workspace& workspace) const {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const std::int64_t t = call.targets.t;
  const bool skips = !call.skip.empty() && !mutant("te.network.diagonal_not_skipped");
  const std::int64_t left_out = !skips ? -1 : call.skip[static_cast<std::size_t>(target)];
  workspace.lanes.clear();
  workspace.unread.resize(static_cast<std::size_t>(m_));
  for (std::int64_t at = lanes.begin; at < lanes.end; ++at) {
    const std::int64_t source = at < m_ ? at : (at - m_) / draws_.count;
    Lane lane{.source = &sources_[static_cast<std::size_t>(source)],
              .value = &workspace.unread[static_cast<std::size_t>(source)]};
    if (at >= m_) {
      lane.rows = lanes.rows.data() + (at - lanes.first_drawn) * n_;
      lane.value = call.result.surrogates + (source * t + target) * draws_.count + (at - m_) % draws_.count;
    } else if (call.result.values != nullptr) {
      lane.value = call.result.values + source * t + target;
    }
    for (std::size_t p = 0; at < m_ && call.result.counts != nullptr && p < call.result.counted.size(); ++p) {
      const te::CountedPair& pair = call.result.counted[p];
      if (pair.source != source || pair.target != target) continue;
      lane.counts = call.result.counts + static_cast<std::int64_t>(p) * 3 * n_;
      std::fill_n(lane.counts, 3 * n_, 0);
    }
    if (source == left_out)
      *lane.value = nan;
    else
      workspace.lanes.push_back(lane);
  }
  if (workspace.lanes.empty()) return;

  if (!mutant("te.network.stale_target") || !workspace.points) {
    workspace.points.emplace(call.targets.y + target * n_, call.targets.z + target * n_, n_);
    workspace.lists.assign(pool, *workspace.points, *lanes.exclusion);
  }
  const LaneTask task{.points = &*workspace.points,
                      .lists = &workspace.lists,
                      .exclusion = lanes.exclusion,
                      .psi = psi_.data(),
                      .constant = constant_,
                      .k = k_};
  workspace.blocks.resize(pool.threads());
  const auto count = static_cast<std::int64_t>(workspace.lanes.size());
  pool.parallel_for(count, LaneBlock::kLanes, [&](std::int64_t begin, std::int64_t end, unsigned worker) {
    workspace.blocks[worker].evaluate(
        task, std::span<const Lane>(workspace.lanes)
                  .subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
  });
}

}  // namespace assay::kernels::networks
