#include "ci/program/network_page.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <stdexcept>

#include "ci/program/network_html/packed_matrix.hpp"
#include "ci/program/network_html/view.hpp"
#include "ci/test_process.hpp"
#include "reports/test_markup.hpp"

namespace assay::program {
namespace {

using reports::test::markup_problem;
using reports::test::occurrences;

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Columns c0, c1, ..: the i-th tells the next one much, the others next to nothing, half of them below 0.
double coupled(std::size_t source, std::size_t target) {
  if (target == source + 1) return 0.2 + 0.001 * static_cast<double>(source);
  const double small = 0.001 * static_cast<double>((7 * source + 3 * target) % 10 + 1);
  return (source + target) % 2 == 0 ? small : -small;
}

NetworkPageInput untested(std::size_t count) {
  NetworkPageInput input;
  for (std::size_t i = 0; i < count; ++i) input.names.push_back("c" + std::to_string(i));
  input.te = coupled;
  input.data = "some.csv";
  input.samples = 777;
  input.backend = "cpu";
  input.device = "a processor";
  input.elapsed_ms = 1500;
  return input;
}

/// The couplings have the smallest p-value of 199 surrogates and survive.
NetworkPageInput tested(std::size_t count) {
  NetworkPageInput input = untested(count);
  input.surrogates = 199;
  input.surrogate_method = "permute";
  input.p_value = [](std::size_t i, std::size_t j) { return j == i + 1 ? 1.0 / 200 : 0.5; };
  input.effective = [](std::size_t i, std::size_t j) { return coupled(i, j) - 0.002; };
  input.significant = [](std::size_t i, std::size_t j) { return j == i + 1; };
  return input;
}

nlohmann::json data_of(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"matrix-data\">";
  const auto from = page.find(open) + open.size();
  return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
}

std::string section_of(const std::string& page, const std::string& id) {
  const auto from = page.find("<section id=\"" + id + "\"");
  return from == std::string::npos ? "" : page.substr(from, page.find("</section>", from) - from);
}

TEST(NetworkPage, SaysWhatWasDone) {
  const std::string page = network_page(tested(12));
  EXPECT_EQ(markup_problem(page, true), "");
  EXPECT_TRUE(holds(page, "<h1>11 of 132 ordered pairs survive a false discovery rate of 5 %</h1>"));
  for (const char* fact : {"some.csv", "777", "KSG, algorithm 1, k = 4", "cpu (a processor)", "199 (permute)",
                           "1.5 s", "The true value is never negative"})
    EXPECT_TRUE(holds(page, fact)) << fact;
  EXPECT_EQ(page, network_page(tested(12)));
  EXPECT_FALSE(holds(page, "://"));  // nothing is fetched from anywhere
  EXPECT_FALSE(holds(page, "<link"));
  EXPECT_TRUE(holds(page, "prefers-color-scheme: dark"));
}

TEST(NetworkPage, WarnsWhereTheSurrogatesAreTooFew) {
  // 132 pairs and 199 surrogates: 1/200 <= i 0.05 / 132 from i = 14 on.
  const std::string few = network_page(tested(12));
  EXPECT_TRUE(holds(few, "at least 14 pairs must have it"));
  EXPECT_TRUE(holds(few, "2639 surrogates would find a single one"));
  NetworkPageInput enough = tested(12);
  enough.surrogates = 2639;
  EXPECT_FALSE(holds(network_page(enough), "class=\"warning\""));
  EXPECT_FALSE(holds(network_page(untested(12)), "class=\"warning\""));
}

TEST(NetworkPage, DrawsEveryCellAndMarksThoseThatSurvive) {
  const std::string page = network_page(tested(12));
  const std::string matrix = section_of(page, "matrix");
  const auto names = data_of(page)["names"].get<std::vector<std::string>>();
  const auto place = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) - names.begin();
  };
  for (const auto& [source, target] : {std::pair{"c0", "c1"}, {"c7", "c8"}}) {
    const std::string mark =
        "M" + std::to_string(place(target)) + ".5 " + std::to_string(place(source)) + ".5h0";
    EXPECT_TRUE(holds(matrix, mark)) << mark;
  }
  EXPECT_EQ(occurrences(matrix, "h.94v.94h-.94z"), 132u);
  EXPECT_EQ(occurrences(matrix, ".5h0"), 11u);
  EXPECT_EQ(occurrences(matrix, "<text data-row="), 12u);
  EXPECT_EQ(occurrences(matrix, "<text data-column="), 12u);
  EXPECT_TRUE(holds(matrix, "class=\"tree\""));
  EXPECT_FALSE(holds(matrix, "<canvas"));
  EXPECT_EQ(occurrences(section_of(network_page(untested(12)), "matrix"), ".5h0"), 0u);
}

