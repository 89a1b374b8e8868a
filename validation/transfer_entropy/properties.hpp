#pragma once

#include "engine/analysis/estimator.hpp"
#include "engine/analysis/measure.hpp"
#include "validation/suite.hpp"

namespace assay::validation::transfer_entropy {

/// Properties of te.ksg by what they look at; validation/te/ksg.cpp puts them together.
void add_exact_properties(Suite& suite);        ///< maps of the points that change nothing, or in a known way
void add_analysis_properties(Suite& suite);     ///< of estimates from time series: engine/analysis
void add_statistical_properties(Suite& suite);  ///< significance, bias, coverage; tables and plots
void add_detection_properties(Suite& suite);    ///< of te.network: what it finds where the truth is known
void add_coverage_properties(Suite& suite);     ///< how often intervals hold a known value
void add_golden_numbers(Suite& suite);          ///< the published numbers of generated data
void add_surrogate_properties(Suite& suite);    ///< what is drawn where one pair has surrogates
void add_network_surrogate_properties(Suite& suite);  ///< the same for te.network

/// The estimator of the probe's backend: te.ksg there, or the Eigen reference.
analysis::Estimator estimator_of(Probe& probe);

/// The value of an estimate that is expected to be legal; throws Failed with the refusal otherwise.
analysis::Estimate estimate_of(Probe& probe, const analysis::SeriesTable& table, const analysis::TeSpec& spec,
                               const analysis::MeasureOptions& options);
analysis::Estimate estimate_of(Probe& probe, const analysis::SeriesTable& table,
                               const analysis::CmiSpec& spec, const analysis::MeasureOptions& options);
analysis::Estimate estimate_of(Probe& probe, const analysis::SeriesTable& table,
                               const analysis::AisSpec& spec, const analysis::MeasureOptions& options);

/// What the contract of te.ksg allows between two right values at n observations: twice the bound of one.
double value_bound(std::int64_t n, std::int64_t k);
/// The same for a local value.
double local_bound(std::int64_t n, std::int64_t k);

/// A table of one column a vector, without names.
analysis::SeriesTable table_of(const std::vector<std::vector<double>>& columns);

}  // namespace assay::validation::transfer_entropy
