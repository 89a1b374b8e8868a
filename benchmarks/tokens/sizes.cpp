#include "benchmarks/tokens/sizes.hpp"

#include <string>

namespace assay::benchmarks::tokens {

void add_sizes(Suite& suite, HostArguments (*arguments)(std::size_t bytes, std::uint64_t seed)) {
  for (const std::size_t bytes : {std::size_t{1} << 16, std::size_t{1} << 20}) {
    suite.add({.label = "n=" + std::to_string(bytes),
               .size = static_cast<double>(bytes),
               .size_name = "bytes",
               .make = [arguments, bytes](std::uint64_t seed) { return arguments(bytes, seed); },
               .backends = {Backend::cpu},
               .ceiling = "none",
               .check_with = [arguments](std::uint64_t seed) { return arguments(4096, seed); }});
  }
  suite.scaling({"n", 1, "each byte is looked at a bounded number of times"});
}

}  // namespace assay::benchmarks::tokens
