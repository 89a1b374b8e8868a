#pragma once

#include <cstdint>
#include <functional>

#include "benchmarks/suite.hpp"
#include "engine/tensors/block_format.hpp"

namespace assay::benchmarks::blocks {

/// Arguments for a matrix of `rows` and `columns` elements in a format.
using MatrixArguments = std::function<HostArguments(BlockFormat format, std::int64_t rows,
                                                    std::int64_t columns, std::uint64_t seed)>;

/// Two cases for what is done to each element of a matrix: a feed-forward matrix of Llama 3 8B, and an
/// expert's of GPT-OSS. Those are 2880 wide, which no block of 256 fills: rows of 11 blocks instead. Blocks
/// are worked at alike and apart, and the reference is slow: `checked_rows` stand for all.
void add_element_cases(Suite& suite, BlockFormat format, std::int64_t checked_rows, bool quick,
                       const MatrixArguments& arguments);

}  // namespace assay::benchmarks::blocks
