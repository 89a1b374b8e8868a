#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "ci/program/network_html/clustering.hpp"
#include "ci/program/network_html/colours.hpp"
#include "ci/program/network_html/layout.hpp"
#include "ci/program/network_html/packed_matrix.hpp"
#include "ci/program/network_html/view.hpp"
#include "engine/analysis/splitmix.hpp"
#include "reports/test_markup.hpp"

namespace assay::program::network_html {
namespace {

using Matrix = std::vector<std::vector<float>>;

Matrix random_similarities(std::size_t count, std::uint64_t seed) {
  analysis::SplitMix64 random(seed);
  Matrix out(count, std::vector<float>(count));
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < i; ++j) out[i][j] = out[j][i] = static_cast<float>(random.uniform());
  return out;
}

/// By its definition: join the two clusters with the largest mean similarity, until one is left.
std::vector<double> literal_heights(const Matrix& matrix) {
  std::vector<std::vector<std::size_t>> clusters(matrix.size());
  for (std::size_t i = 0; i < matrix.size(); ++i) clusters[i] = {i};
  std::vector<double> heights;
  while (clusters.size() > 1) {
    double most = -1;
    std::size_t first = 0, second = 1;
    for (std::size_t a = 0; a < clusters.size(); ++a) {
      for (std::size_t b = a + 1; b < clusters.size(); ++b) {
        double sum = 0;
        for (const std::size_t i : clusters[a])
          for (const std::size_t j : clusters[b]) sum += matrix[i][j];
        const double mean = sum / static_cast<double>(clusters[a].size() * clusters[b].size());
        if (mean <= most) continue;
        most = mean;
        first = a;
        second = b;
      }
    }
    heights.push_back(most);
    clusters[first].insert(clusters[first].end(), clusters[second].begin(), clusters[second].end());
    clusters.erase(clusters.begin() + static_cast<std::ptrdiff_t>(second));
  }
  return heights;
}

Clustering clustered(const Matrix& matrix) {
  return average_linkage(matrix.size(), [&](std::size_t i, std::size_t j) { return matrix[i][j]; });
}

TEST(Clustering, JoinsWhatItsDefinitionJoins) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const Matrix matrix = random_similarities(5 + 6 * seed, seed);
    std::vector<double> found;
    for (const Merge& merge : clustered(matrix).merges) found.push_back(merge.similarity);
    std::sort(found.rbegin(), found.rend());
    const auto expected = literal_heights(matrix);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i], expected[i], 2e-6) << seed << " " << i;
  }
}

TEST(Clustering, KeepsEveryClusterTogether) {
  const std::size_t count = 40;
  const Clustering made = clustered(random_similarities(count, 3));
  std::vector<std::size_t> place(count);
  ASSERT_EQ(made.order.size(), count);
  EXPECT_EQ(std::set<std::size_t>(made.order.begin(), made.order.end()).size(), count);
  for (std::size_t i = 0; i < count; ++i) place[made.order[i]] = i;
  std::vector<std::vector<std::size_t>> places(count);
  for (std::size_t i = 0; i < count; ++i) places[i] = {place[i]};
  for (const Merge& merge : made.merges) {
    ASSERT_LT(std::max(merge.first, merge.second), places.size());  // a cluster comes after its parts
    auto both = places[merge.first];
    both.insert(both.end(), places[merge.second].begin(), places[merge.second].end());
    const auto [low, high] = std::minmax_element(both.begin(), both.end());
    EXPECT_EQ(*high - *low + 1, both.size());
    places.push_back(std::move(both));
  }
  EXPECT_EQ(clustered(random_similarities(count, 3)).order, made.order);
}

TEST(Clustering, LaysAChainAsAChain) {
  // Leaf i is like i - 1 and i + 1 alone, after a shuffle of the numbers.
  const std::size_t count = 16;
  const auto shuffled = [](std::size_t i) { return 5 * i % 16; };
  Matrix matrix(count, std::vector<float>(count));
  for (std::size_t i = 0; i + 1 < count; ++i) {
    const float value = 1 - 0.01f * static_cast<float>(i);
    matrix[shuffled(i)][shuffled(i + 1)] = matrix[shuffled(i + 1)][shuffled(i)] = value;
  }
  const auto order = clustered(matrix).order;
  std::size_t neighbours = 0;
  for (std::size_t i = 0; i + 1 < count; ++i) neighbours += matrix[order[i]][order[i + 1]] > 0;
  EXPECT_EQ(neighbours, count - 1);
}

TEST(Clustering, TiesAndSmallCounts) {
  EXPECT_TRUE(clustered({}).order.empty());
  EXPECT_EQ(clustered(Matrix(1, {0})).order, (std::vector<std::size_t>{0}));
  const Clustering equal = clustered(Matrix(50, std::vector<float>(50, 0.0f)));
  EXPECT_EQ(equal.merges.size(), 49u);
}

TEST(Layout, KeepsToItsBoxAndPutsTheConnectedTogether) {
  // Two rings of ten without an edge between them.
  std::vector<std::pair<std::size_t, std::size_t>> edges;
  for (std::size_t i = 0; i < 10; ++i) {
    edges.emplace_back(2 * i, 2 * ((i + 1) % 10));
    edges.emplace_back(2 * i + 1, 2 * ((i + 1) % 10) + 1);
  }
  const auto places = force_layout(20, edges, 300, 200);
  const auto distance = [&](std::size_t a, std::size_t b) {
    return std::hypot(places[a].x - places[b].x, places[a].y - places[b].y);
  };
  double joined = 0, apart = 0, least = 1e9;
  for (const auto& [a, b] : edges) joined += distance(a, b) / static_cast<double>(edges.size());
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_TRUE(places[i].x >= 0 && places[i].x <= 300 && places[i].y >= 0 && places[i].y <= 200);
    for (std::size_t j = i + 1; j < 20; ++j) {
      apart += distance(i, j) / 190;
      least = std::min(least, distance(i, j));
    }
  }
  EXPECT_LT(joined, 0.5 * apart);
  EXPECT_GT(least, 8);
  const auto again = force_layout(20, edges, 300, 200);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_TRUE(again[i].x == places[i].x && again[i].y == places[i].y);
}

