#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/arguments.hpp"
#include "reference/points.hpp"

namespace assay::reference::te {

/// Time-delay embedding index by index (Takens 1981; Lizier 2014, eq. 7): row (time t) of the output holds
/// series[t - delay - j tau, column], j = 0 .. history - 1, variable after variable.
inline void run_embed(const Arguments& arguments, const Outputs& outputs) {
  const Points series = points_of(arguments.input("series"));
  const auto& columns = arguments.integers("columns");
  const auto& histories = arguments.integers("histories");
  const auto& taus = arguments.integers("taus");
  const auto& delays = arguments.integers("delays");
  std::vector<std::int64_t> trials{series.rows()};
  if (arguments.has("trial_lengths")) {
    const auto lengths = arguments.input("trial_lengths").as<std::int64_t>();
    trials.assign(lengths.begin(), lengths.end());
  }
  const auto embedded = outputs.at("embedded").as<double>();
  const auto times = outputs.at("times").as<std::int64_t>();

  std::size_t element = 0;
  std::size_t row = 0;
  std::int64_t trial_begin = 0;
  for (const std::int64_t length : trials) {
    for (std::int64_t t = trial_begin; t < trial_begin + length; ++t) {
      std::int64_t oldest = t;  // time of the earliest value that this observation needs
      for (std::size_t v = 0; v < columns.size(); ++v)
        for (std::int64_t j = 0; j < histories[v]; ++j)
          oldest = std::min(oldest, t - delays[v] - j * taus[v]);
      if (oldest < trial_begin) continue;
      times[row++] = t;
      for (std::size_t v = 0; v < columns.size(); ++v)
        for (std::int64_t j = 0; j < histories[v]; ++j)
          embedded[element++] = series(t - delays[v] - j * taus[v], columns[v]);
    }
    trial_begin += length;
  }
}

}  // namespace assay::reference::te
