#include "reports/html/plot.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "reports/html/axis.hpp"
#include "reports/html/elements.hpp"
#include "reports/test_markup.hpp"

namespace assay::reports::html {
namespace {

using test::occurrences;

Plot line(const std::vector<double>& values) {
  Plot plot;
  plot.title = "a < b";
  plot.x_label = "x";
  plot.y_label = "y";
  plot.series.resize(1);
  plot.series[0].name = "s & t";
  for (std::size_t i = 0; i < values.size(); ++i) {
    plot.series[0].points.emplace_back();
    plot.series[0].points.back().x = static_cast<double>(i + 1);
    plot.series[0].points.back().y = values[i];
  }
  return plot;
}

TEST(Ticks, AreRoundAndWithinTheAxis) {
  EXPECT_EQ(ticks(0.0, 10.0, false), (std::vector<double>{0, 5, 10}));
  for (const auto& [low, high] : {std::pair{-3.0, 17.0}, {0.00012, 0.00019}, {1e6, 3e6}, {5.0, 5.2}}) {
    const auto found = ticks(low, high, false);
    EXPECT_GE(found.size(), 2u);
    EXPECT_LE(found.size(), 8u);
    for (const double tick : found) {
      EXPECT_GE(tick, low - 1e-9 * std::abs(low));
      EXPECT_LE(tick, high + 1e-9 * std::abs(high));
    }
  }
  EXPECT_EQ(ticks(1.0, 1000.0, true), (std::vector<double>{1, 10, 100, 1000}));
  EXPECT_EQ(ticks(1.0, 20.0, true), (std::vector<double>{1, 2, 5, 10, 20}));
  EXPECT_LE(ticks(1e-12, 1e12, true).size(), 8u);
  EXPECT_GE(ticks(0.56, 0.98, true).size(), 2u);
}

TEST(AxisTest, PutsValuesInProportion) {
  const Axis linear({0.0, 10.0, std::nan("")}, false, true, 100.0, 200.0);
  EXPECT_DOUBLE_EQ(linear.at(0.0), 100.0);
  EXPECT_DOUBLE_EQ(linear.at(5.0) - linear.at(0.0), linear.at(10.0) - linear.at(5.0));
  const Axis logarithmic({1.0, 100.0, -5.0}, true, false, 300.0, 100.0);
  EXPECT_NEAR(logarithmic.at(10.0), 200.0, 1e-9);
  EXPECT_FALSE(logarithmic.shows(0.0));
  EXPECT_TRUE(Axis({-1.0, 0.0}, true, false, 0.0, 1.0).empty());
  const Axis single({7.0}, false, false, 0.0, 1.0);
  EXPECT_NEAR(single.at(7.0), 0.5, 1e-9);
}

TEST(AxisTest, LabelsTellTicksApart) {
  const auto label = [](const std::vector<double>& values, PlotUnit unit, bool logarithmic = false) {
    std::string out;
    for (const PlotTick& tick : Axis(values, logarithmic, false, 0, 1).labelled_ticks(unit))
      out += tick.label + "|";
    return out;
  };
  EXPECT_EQ(label({0.1430, 0.1436}, PlotUnit::number), "0.1430|0.1432|0.1434|0.1436|");
  EXPECT_EQ(label({1.1e6, 1.4e6}, PlotUnit::time_ns), "1.1 ms|1.2 ms|1.3 ms|1.4 ms|");
  EXPECT_EQ(label({0.0, 1.0}, PlotUnit::share), "0 %|50 %|100 %|");
  EXPECT_EQ(label({1e2, 1e5}, PlotUnit::time_ns, true), "100 ns|1 us|10 us|100 us|");
  EXPECT_EQ(label({1e-5, 1e-3}, PlotUnit::number, true), "1e-05|1e-04|0.001|");
}

TEST(Figure, IsWellFormedWithItsDataBesideIt) {
  Plot plot = line({1.0, 2.0, std::nan(""), 4.0});
  plot.series[0].points[0].low = 0.5;
  plot.series[0].points[0].high = 1.5;
  plot.series[0].points[1].note = "\"noted\"";
  plot.level = 2.5;
  plot.level_name = "truth";
  plot.markers = {{2.5, "changed"}, {4.0, "late"}};
  const std::string html = figure(plot);
  EXPECT_EQ(test::markup_problem(html, true), "");
  EXPECT_TRUE(html.find("<title>a &lt; b</title>") != std::string::npos);
  EXPECT_EQ(occurrences(html, "<circle"), 3u);
  EXPECT_EQ(occurrences(html.substr(html.find("<path")), "M"), 2u);  // broken at the gap
  EXPECT_TRUE(html.find("1 [0.5, 1.5]") != std::string::npos);
  EXPECT_TRUE(html.find("truth") != std::string::npos);
  EXPECT_EQ(occurrences(html, "<ul class=\"legend\">"), 0u);  // one line needs none
}

TEST(Figure, WithoutAPointIsNothing) {
  EXPECT_EQ(figure(Plot{}), "");
  EXPECT_EQ(figure(line({std::nan("")})), "");
  Plot plot = line({-1.0, -2.0});
  plot.log_y = true;
  EXPECT_EQ(figure(plot), "");
  EXPECT_EQ(gallery(""), "");
}

TEST(Elements, TablesFoldAndSortKeysAreKept) {
  Grid grid;
  grid.caption = "c";
  grid.columns = {"a", "b"};
  EXPECT_EQ(table(grid), "");
  for (int i = 0; i < 3; ++i) grid.rows.push_back({text_cell("<x>"), time_cell(1500.0 * i)});
  const std::string html = table(grid);
  EXPECT_EQ(test::markup_problem(html, true), "");
  EXPECT_EQ(html.find("<details"), std::string::npos);
  EXPECT_NE(html.find("data-sort=\"1500\">1.5 us"), std::string::npos);
  EXPECT_NE(html.find("data-sort=\"nan\">–"), std::string::npos);
  EXPECT_NE(html.find("<th scope=\"col\" class=\"n\">b"), std::string::npos);
  EXPECT_NE(table(grid, 2).find("<summary>c (3)</summary>"), std::string::npos);
  EXPECT_NE(meter(1.7, "170 %").find("width:100.0%"), std::string::npos);
  EXPECT_NE(badge(Verdict::not_executed).find("not executed"), std::string::npos);
}

}  // namespace
}  // namespace assay::reports::html
