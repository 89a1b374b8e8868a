#include "kernels/spatial/search.hpp"

#include <limits>

namespace assay::kernels::spatial {

namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

bool from(Search search, std::int64_t n, std::int64_t crossover) {
  return search == Search::automatic ? n >= crossover : search == Search::tree;
}

}  // namespace

bool tree_for_neighbours(Search search, std::int64_t n, std::int64_t d) {
  return from(search, n, d < 2 ? kNever : d <= 8 ? 1'000 : d <= 12 ? 10'000 : d <= 16 ? 50'000 : kNever);
}

bool tree_for_counts(Search search, std::int64_t n, std::int64_t d) {
  return from(search, n,
              d < 2     ? kNever
              : d == 2  ? 20'000
              : d <= 8  ? 2'000
              : d <= 10 ? 16'000
              : d <= 16 ? 50'000
                        : kNever);
}

bool tree_for_conditional(Search search, std::int64_t n) {
  return from(search, n, 20'000);
}

}  // namespace assay::kernels::spatial
