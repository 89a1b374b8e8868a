#include "kernels/spatial/search.hpp"

namespace assay::kernels::spatial {

bool use_tree(Search search, std::int64_t n, std::int64_t d) {
  if (search != Search::automatic) return search == Search::tree;
  if (d <= 1 || d > 12) return false;
  return n >= (d <= 4 ? 2000 : 8000);
}

}  // namespace assay::kernels::spatial
