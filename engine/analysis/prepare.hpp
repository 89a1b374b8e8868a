#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/analysis/series.hpp"
#include "engine/analysis/specification.hpp"
#include "engine/runtime/result.hpp"
#include "engine/tensors/tensor.hpp"

namespace assay::analysis {

/// The points of one estimate: embedded, normalised, with noise. Host memory, double.
struct Points {
  Tensor x;                                 ///< (n, dx)
  Tensor y;                                 ///< (n, dy)
  Tensor z;                                 ///< (n, dz); dz = 0 without a condition
  std::vector<std::int64_t> trial_lengths;  ///< observations of each trial that has any; they sum to n
  std::vector<std::int64_t> times;          ///< (n) row of the table that holds the observation's next value
  std::int64_t count() const { return x.shape().at(0); }
  Points clone() const;
};

/// Embeds (te.embed), normalises and adds noise: once, on the host, in this one function, so that every
/// backend sees the same doubles.
///
/// Normalising is z-scoring with the sample standard deviation (divisor n - 1); a constant column is only
/// centred. With `columns` every embedded column is scored over the n observations, all trials pooled; with
/// `series` every input column over all rows of the table. Noise is Gaussian, added in double after
/// normalising, from a counter-based stream: element (i, c) of the columns (x, y, z side by side) depends
/// on the seed, i and c alone.
///
/// Refused (InputError): NaN or infinity in a column that is used (not_finite; says row and column), too
/// few observations for k and the window (out_of_range; says how many there are and how many are
/// needed), points that would take more than 8 GiB (too_large), k < 1, algorithm not 1 or 2, window < 0,
/// noise negative or not finite.
Result<Points> prepare(const SeriesTable& table, const Layout& layout, const EstimationOptions& options);

/// Which rows of the table are observations.
struct Observations {
  std::int64_t reach = 0;                   ///< rows of each trial before its first observation
  std::vector<std::int64_t> trial_lengths;  ///< as in Points
  std::int64_t count = 0;
};

/// The observations that a reach leaves, after the checks of `prepare`: the options, enough neighbours, and
/// points of `width` columns that fit.
Result<Observations> observations_of(const SeriesTable& table, std::int64_t reach, std::int64_t width,
                                     const EstimationOptions& options);

/// Rows of a trial before the first observation of a layout.
std::int64_t reach_of(const Layout& layout);

/// Columns that some variables embed to.
std::int64_t width_of(std::span<const te::EmbeddedVariable> variables);

/// One part of the points alone, (n, width_of(variables)): the same doubles as in `prepare` of the whole.
/// `first_column` is the place of the part's first column among x, y and z side by side, on which its noise
/// depends. So parts that many pairs share are made once. Precondition: `reach` is at least what the
/// variables need. Refused: NaN or infinity, as there.
Result<Tensor> prepare_part(const SeriesTable& table, std::span<const te::EmbeddedVariable> variables,
                            std::int64_t reach, std::int64_t first_column, const EstimationOptions& options);

/// The least number of neighbours that any point may choose from: n less the largest exclusion zone, which a
/// trial of L observations makes min(L, 2 w + 1) points wide.
std::int64_t admissible_neighbours(std::span<const std::int64_t> trial_lengths, std::int64_t theiler_window);

/// z-scores the columns of a (rows, columns) matrix in place.
void normalise_columns(std::span<double> matrix, std::int64_t rows, std::int64_t columns);

}  // namespace assay::analysis
