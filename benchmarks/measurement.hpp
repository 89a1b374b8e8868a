#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/runtime/backend.hpp"

namespace assay::benchmarks {

/// A limit of this machine that was measured in the same run.
struct Ceiling {
  std::string name;  ///< "copy rate", "fma rate"
  double value = 0;  ///< in `unit`
  std::string unit;  ///< "GB/s", "GFLOP/s"
  std::string how;   ///< how it was measured
};

/// What one case on one backend, or a peer beside it, was measured to take.
struct Measurement {
  std::string operation;
  std::string label;
  Backend backend = Backend::cpu;
  std::string peer;                ///< empty: ours
  std::vector<double> samples_ns;  ///< time of one call, one a sample, in the order measured
  double flops = 0;                ///< of one call, declared
  double bytes = 0;                ///< that one call moves at least, declared
  std::vector<Ceiling> ceilings;
  double roofline_share = 0;   ///< least possible time / median; 0 where the case declares no ceiling
  bool impossible = false;     ///< faster than the ceiling allows by more than its own uncertainty
  bool checked = false;        ///< the output was held to the reference before, and to itself after timing
  std::string failure;         ///< why the check failed; a case that failed has no samples
  std::string invalid_reason;  ///< why the times must not be used; empty: they may
  std::string cache;           ///< "cold: 7 buffer sets in turn" or "warm"
  unsigned threads = 1;
  std::int64_t calls_per_sample = 1;
  double size = 0;
  std::string size_name;                      ///< what `size` counts
  std::map<std::string, double> axes;         ///< the numbers of the label by name
  std::map<std::string, std::string> chosen;  ///< what `auto` came to, by parameter (Operation::choices)
  std::map<std::string, std::string> telemetry;

  double median_ns() const;
};

}  // namespace assay::benchmarks
