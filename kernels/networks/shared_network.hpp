#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/networks/lane_block.hpp"
#include "kernels/networks/sorted_column.hpp"
#include "kernels/networks/surrogate_draws.hpp"
#include "kernels/spatial/exclusion.hpp"
#include "kernels/te/network.hpp"

namespace assay {
class ThreadPool;
}

namespace assay::kernels::networks {

/// The network of sources and targets with one column each, conditions of one column and algorithm 1: lists
/// of neighbours shared by all sources of a target (lane_block.cpp says how). Counts are those of KsgPlan,
/// integer for integer, and values its bits.
class SharedNetwork {
 public:
  /// Whether this way can be taken for such sources at all.
  static bool takes(const te::NetworkSources& sources, const te::KsgOptions& options);
  /// Whether it is the faster one for so many points, sources with so many surrogates each, and targets with
  /// these columns, by measured crossover (benchmarks/NOTES.md).
  static bool suits(std::int64_t points, std::int64_t sources, std::int64_t surrogates, std::int64_t dy,
                    std::int64_t dz);

  SharedNetwork(ThreadPool& pool, const te::NetworkSources& sources,
                std::span<const std::int64_t> trial_lengths, const te::KsgOptions& options,
                const SurrogateDraws& draws);

  void evaluate(ThreadPool& pool, const te::NetworkTargets& targets, std::span<const std::int64_t> skip,
                const te::NetworkResult& result) const;
  std::int64_t working_bytes() const;

 private:
  struct Call;
  struct Workspace;
  struct Lanes;
  void evaluate_lanes(ThreadPool& pool, const Call& call, const Lanes& lanes) const;
  void evaluate_target(ThreadPool& pool, const Call& call, const Lanes& lanes, std::int64_t target,
                       Workspace& workspace) const;

  std::int64_t m_, n_, k_;
  unsigned threads_;
  SurrogateDraws draws_;
  std::vector<SortedColumn> sources_;
  spatial::Exclusion exclusion_, without_trials_;
  bool same_exclusion_;
  std::vector<double> psi_;  // psi(m) at m, up to n
  double constant_;          // psi(k)
};

}  // namespace assay::kernels::networks
