#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/operation.hpp"

namespace assay::te {

/// One embedded variable: the columns series[t - delay - j * tau, column] for j = 0 .. history - 1.
struct EmbeddedVariable {
  std::int64_t column = 0;
  std::int64_t history = 1;  ///< 0: contributes no column, and does not constrain t
  std::int64_t tau = 1;      ///< spacing of the lags, >= 1
  std::int64_t delay = 0;    ///< of the newest lag, >= 0
};

/// Time-delay embedding (Takens 1981; Lizier 2014, section 4) of several variables with a history, spacing
/// and delay each. Within a trial of L rows an observation exists for each t from reach = max over variables
/// with history > 0 of (history - 1) * tau + delay, to L - 1; it never crosses a trial's boundary. Trials too
/// short for one contribute none.
///
/// input   series: (rows, columns) f64; trial_lengths: (num_trials) i64, optional (one trial), on the host,
/// summing to rows output  embedded: (n, d) f64, variables in the given order, lags j rising within each;
/// times: (n) i64, the row
///         index t of each observation. n may be 0.
/// Refused (ContractError): a column outside the series, tau < 1, history or delay < 0, lists of unequal
/// length, trial lengths that do not sum to rows or are < 1, d = 0.
///
/// Exact: values are copied.
void embed(Context& context, const ConstTensorView& series, std::span<const std::int64_t> trial_lengths,
           std::span<const EmbeddedVariable> variables, const TensorView& embedded, const TensorView& times);

/// Largest offset into the past that the variables need.
std::int64_t embedding_reach(std::span<const EmbeddedVariable> variables);

/// Observations of each trial (0 for trials that are too short).
std::vector<std::int64_t> embedded_trial_lengths(std::span<const std::int64_t> trial_lengths,
                                                 std::int64_t reach);

Operation describe_embed();

}  // namespace assay::te
