#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/arguments.hpp"
#include "validation/generators.hpp"

namespace assay::validation::transfer_entropy {

/// Rows cut into trials with an exclusion window and a number of neighbours that every point can have: what
/// te.knn, te.range_count and te.ksg have in common. Drawn with RapidCheck.
struct Neighbourhood {
  std::vector<std::int64_t> trial_lengths = {};  ///< empty: one trial, the input left out
  std::int64_t theiler_window = 0;
  std::int64_t k = 1;
  std::string search = "auto";  ///< "auto", "sorted" or "tree"

  /// Adds trial_lengths, theiler_window, search, and k where the operation takes one.
  void add_to(HostArguments& arguments, bool with_k = true) const;
};

/// For `rows` >= 2 points. The window is brought down until every point has a neighbour, k until all have
/// that many.
Neighbourhood draw_neighbourhood(std::int64_t rows);

/// What a fixed check of te.knn or te.range_count walks, with one trial.
struct SearchedCloud {
  Cloud points;
  Neighbourhood where;
};
std::ostream& operator<<(std::ostream& out, const SearchedCloud& searched);
/// Its shrinks: of the cloud, as long as all points have their neighbours.
std::vector<SearchedCloud> simpler_searched(const SearchedCloud& searched);

/// What te.ksg is asked in one case.
struct KsgCase {
  Tensor x, y, z;  ///< z without columns: no condition
  Neighbourhood where;
  std::int64_t algorithm = 1;
  HostArguments arguments() const;
  std::int64_t rows() const { return y.shape().at(0); }
};

/// Draws one: parts of one cloud, so that x, y and z share their scale. `with_condition` -1: drawn.
KsgCase draw_ksg_case(const CloudLimits& limits, int with_condition = -1);

/// Columns [first, first + count) of a (n, d) f64 tensor.
Tensor columns_of(const Tensor& points, std::int64_t first, std::int64_t count);
/// Rows in the order of a permutation: row i of the result is row order[i].
Tensor rows_of(const Tensor& points, const std::vector<std::int64_t>& order);
/// Every element of an f64 tensor mapped by f.
template <typename Map>
Tensor mapped(const Tensor& tensor, Map&& map) {
  Tensor made = tensor.clone();
  for (double& value : made.as<double>()) value = map(value);
  return made;
}
Tensor integers_tensor(const std::vector<std::int64_t>& values);

}  // namespace assay::validation::transfer_entropy