TEST(NetworkPage, KeepsTheNumbersOfAllPairsInTheOrderOfTheRows) {
  NetworkPageInput input = tested(9);
  input.te = [](std::size_t i, std::size_t j) { return i == 4 && j == 2 ? std::nan("") : coupled(i, j); };
  input.delay = [](std::size_t i, std::size_t j) { return static_cast<std::int64_t>(10 * i + j); };
  const auto data = data_of(network_page(input));
  ASSERT_EQ(data["names"].size(), 9u);
  ASSERT_EQ(data["te"].size(), 81u);
  std::vector<std::size_t> order;
  for (const std::string name : data["names"]) order.push_back(std::stoul(name.substr(1)));
  EXPECT_EQ(std::set<std::size_t>(order.begin(), order.end()).size(), 9u);
  for (std::size_t row = 0; row < 9; ++row) {
    for (std::size_t column = 0; column < 9; ++column) {
      const std::size_t at = 9 * row + column, i = order[row], j = order[column];
      if (i == j || (i == 4 && j == 2)) {
        EXPECT_TRUE(data["te"][at].is_null());
        continue;
      }
      EXPECT_NEAR(data["te"][at].get<double>(), coupled(i, j), 5e-4 * std::abs(coupled(i, j)));
      EXPECT_NEAR(data["effective"][at].get<double>(), coupled(i, j) - 0.002, 1e-4);
      EXPECT_EQ(data["significant"][at].get<int>(), j == i + 1 ? 1 : 0);
      EXPECT_EQ(data["delay"][at].get<std::size_t>(), 10 * i + j);
    }
  }
}

TEST(NetworkPage, PaintsALargeMatrixFromOneByteACell) {
  const std::string page = network_page(tested(151));
  EXPECT_TRUE(holds(page, "<canvas"));
  EXPECT_TRUE(holds(page, "id=\"fade\" checked"));
  EXPECT_TRUE(holds(page, "8 bits of each value"));
  EXPECT_FALSE(holds(page, "neighbours and has their largest value"));
  const auto data = data_of(page);
  EXPECT_EQ(data["block"], 1);
  EXPECT_EQ(data["codes"].get<std::string>().size(), (151u * 151u + 2) / 3 * 4);
  EXPECT_EQ(data["marks"].get<std::string>().size(), ((151u * 151u + 7) / 8 + 2) / 3 * 4);
  EXPECT_FALSE(data.contains("te"));
  EXPECT_FALSE(holds(network_page(untested(151)), "id=\"fade\""));
}

TEST(NetworkPage, StaysBelowFiveMegabytes) {
  NetworkPageInput input = tested(2000);
  for (std::string& name : input.names) name = std::string(300, '<') + name;
  const std::string page = network_page(input);
  EXPECT_LT(page.size(), 5'000'000u);
  EXPECT_TRUE(holds(page, "stands for 2 x 2 neighbours"));
  const auto data = data_of(page);
  EXPECT_EQ(data["block"], 2);
  EXPECT_EQ(data["rows"], 1000);
  EXPECT_EQ(data["names"].size(), 2000u);
}

