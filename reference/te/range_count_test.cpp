#include "reference/te/range_count.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace assay::reference::te {
namespace {

TEST(ReferenceRangeCount, CountsStrictlyOrNotAndNeverThePointItself) {
  const std::vector<double> points{0, 1, 2, 4}, radii{2, 1, 0, std::numeric_limits<double>::infinity()};
  std::vector<std::int64_t> counts(4);
  const auto run = [&](bool strict, std::int64_t window) {
    Arguments arguments;
    arguments.inputs = {{"points", view_of(points.data(), {4, 1})}, {"radii", view_of(radii.data(), {4})}};
    arguments.parameters = {{"strict", strict}, {"theiler_window", window}};
    run_range_count(arguments, {{"counts", view_of(counts.data(), {4})}});
    return counts;
  };
  EXPECT_EQ(run(true, 0), (std::vector<std::int64_t>{1, 0, 0, 3}));
  EXPECT_EQ(run(false, 0), (std::vector<std::int64_t>{2, 2, 0, 3}));
  EXPECT_EQ(run(false, 1), (std::vector<std::int64_t>{1, 0, 0, 2}));
}

}  // namespace
}  // namespace assay::reference::te
