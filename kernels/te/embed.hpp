#pragma once

#include <cstdint>
#include <span>

#include "kernels/spatial/rows.hpp"

namespace assay {
class ThreadPool;
}

namespace assay::kernels::te {

/// One embedded variable (engine/te/embed.hpp says what the fields mean).
struct Lags {
  std::int64_t column = 0;
  std::int64_t history = 1;
  std::int64_t tau = 1;
  std::int64_t delay = 0;
};

/// Copies the lags of every observation. `trial_lengths` is not empty; `reach` is the largest offset into the
/// past; `embedded` is (n, d) row-major, `times` (n), for the n observations that the trials have.
void embed(ThreadPool& pool, spatial::Rows series, std::span<const std::int64_t> trial_lengths,
           std::span<const Lags> variables, std::int64_t reach, std::span<double> embedded,
           std::span<std::int64_t> times);

}  // namespace assay::kernels::te
