#pragma once

#include <cstdint>
#include <span>

namespace assay::kernels::spatial {

/// Points as the callers hold them: (n, d), row-major, not owned.
struct Rows {
  const double* data = nullptr;
  std::int64_t n = 0;
  std::int64_t d = 0;

  const double* row(std::int64_t i) const { return data + i * d; }
};

/// Which structure finds neighbours (the CPU backend's choice by size and dimensions, or one that a check
/// asks for).
enum class Search : std::uint8_t { automatic, sorted, tree };

}  // namespace assay::kernels::spatial
