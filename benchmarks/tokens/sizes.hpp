#pragma once

#include <cstdint>

#include "benchmarks/suite.hpp"

namespace assay::benchmarks::tokens {

/// Cases of 2^16 and 2^20 bytes of text, whose time grows with the bytes; `arguments` makes those of so many
/// bytes by the seed.
void add_sizes(Suite& suite, HostArguments (*arguments)(std::size_t bytes, std::uint64_t seed));

}  // namespace assay::benchmarks::tokens
