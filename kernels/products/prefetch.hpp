#pragma once

#include <cstdint>

#include "hwy/cache_control.h"

namespace assay::kernels::products {

/// Asks for the cache lines of `Bytes` bytes `ahead` of those at `at`. What lies there is not read and need
/// not be the caller's.
template <int Bytes>
inline void prefetch(const std::uint8_t* at, std::int64_t ahead) {
  const std::uintptr_t there = reinterpret_cast<std::uintptr_t>(at) + static_cast<std::uintptr_t>(ahead);
  for (int byte = 0; byte < Bytes; byte += 64)
    hwy::Prefetch(reinterpret_cast<const std::uint8_t*>(there + static_cast<std::uintptr_t>(byte)));
}

}  // namespace assay::kernels::products
