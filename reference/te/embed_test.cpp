#include "reference/te/embed.hpp"

#include <gtest/gtest.h>

namespace assay::reference::te {
namespace {

TEST(ReferenceEmbed, TakesLagsNewestFirstAndKeepsToTheTrial) {
  const std::vector<double> series{0, 10, 1, 11, 2, 12, 3, 13, 4, 14};  // (5, 2)
  const std::vector<std::int64_t> trials{3, 2};
  Arguments arguments;
  arguments.inputs = {{"series", view_of(series.data(), {5, 2})},
                      {"trial_lengths", view_of(trials.data(), {2})}};
  arguments.parameters = {{"columns", std::vector<std::int64_t>{1, 0, 0}},
                          {"histories", std::vector<std::int64_t>{1, 2, 0}},
                          {"taus", std::vector<std::int64_t>{1, 1, 1}},
                          {"delays", std::vector<std::int64_t>{0, 0, 4}}};
  std::vector<double> embedded(9);
  std::vector<std::int64_t> times(3);
  run_embed(arguments,
            {{"embedded", view_of(embedded.data(), {3, 3})}, {"times", view_of(times.data(), {3})}});
  EXPECT_EQ(times, (std::vector<std::int64_t>{1, 2, 4}));
  EXPECT_EQ(embedded, (std::vector<double>{11, 1, 0, 12, 2, 1, 14, 4, 3}));
}

}  // namespace
}  // namespace assay::reference::te
