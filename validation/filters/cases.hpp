#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/arguments.hpp"

/// Many random rows through one filter, each row a case: its survivors beside the reference's. Integer
/// weights and the reference's doubles may decide otherwise where a threshold is met almost exactly; how
/// often that happens is counted.
namespace assay::validation::filters {

/// Within this of its threshold a decision is a close call (reference/tokens/margins.hpp).
inline constexpr double close = 1e-9;

struct Counts {
  std::int64_t cases = 0;
  std::int64_t differing = 0;    ///< rows whose survivors are not the reference's
  std::int64_t close_calls = 0;  ///< rows whose decision is a close call
  std::int64_t differing_among_close = 0;

  std::int64_t failures() const { return differing - differing_among_close; }
  Counts& operator+=(const Counts& other);
};

struct FilterCounts {
  Counts drawn;         ///< parameters drawn without a look at the row, edges of their range among them
  Counts at_threshold;  ///< parameters put where the row's own mass or distance makes a close call
  std::string first;    ///< the first failure, or an empty text: what it takes to see it again
  Counts all() const;
};

/// The operations that can be counted.
std::vector<std::string> counted_operations();

/// Runs one call; called by several threads at once.
using RunCall =
    std::function<std::map<std::string, Tensor>(const std::string& operation, const HostArguments&)>;

/// Draws `cases` rows by the seed: every kind of row and type, 2 to 400 tokens and now and then up to 3,000,
/// masks, min_keep. The same cases for every backend and number of threads (0: one a core).
FilterCounts count_filter_cases(const RunCall& run, const std::string& operation, std::int64_t cases,
                                std::uint64_t seed, unsigned threads,
                                const std::function<void(std::int64_t done)>& progress = {});

}  // namespace assay::validation::filters
