#pragma once

#include "engine/analysis/estimator.hpp"

namespace assay::validation {

/// te.ksg by the Eigen reference, as an estimator that engine/analysis takes. Runs on the calling thread
/// alone.
analysis::Estimator reference_estimator();

/// The estimator of a backend: te.ksg in the context, or the reference.
analysis::Estimator estimator_for(Context& context, Backend backend);

}  // namespace assay::validation
