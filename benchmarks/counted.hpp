#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/context.hpp"

/// One call of each case where a tool that counts instructions can find it. Valgrind's callgrind is told of
/// the function `assay_counted_call` by name: what is executed inside it counts and nothing else does, and
/// after each call of it the count is written down.
namespace assay::benchmarks {

/// The name by which the tool finds the calls.
inline constexpr const char* counted_function = "assay_counted_call";

struct CountedCase {
  std::string name;
  std::int64_t planted_steps = 0;  ///< of the slowdown that this process was started with
};

struct CountedCall {
  std::string name;
  std::string answer;  ///< a digest of the outputs' bits
};

/// Calls each case twice, so that memory is there and instruction sets are chosen, and a third time inside
/// `assay_counted_call`, in this order: the n-th count is the n-th answer's. On the CPU, with a pool of one
/// thread: what other threads execute is not counted. Names that no case has are left out.
std::vector<CountedCall> count_calls(Context& context, const std::vector<CountedCase>& cases,
                                     std::uint64_t seed);

}  // namespace assay::benchmarks