TEST(NetworkPage, GraphHasTheSurvivorsAlone) {
  const std::string graph = section_of(network_page(tested(12)), "graph");
  EXPECT_EQ(occurrences(graph, "<g class=\"edge\""), 11u);
  EXPECT_EQ(occurrences(graph, "<g class=\"node\""), 12u);
  EXPECT_TRUE(holds(graph, "All 11 edges that survive."));
  EXPECT_TRUE(holds(graph, "<title>c3 → c4: 0.203 nats, effective 0.201, p = 0.005</title>"));
  EXPECT_FALSE(holds(graph, "→ c0:"));
  EXPECT_FALSE(holds(graph, "no edge in the graph"));
  // As wide as strong: the strongest, drawn last, is the widest.
  std::vector<double> widths;
  const std::regex width("stroke-width:([0-9.]+)");
  for (std::sregex_iterator at(graph.begin(), graph.end(), width), end; at != end; ++at)
    widths.push_back(std::stod((*at)[1]));
  ASSERT_EQ(widths.size(), 11u);
  EXPECT_TRUE(std::is_sorted(widths.begin(), widths.end()));
  EXPECT_LT(widths.front(), widths.back());
}

TEST(NetworkPage, GraphNamesWhatHasNoEdgeAndCountsWhatIsLeftOut) {
  NetworkPageInput some = tested(6);
  some.significant = [](std::size_t i, std::size_t j) { return i == 1 && j == 2; };
  EXPECT_TRUE(holds(network_page(some), "4 columns have no edge in the graph: c0, c3, c4, c5."));
  some.significant = [](std::size_t, std::size_t) { return false; };
  EXPECT_TRUE(holds(section_of(network_page(some), "graph"), "No edge survives"));
  NetworkPageInput many = tested(20);
  many.significant = [](std::size_t, std::size_t) { return true; };
  const std::string graph = section_of(network_page(many), "graph");
  EXPECT_EQ(occurrences(graph, "<g class=\"edge\""), 300u);
  EXPECT_TRUE(holds(graph, "The 300 strongest of 380 edges that survive; 80 weaker ones are left out."));
}

TEST(NetworkPage, WithoutSurrogatesShowsTheStrongestAndSaysSo) {
  const std::string page = network_page(untested(12));
  EXPECT_EQ(markup_problem(page, true), "");
  EXPECT_TRUE(holds(page, "132 transfer entropies, not tested"));
  EXPECT_EQ(section_of(page, "p-values"), "");
  const std::string graph = section_of(page, "graph");
  EXPECT_EQ(occurrences(graph, "<g class=\"edge\""), 24u);
  EXPECT_TRUE(holds(graph, "these are not findings"));
  EXPECT_TRUE(holds(graph, "c10 → c11"));
  EXPECT_FALSE(holds(graph, ": -"));
  EXPECT_FALSE(holds(section_of(page, "strongest"), "survives"));
}

TEST(NetworkPage, CountsPValues) {
  NetworkPageInput input = tested(4);  // 12 pairs: 3 at 0.005, the others as below
  input.p_value = [](std::size_t i, std::size_t j) {
    if (j == i + 1) return 1.0 / 200;
    return i == 0 ? 0.05 : i == 1 ? 1.0 : 0.0501;
  };
  const std::string section = section_of(network_page(input), "p-values");
  EXPECT_TRUE(holds(section, "3 of 12 p-values are the smallest that 199 surrogates can give, 0.005."));
  EXPECT_TRUE(holds(section, "survives: p ≤ 0.005"));
  // (0, 0.05]: three and the two of 0.05; (0.05, 0.1]: five; (0.95, 1]: the two of c1.
  EXPECT_TRUE(holds(section, "0.00 &lt; p ≤ 0.05: 5<"));
  EXPECT_TRUE(holds(section, "0.05 &lt; p ≤ 0.10: 5<"));
  EXPECT_TRUE(holds(section, "0.95 &lt; p ≤ 1.00: 2<"));
  EXPECT_EQ(occurrences(section, "<rect"), 20u);
  EXPECT_EQ(occurrences(section, ">0.6</td>"), 20u);  // 12 / 20 expected in each
  input.significant = [](std::size_t, std::size_t) { return false; };
  const std::string none = section_of(network_page(input), "p-values");
  EXPECT_TRUE(holds(none, "None survives"));
  EXPECT_TRUE(holds(none, "at most i times 0.00417"));
  EXPECT_FALSE(holds(none, "class=\"marker\""));
}