TEST(Layout, OfOneNodeAndOfNone) {
  EXPECT_TRUE(force_layout(0, {}, 100, 50).empty());
  const auto one = force_layout(1, {}, 100, 50);
  EXPECT_EQ(one.at(0).x, 50);
  EXPECT_EQ(one.at(0).y, 25);
}

TEST(PackedMatrix, CodesKeepValuesWithinTheBoundTheyState) {
  const double largest = 0.8;
  int last = -1;
  for (double value = -largest; value <= largest; value += largest / 5000) {
    const int code = code_of(value, largest);
    EXPECT_GE(code, last);
    EXPECT_LE(code, 254);
    last = code;
    const double bound = (std::sqrt(std::abs(value) * largest) + largest / 508) / 127;
    EXPECT_NEAR(value_of(static_cast<std::uint8_t>(code), largest), value, bound * (1 + 1e-9));
  }
  EXPECT_EQ(code_of(0, largest), 127);
  EXPECT_EQ(code_of(largest, largest), 254);
  EXPECT_EQ(code_of(-largest, largest), 0);
}

TEST(PackedMatrix, Base64AsTheStandardHasIt) {
  const auto encoded = [](const std::string& text) { return base64({text.begin(), text.end()}); };
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64({0xfb, 0xff, 0xfe}), "+//+");
}

TEST(PackedMatrix, ABlockHasItsLargestValueAndAnyMark) {
  NetworkPageInput input;
  for (int i = 0; i < 7; ++i) input.names.push_back(std::to_string(i));
  input.te = [](std::size_t i, std::size_t j) { return 0.01 * static_cast<double>(i * 7 + j) - 0.2; };
  input.p_value = input.effective = input.te;
  input.significant = [](std::size_t i, std::size_t j) { return i == 2 && j == 5; };
  View view(input);
  std::iota(view.clustering.order.begin(), view.clustering.order.end(), std::size_t{0});
  const PackedMatrix packed = packed_matrix(view, 3);
  EXPECT_EQ(packed.block, 3u);
  ASSERT_EQ(packed.count, 3u);
  const std::size_t largest[3][3] = {
      {2 * 7 + 1, 2 * 7 + 5, 2 * 7 + 6}, {5 * 7 + 2, 5 * 7 + 4, 5 * 7 + 6}, {6 * 7 + 2, 6 * 7 + 5, 0}};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column) {
      const std::uint8_t code = packed.codes[3 * row + column];
      if (row == 2 && column == 2) {
        EXPECT_EQ(code, 255);  // the diagonal alone
        continue;
      }
      EXPECT_EQ(code, code_of(0.01 * static_cast<double>(largest[row][column]) - 0.2, packed.largest));
    }
  }
  EXPECT_EQ(packed.marks, (std::vector<std::uint8_t>{0b00000010, 0}));
}

TEST(Colours, LevelsAreSymmetricAndEndWithTheScale) {
  EXPECT_EQ(level_of(0, 0.5), 0);
  EXPECT_EQ(level_of(0.5, 0.5), most_level);
  EXPECT_EQ(level_of(7, 0.5), most_level);
  EXPECT_EQ(level_of(-7, 0.5), -most_level);
  EXPECT_EQ(level_of(0.25, 0.5), -level_of(-0.25, 0.5));
  const std::string style = level_style();
  EXPECT_EQ(reports::test::occurrences(style, "--u"), 2u * (2 * most_level + 1));
  EXPECT_EQ(reports::test::occurrences(style, "--u16: #f4f6f8;"), 1u);
}

TEST(View, ScaleEndsBelowAnOutlierOfManyValues) {
  NetworkPageInput input;
  for (int i = 0; i < 50; ++i) input.names.push_back(std::to_string(i));
  input.te = [](std::size_t i, std::size_t j) {
    return i == 3 && j == 4 ? 100.0 : 0.01 * static_cast<double>(i);
  };
  const View many(input);
  EXPECT_NEAR(many.scale_end, 0.49, 1e-12);
  EXPECT_EQ(many.highest, 100);
  input.names.resize(10);
  EXPECT_EQ(View(input).scale_end, 100);  // of few it is a value like any other
}

TEST(Names, AreShortenedInTheirMiddleBetweenLetters) {
  EXPECT_EQ(shortened("short", 20), "short");
  EXPECT_EQ(shortened("abcdefghij", 7), "abcd…ij");
  EXPECT_EQ(text_columns("温度"), 4u);
  EXPECT_EQ(text_columns("größe"), 5u);
  for (std::size_t most = 4; most < 12; ++most) {
    const std::string cut = shortened("温度センサー第一号機", most);
    EXPECT_LE(text_columns(cut), most);
    EXPECT_EQ(cut.find("…") != std::string::npos, true);
    EXPECT_EQ(cut.size() % 3, 0u);  // whole letters, three bytes each
  }
}

}  // namespace
}  // namespace assay::program::network_html
