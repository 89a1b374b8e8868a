#pragma once

#include <cstdint>

#include "engine/runtime/philox.hpp"
#include "engine/tensors/block_format.hpp"
#include "engine/tensors/tensor.hpp"

namespace assay::benchmarks::blocks {

/// (rows, bytes of a row) u8: random codes, scales as trained weights have them, from 2^-10 to 2^-6. Some
/// thousand blocks are drawn and then repeated, since a draw of all would outlast the measurement.
Tensor matrix(BlockFormat format, std::int64_t rows, std::int64_t columns, Philox& random);

}  // namespace assay::benchmarks::blocks
