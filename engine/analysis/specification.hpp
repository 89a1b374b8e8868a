#pragma once

#include <cstdint>
#include <vector>

#include "engine/analysis/series.hpp"
#include "engine/runtime/result.hpp"
#include "engine/te/embed.hpp"

namespace assay::analysis {

/// How values are brought to one scale before distances are taken.
enum class Normalise : std::uint8_t {
  columns,  ///< every column of the embedded points over the observations that are used
  series,   ///< every input column over all its rows, before embedding
  none
};

/// Transfer entropy from source to target, given the conditionals: I(source past; target next | target past,
/// conditionals). Lags (t is the time of the target's next value): target past t - 1 - j k_tau, j = 0 ..
/// k_history - 1; source past t - delay - j l_tau, j = 0 .. l_history - 1; conditional c: t - cond_delay[c] -
/// j cond_tau[c], j = 0 .. cond_history[c] - 1.
struct TeSpec {
  std::vector<std::int64_t> sources;  ///< columns; more than one: a multivariate source
  std::vector<std::int64_t> targets;
  std::vector<std::int64_t> conditionals = {};
  std::int64_t k_history = 1;  ///< 0: no target past
  std::int64_t k_tau = 1;
  std::int64_t l_history = 1;
  std::int64_t l_tau = 1;
  std::int64_t delay = 1;
  /// One entry a conditional; a single entry holds for all, none means 1 for all.
  std::vector<std::int64_t> cond_history = {};
  std::vector<std::int64_t> cond_tau = {};
  std::vector<std::int64_t> cond_delay = {};
};

/// Mutual information I(x; y) and conditional mutual information I(x; y | z) of columns at
/// equal times; z may be empty.
struct CmiSpec {
  std::vector<std::int64_t> x;
  std::vector<std::int64_t> y;
  std::vector<std::int64_t> z = {};
};

/// Active information storage: I(past; next) of one series, or of several taken together.
struct AisSpec {
  std::vector<std::int64_t> series;
  std::int64_t k_history = 1;
  std::int64_t k_tau = 1;
};

/// Options of the estimate, the same for all measures. (PRE 69, 066138 for k and algorithm.)
struct EstimationOptions {
  std::int64_t k = 4;
  int algorithm = 1;
  std::int64_t theiler_window = 0;
  Normalise normalise = Normalise::columns;
  double noise = 0;  ///< standard deviation of Gaussian noise that is added after normalising; 0: none
  std::uint64_t seed = 1;
};

/// What every measure comes down to: which lags of which columns make the x-, y- and z-part of the points.
/// All measures are I(x; y | z); an empty z is plain mutual information.
struct Layout {
  std::vector<te::EmbeddedVariable> x, y, z;
  /// Observations start no earlier than this many rows into a trial, whatever the lags need: a conditional
  /// of history 0 adds no column, and yet counts with (0 - 1) cond_tau + cond_delay, as in the formula for
  /// the number of observations.
  std::int64_t least_reach = 0;
};

/// Checks a specification against the table and lays it out. Refused (InputError::out_of_range, one line): a
/// column that is not in the table, no source or target, a history below 0 (below 1 for source and AIS), a
/// spacing below 1, a delay below 0, lists of conditionals of unequal length, numbers above 10^9.
Result<Layout> layout_of(const SeriesTable& table, const TeSpec& spec);
Result<Layout> layout_of(const SeriesTable& table, const CmiSpec& spec);
Result<Layout> layout_of(const SeriesTable& table, const AisSpec& spec);

}  // namespace assay::analysis