TEST(NetworkPage, ExpectsOfEachBinTheShareOfPValuesThatItCanHold) {
  NetworkPageInput input = tested(4);
  input.surrogates = 9;  // p is one of 0.1, 0.2, .. 1: every second bin can hold none
  input.p_value = [](std::size_t, std::size_t) { return 0.1; };
  const std::string section = section_of(network_page(input), "p-values");
  EXPECT_EQ(occurrences(section, ">1.2</td>"), 10u);
  EXPECT_EQ(occurrences(section, ">0</td></tr>"), 10u);
  EXPECT_TRUE(holds(section, "12 of 12 p-values are the smallest"));
  EXPECT_TRUE(holds(section, "0.05 &lt; p ≤ 0.10: 12<"));
}

TEST(NetworkPage, ListsTheStrongestPairsSurvivorsFirst) {
  NetworkPageInput input = tested(12);
  input.significant = [](std::size_t i, std::size_t j) { return i == 5 && j == 0; };
  input.delay = [](std::size_t, std::size_t) { return std::int64_t{17}; };
  const std::string table = section_of(network_page(input), "strongest");
  EXPECT_EQ(occurrences(table, "<tr><td>"), 40u);
  EXPECT_TRUE(holds(table, "The strongest 40 of 132 ordered pairs"));
  const std::string row =
      table.substr(table.find("<tr><td>"), table.find("<tr><td>c10") - table.find("<tr><td>"));
  EXPECT_TRUE(row.starts_with("<tr><td>c5</td><td>c0</td>")) << row;
  EXPECT_EQ(occurrences(table, "survives</span>"), 1u);
  EXPECT_EQ(occurrences(table, ">17</td>"), 40u);
}

TEST(NetworkPage, CountsDelaysOfTheSurvivors) {
  EXPECT_EQ(section_of(network_page(tested(12)), "delays"), "");
  NetworkPageInput input = tested(12);
  input.delay = [](std::size_t i, std::size_t j) {
    return std::int64_t{j == i + 1 ? 3 + std::int64_t(i % 2) : 1};
  };
  const std::string survivors = section_of(network_page(input), "delays");
  EXPECT_TRUE(holds(survivors, "<title>1: 0</title>"));
  EXPECT_TRUE(holds(survivors, "<title>3: 6</title>"));
  EXPECT_TRUE(holds(survivors, "<title>4: 5</title>"));
  input.p_value = {};
  const std::string all = section_of(network_page(input), "delays");
  EXPECT_TRUE(holds(all, "<title>1: 121</title>"));
  EXPECT_TRUE(holds(all, "of all ordered pairs"));
}

