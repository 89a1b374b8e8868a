#pragma once

#include "engine/analysis/estimator.hpp"

namespace assay::reference {

/// The literal formulas as an estimator: what `--backend reference` computes with.
/// Quadratic in the number of points.
analysis::Estimator estimator();

}  // namespace assay::reference
