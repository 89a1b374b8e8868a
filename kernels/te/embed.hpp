#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/spatial/rows.hpp"

struct CUstream_st;

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

/// What the CUDA body looks up. Column c of observation i is element t * width + offsets[c] of the series at
/// the time t = i + shifts[s], where s is the last segment, a trial with observations, with firsts[s] <= i.
struct EmbeddingTables {
  std::vector<std::int64_t> offsets;  ///< (d)
  std::vector<std::int64_t> firsts;   ///< (segments), the first observation of each
  std::vector<std::int64_t> shifts;   ///< (segments)

  std::size_t elements() const { return offsets.size() + 2 * firsts.size(); }
};

/// For a series of `width` columns. `trial_lengths` is not empty.
EmbeddingTables embedding_tables(std::int64_t width, std::span<const std::int64_t> trial_lengths,
                                 std::span<const Lags> variables, std::int64_t reach);

#ifdef ASSAY_HAVE_CUDA
/// The copy on CUDA: puts the tables into `room` (tables.elements() of device memory) and one kernel after
/// them on the stream, whose device is current. Series, embedded (n, d) and times (n) lie in device memory;
/// n >= 1. Throws DeviceError where a launch fails.
void embed_cuda(CUstream_st* stream, spatial::Rows series, const EmbeddingTables& tables,
                std::span<std::int64_t> room, std::int64_t n, double* embedded, std::int64_t* times);
#endif

}  // namespace assay::kernels::te
