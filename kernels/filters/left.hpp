#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace assay::kernels::filters {

/// The tokens of a row that are left: logits by rising id. While all are left, ids are not written down.
struct Left {
  float* logits;      ///< no NaN and no -0: `load_row` saw to that
  std::int32_t* ids;  ///< not valid while `whole`
  std::int64_t count;
  bool whole;

  std::int32_t id(std::int64_t at) const { return whole ? static_cast<std::int32_t>(at) : ids[at]; }
  std::span<const float> values() const { return {logits, static_cast<std::size_t>(count)}; }
};

/// Scratch of one worker, for rows of up to `tokens`.
struct RowScratch {
  float* logits;
  std::int32_t* ids;
  std::uint64_t* weights;
  double* keys;
  std::byte* items;  ///< 2 x tokens of Item (cut.hpp)

  /// Bytes that one worker needs.
  static std::size_t bytes(std::int64_t tokens);
  RowScratch(std::byte* memory, std::int64_t tokens);

 private:
  static std::int64_t padded(std::int64_t tokens) { return (tokens + 127) / 64 * 64; }
};

}  // namespace assay::kernels::filters