TEST(NetworkPage, NamesCannotBreakOut) {
  const std::vector<std::string> names{"</script><script>alert(1)</script>",
                                       "a & b",
                                       "\"quoted\" 'name'",
                                       "größe über 温度",
                                       "broken \xff\xfe bytes",
                                       "",
                                       std::string(5000, 'w'),
                                       "<!--"};
  for (const std::size_t more : {0u, 160u}) {
    NetworkPageInput input = tested(8 + more);
    std::copy(names.begin(), names.end(), input.names.begin());
    input.data = "<img src=x onerror=alert(2)>";
    input.device = "<i>";
    const std::string page = network_page(input);
    EXPECT_EQ(markup_problem(page, true), "");
    EXPECT_FALSE(holds(page, "alert(1)</script>"));
    EXPECT_FALSE(holds(page, "<img"));
    EXPECT_FALSE(holds(page, "<!--"));
    EXPECT_FALSE(holds(page, "\xff"));
    EXPECT_FALSE(holds(page, std::string(300, 'w')));
    EXPECT_TRUE(holds(page, "a &amp; b"));
    EXPECT_TRUE(holds(page, "größe über 温度"));
    const auto data = data_of(page);
    const std::set<std::string> kept(data["names"].begin(), data["names"].end());
    EXPECT_TRUE(kept.count("a & b"));
    EXPECT_TRUE(kept.count("\"quoted\" 'name'"));
    EXPECT_TRUE(kept.count("#5"));
    EXPECT_TRUE(kept.count("</script><script>alert(1)</script>"));
  }
}

TEST(NetworkPage, TakesWhatHasLittleToShow) {
  NetworkPageInput two = untested(2);
  EXPECT_EQ(markup_problem(network_page(two), true), "");
  two.te = [](std::size_t, std::size_t) { return std::nan(""); };
  EXPECT_TRUE(holds(network_page(two), "No pair has a value."));
  two.te = [](std::size_t, std::size_t) { return 0.0; };
  EXPECT_TRUE(holds(network_page(two), "No value is above 0."));
  two.te = [](std::size_t, std::size_t) { return -0.01; };
  EXPECT_TRUE(holds(network_page(two), "orange negative"));
  two.te = nullptr;
  EXPECT_THROW(network_page(two), std::invalid_argument);
  two = tested(2);
  two.effective = nullptr;
  EXPECT_THROW(network_page(two), std::invalid_argument);
}

/// The page as the program writes it, beside the numbers that it prints.
class NetworkPageFile : public WithSeries {};

TEST_F(NetworkPageFile, HasTheNumbersOfTheJson) {
  const auto printed = document(
      {"te", "network", "--data", "a.csv", "--surrogates", "39", "--fdr", "0.1", "--out", "net.html"});
  const std::string page = read("net.html");
  EXPECT_EQ(markup_problem(page, true), "");
  const auto data = data_of(page);
  const std::size_t x = data["names"][0] == "x" ? 0 : 1;
  const auto cell = [x](std::size_t i, std::size_t j) {
    return 2 * (i == 0 ? x : 1 - x) + (j == 0 ? x : 1 - x);  // of 2 x 2
  };
  for (const auto& [i, j] : {std::pair<std::size_t, std::size_t>{0, 1}, {1, 0}}) {
    const double te = printed["te_nats"][i][j], effective = printed["effective_te_nats"][i][j];
    EXPECT_NEAR(data["te"][cell(i, j)].get<double>(), te, 1e-3 * std::abs(te));
    EXPECT_NEAR(data["effective"][cell(i, j)].get<double>(), effective, 1e-3 * std::abs(effective));
    EXPECT_NEAR(data["p"][cell(i, j)].get<double>(), printed["p_value"][i][j].get<double>(), 1e-4);
    EXPECT_EQ(data["significant"][cell(i, j)] == 1, printed["significant"][i][j].get<bool>());
  }
  EXPECT_TRUE(holds(page, "39 (permute)"));
  EXPECT_TRUE(holds(page, std::to_string(printed["samples"].get<int>())));
  EXPECT_TRUE(holds(page, "a.csv"));
}

TEST_F(NetworkPageFile, GoesToStandardOutputWithoutAFile) {
  const Outcome outcome = run({"te", "network", "--data", "a.csv", "--format", "html"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(outcome.out.ends_with("</html>\n"));
  expect_refused({"te", "network", "--data", "a.csv", "--format", "html", "--json"},
                 "html beside --json needs --out FILE");
}

}  // namespace
}  // namespace assay::program
