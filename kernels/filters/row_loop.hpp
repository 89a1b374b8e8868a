#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/runtime/thread_pool.hpp"
#include "engine/tensors/logit_rows.hpp"
#include "kernels/filters/filters.hpp"

namespace assay::kernels::filters {

/// body(row, the worker's scratch) for each row, rows shared out among the workers. `scratch` holds
/// RowScratch::bytes for each.
template <typename Body>
void for_each_scratch(ThreadPool& pool, const LogitRows& in, std::span<std::byte> scratch, const Body& body) {
  const std::size_t per_worker = RowScratch::bytes(in.tokens);
  pool.parallel_for(in.rows, 1, [&](std::int64_t begin, std::int64_t end, unsigned worker) {
    RowScratch own(scratch.data() + worker * per_worker, in.tokens);
    for (std::int64_t row = begin; row < end; ++row) body(row, own);
  });
}

/// body(row, what is allowed of it, the worker's scratch), likewise.
template <typename Body>
void for_each_row(ThreadPool& pool, const LogitRows& in, std::span<std::byte> scratch, const Body& body) {
  for_each_scratch(pool, in, scratch,
                   [&](std::int64_t row, RowScratch& own) { body(row, load_row(in, row, own), own); });
}

/// Writes what is left as logits, -Inf for all others; `out`: (tokens).
void write_logits(const Left& left, std::int64_t tokens, float* out);

}  // namespace assay::kernels::filters
