#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/analysis/network.hpp"
#include "engine/analysis/network_tiles.hpp"
#include "engine/analysis/prepare.hpp"

namespace assay::analysis {

/// A network's question, checked: what both ways of answering it start from. Refers to table and options.
struct NetworkTask {
  const SeriesTable& table;
  const NetworkOptions& options;
  std::vector<std::int64_t> columns;
  std::vector<std::int64_t> delays;  ///< one, or those of a scan
  TableKinds kinds;

  std::int64_t width() const { return static_cast<std::int64_t>(columns.size()); }
  std::int64_t pairs() const { return width() * (width() - 1); }
  std::int64_t column(std::int64_t place) const { return columns[static_cast<std::size_t>(place)]; }
  std::string name(std::int64_t place) const;
  /// "pair a -> b: ", before what is refused of a pair.
  std::string name_of_pair(std::int64_t source, std::int64_t target) const;
};

Result<NetworkTask> task_of(const SeriesTable& table, const NetworkOptions& options);

/// What all pairs share where te.network serves them.
struct SharedParts {
  Observations seen;
  std::int64_t source_width = 0, past_width = 0;  ///< columns of x and of z
  std::vector<Replicate> replicates;              ///< of intervals
};
Result<SharedParts> shared_parts_of(const NetworkTask& task);

/// x of some sources at a delay: (count, n, source_width); y and z of some targets: (count, n, 1) and (count,
/// n, past_width). Refused: NaN or infinity in a column.
Result<Tensor> sources_of(const NetworkTask& task, const SharedParts& parts, std::int64_t delay,
                          std::int64_t first, std::int64_t count, ThreadPool& pool);
Result<Tensor> nexts_of(const NetworkTask& task, const SharedParts& parts, std::int64_t first,
                        std::int64_t count, ThreadPool& pool);
Result<Tensor> pasts_of(const NetworkTask& task, const SharedParts& parts, std::int64_t first,
                        std::int64_t count, ThreadPool& pool);

/// The seed of a source's surrogates: of the seed of all and its column number alone.
std::uint64_t source_seed(std::uint64_t seed, std::int64_t column);

/// A digest of everything that the tables of a network depend on: data, options, backend, the way.
std::array<std::uint64_t, 2> digest_of(const NetworkTask& task, std::string_view backend, bool shared);

/// Whether the pairs' smallest p-values survive the false discovery rate: fills `significant`.
void find_significant(Network& network, double fdr);

}  // namespace assay::analysis
