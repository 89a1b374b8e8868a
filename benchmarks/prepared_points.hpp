#pragma once

#include <cstdint>

#include "engine/analysis/specification.hpp"
#include "engine/arguments.hpp"

namespace assay::benchmarks {

/// Arguments of te.ksg on coupled Gaussian AR(0.4) data, x' = 0.4 x + e1, y' = 0.4 y + 0.4 x + e2, embedded
/// and z-scored, with `rows` such that n points remain: the data that the figures of transfer entropy are
/// quoted for.
HostArguments transfer_entropy_points(std::int64_t n, const analysis::TeSpec& spec, std::int64_t k,
                                      std::int64_t algorithm, std::uint64_t seed);

/// Arguments of te.network: every column of `variables` coupled Gaussian AR(0.4) series, each driven by the
/// one before (v' = 0.4 v + 0.4 u + e, the first by none), as source and as target, histories 1, z-scored, n
/// observations, k = 4.
HostArguments network_points(std::int64_t variables, std::int64_t n, std::uint64_t seed);

/// The same points as one (n, d) tensor: x, y and z side by side, as te.knn and te.range_count take them.
HostArguments joint_points(std::int64_t n, std::int64_t histories, std::uint64_t seed);

}  // namespace assay::benchmarks
