#include "reference/te/knn.hpp"

#include <gtest/gtest.h>

namespace assay::reference::te {
namespace {

TEST(ReferenceKnn, OrdersByDistanceThenIndexAndLeavesOutTheWindow) {
  const std::vector<double> points{0, 0, 3, 1, 0, 3, 3, 0, 1, 1};  // (5, 2)
  std::vector<double> distances(10);
  std::vector<std::int64_t> indices(10);
  const Outputs outputs{{"distances", view_of(distances.data(), {5, 2})},
                        {"indices", view_of(indices.data(), {5, 2})}};
  Arguments arguments;
  arguments.inputs = {{"points", view_of(points.data(), {5, 2})}};
  arguments.parameters = {{"k", std::int64_t{2}}, {"theiler_window", std::int64_t{0}}};
  run_knn(arguments, outputs);
  EXPECT_EQ(indices[0], 4);
  EXPECT_EQ(indices[1], 1);  // 1, 2 and 3 are all 3 away
  EXPECT_EQ(distances[0], 1);
  EXPECT_EQ(distances[1], 3);
  arguments.parameters.insert_or_assign("theiler_window", std::int64_t{1});
  run_knn(arguments, outputs);
  EXPECT_EQ(indices[1], 2);
}

}  // namespace
}  // namespace assay::reference::te
