#pragma once

#include <vector>

#include "benchmarks/measurement.hpp"
#include "engine/runtime/context.hpp"

namespace assay::benchmarks {

/// Measures what bounds the context's device: the rate of a copy far larger than the caches (bytes read plus
/// bytes written) and, on the CPU, the rate of independent double fused multiply-adds on all threads. Takes
/// about half a second.
std::vector<Ceiling> measure_ceilings(Context& context);

/// Least time in nanoseconds for the work under the ceilings of that kind ("memory", "compute"); 0 for
/// "none".
double floor_ns(const std::vector<Ceiling>& ceilings, std::string_view kind, double flops, double bytes);

}  // namespace assay::benchmarks
