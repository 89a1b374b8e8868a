#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/analysis/systems.hpp"

namespace assay::analysis::generators {

/// The generators behind `generate` (systems.hpp), by file: pairs.cpp, random_network.cpp, coupled_maps.cpp,
/// lorenz96.cpp. They use SplitMix64, + - * / and sqrt alone (`heavy_tailed` also tan), in a fixed order.

using Row = std::vector<double>;

/// Rows that the linear systems and the small maps throw away before they keep any.
inline constexpr std::int64_t transient = 100;
/// The same of the chaotic networks, whose start is not on the attractor.
inline constexpr std::int64_t chaotic_transient = 1'000;

/// Runs a map of the last row (and the one before) to the next from (start, start), drops `skipped` rows,
/// keeps `rows` rows.
SeriesTable iterate(std::vector<std::string> names, std::int64_t rows, const Row& start,
                    const std::function<Row(const Row& now, const Row& before)>& next,
                    std::int64_t skipped = transient);

/// "v0", "v1", ...
std::vector<std::string> numbered_names(std::int64_t variables);

GeneratedSystem data_b(std::int64_t rows, std::uint64_t seed);
GeneratedSystem delayed(std::int64_t rows, std::uint64_t seed);
GeneratedSystem logistic(std::int64_t rows, std::uint64_t seed);
GeneratedSystem henon(std::int64_t rows, std::uint64_t seed);
GeneratedSystem quadratic(std::int64_t rows, std::uint64_t seed);
GeneratedSystem heavy_tailed(std::int64_t rows, std::uint64_t seed);
GeneratedSystem quantised(std::int64_t rows, std::uint64_t seed);
GeneratedSystem common_driver(std::int64_t rows, std::uint64_t seed);
GeneratedSystem independent(std::int64_t rows, std::uint64_t seed);

GeneratedSystem random_network(std::int64_t rows, std::uint64_t seed, std::int64_t variables);
GeneratedSystem logistic_network(std::int64_t rows, std::uint64_t seed, std::int64_t variables);
GeneratedSystem henon_chain(std::int64_t rows, std::uint64_t seed, std::int64_t variables);
GeneratedSystem lorenz96(std::int64_t rows, std::uint64_t seed, std::int64_t variables);

}  // namespace assay::analysis::generators
