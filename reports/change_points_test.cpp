#include "reports/change_points.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "reports/test_records.hpp"

namespace assay::reports {
namespace {

using Series = std::vector<double>;

double normal(std::mt19937_64& random) {
  return std::normal_distribution<double>()(random);
}

/// Levels one after the other, each held for so many nights, with noise of that size.
Series steps(const std::vector<std::pair<double, int>>& levels, double noise, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Series out;
  for (const auto& [level, nights] : levels)
    for (int i = 0; i < nights; ++i) out.push_back(level + noise * normal(random));
  return out;
}

std::vector<std::size_t> places(const std::vector<Split>& splits) {
  std::vector<std::size_t> out;
  for (const Split& split : splits) out.push_back(split.at);
  return out;
}

/// Q of eq. 5, term by term.
double q_by_definition(std::span<const double> x, std::span<const double> y) {
  const auto mean_within = [](std::span<const double> z) {
    if (z.size() < 2) return 0.0;
    double sum = 0.0;
    for (std::size_t i = 0; i < z.size(); ++i)
      for (std::size_t k = 0; k < i; ++k) sum += std::abs(z[i] - z[k]);
    return sum / (static_cast<double>(z.size() * (z.size() - 1)) / 2.0);
  };
  double between = 0.0;
  for (const double a : x)
    for (const double b : y) between += std::abs(a - b);
  const auto n = static_cast<double>(x.size()), m = static_cast<double>(y.size());
  return n * m / (n + m) * (2.0 * between / (n * m) - mean_within(x) - mean_within(y));
}

TEST(BestSplit, IsTheLargestQOverBothEnds) {
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t size = 2 + random() % 24, least = 1 + random() % 4;
    Series z(size);
    for (double& value : z) value = trial % 2 ? normal(random) : static_cast<double>(random() % 4);
    Split expected;
    for (std::size_t at = least; at + least <= size; ++at)
      for (std::size_t end = at + least; end <= size; ++end) {
        const double q = q_by_definition(std::span(z).first(at), std::span(z).subspan(at, end - at));
        if (q > expected.statistic * (1 + 1e-12) + 1e-12) expected = {at, q, 1.0};
      }
    const Split found = best_split(z, least);
    EXPECT_NEAR(found.statistic, expected.statistic, 1e-9 * (1 + expected.statistic));
    if (trial % 2 == 1) {
      EXPECT_EQ(found.at, expected.at);  // whole numbers tie
    }
  }
  EXPECT_EQ(best_split(Series{}, 3).at, 0u);
  EXPECT_EQ(best_split(Series{1, 2, 3, 4, 5}, 3).at, 0u);
}

// A worked example: two constant levels have between-distance 1 and none within, so that Q = nm/(n+m) 2.
TEST(BestSplit, OfTwoLevelsIsWorkedOutByHand) {
  const Split split = best_split(Series{0, 0, 0, 0, 1, 1, 1, 1, 1, 1}, 3);
  EXPECT_EQ(split.at, 4u);
  EXPECT_DOUBLE_EQ(split.statistic, 4.0 * 6.0 / 10.0 * 2.0);
}

TEST(EDivisive, FindsShiftsThatStayAndNotANightThatPasses) {
  EXPECT_EQ(places(e_divisive(steps({{0, 30}, {5, 20}, {2, 25}}, 0.1, 1))),
            (std::vector<std::size_t>{30, 50}));
  Series one_bad_night = steps({{0, 60}}, 0.1, 2);
  one_bad_night[30] = 10.0;
  EXPECT_TRUE(e_divisive(one_bad_night).empty());
  // The spread may change where the level does not.
  std::mt19937_64 random(3);
  Series wider;
  for (int i = 0; i < 120; ++i) wider.push_back((i < 60 ? 0.1 : 3.0) * normal(random));
  const auto found = e_divisive(wider);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NEAR(static_cast<double>(found[0].at), 60.0, 5.0);
  EXPECT_TRUE(e_divisive(Series(50, 7.0)).empty());  // all equal
  EXPECT_TRUE(e_divisive(Series{}).empty());
}

TEST(EDivisive, SaysTheSameEveryTimeAndKeepsItsLevel) {
  const Series series = steps({{0, 20}, {1, 20}}, 0.4, 5);
  const auto once = e_divisive(series), again = e_divisive(series);
  ASSERT_EQ(once.size(), again.size());
  ASSERT_FALSE(once.empty());
  EXPECT_EQ(once[0].p_value, again[0].p_value);
  EXPECT_LE(once[0].p_value, 0.01);
  EXPECT_GE(once[0].p_value, 1.0 / 500);
  DivisiveOptions hopeless;
  hopeless.permutations = 50;  // whose smallest p-value is 1/51
  EXPECT_TRUE(e_divisive(series, hopeless).empty());
}

// 400 series without a change at a level of 1 %: more than 12 alarms have a probability below 1e-3
// (binomial).
TEST(EDivisive, AlarmsAboutAsOftenAsItSays) {
  int alarms = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    DivisiveOptions options;
    options.seed = seed;
    std::mt19937_64 random(1000 + seed);
    Series z(40);
    for (double& value : z)
      value = seed % 2 ? normal(random) : std::exp(normal(random));  // a long tail as well
    alarms += !e_divisive(z, options).empty();
  }
  EXPECT_LE(alarms, 12);
  std::printf("%d of 400 series without a change have one\n", alarms);
}

/// Asks reports/e_divisive_check.py; a null document where NumPy is not there.
nlohmann::json others_on(const std::vector<Series>& series, const DivisiveOptions& options) {
  const test::Folder folder;
  std::ofstream(folder.file("series.json")) << nlohmann::json{
      {"series", series}, {"significance", options.significance}, {"permutations", options.permutations}};
  const auto build = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const std::string command = "python3 " + (build.parent_path() / "reports/e_divisive_check.py").string() +
                              " < " + folder.file("series.json");
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  for (char buffer[4096]; std::fgets(buffer, sizeof buffer, pipe) != nullptr;) text += buffer;
  const int status = pclose(pipe);
  if (WIFEXITED(status) && (WEXITSTATUS(status) == 6 || WEXITSTATUS(status) == 127)) return {};
  EXPECT_EQ(status, 0);
  return nlohmann::json::parse(text, nullptr, false);
}

TEST(EDivisive, AgreesWithIndependentImplementations) {
  std::vector<Series> series;
  for (std::uint64_t seed = 0; seed < 6; ++seed) series.push_back(steps({{0, 25}}, 1.0, seed));
  series.push_back(steps({{0, 12}, {3, 14}}, 0.5, 11));
  series.push_back(steps({{0, 10}, {4, 9}, {1, 11}}, 0.3, 12));
  series.push_back(steps({{1, 15}, {-2, 8}, {2, 8}, {-5, 6}}, 0.2, 13));
  DivisiveOptions options;
  options.least_segment = 1;  // as the others have it
  const nlohmann::json others = others_on(series, options);
  if (others.is_null()) GTEST_SKIP() << "NumPy is not installed";
  ASSERT_EQ(others["literal"].size(), series.size());
  const bool otava = others["otava"].get<bool>();
  for (std::size_t i = 0; i < series.size(); ++i) {
    SCOPED_TRACE(i);
    const Split split = best_split(series[i], 1);
    EXPECT_EQ(split.at, others["literal"][i]["at"]);
    EXPECT_NEAR(split.statistic, others["literal"][i]["statistic"], 1e-9);
    if (!otava) continue;
    EXPECT_EQ(split.at, others["otava_best"][i]["at"]);
    EXPECT_NEAR(split.statistic, others["otava_best"][i]["statistic"], 1e-9);
    // The permutations are others; only series whose changes are plain have to come out the same.
    if (i >= 6) {
      EXPECT_EQ(nlohmann::json(places(e_divisive(series[i], options))), others["otava_points"][i]);
    }
  }
  if (!otava) std::printf("Apache Otava is not installed: compared with the definition only\n");
}

/// Nights with their times; 0 stands for a failure. Machines differ by a letter.
struct NightTime {
  double ns;
  char machine = 'a';
};

History history_of(const std::vector<NightTime>& nights) {
  History out;
  std::int64_t sequence = 0;
  for (const NightTime& night : nights) {
    Run run = test::run();
    run.commit = "commit" + std::to_string(++sequence);
    run.environment.facts["cpu"] = std::string("CPU ") + night.machine;
    out.runs.push_back({sequence, run});
    if (night.ns == 0) {
      // Every third failure left an invalid time, the others none at all.
      if (sequence % 3 == 0)
        out.benchmarks.push_back({sequence, "te.ksg", "n=1", "cpu", "", 1e12, 1, 2e12, Validity::invalid});
      continue;
    }
    out.benchmarks.push_back(
        {sequence, "te.ksg", "n=1", "cpu", "", night.ns, night.ns, night.ns, Validity::valid});
  }
  return out;
}

TEST(ChangePoints, GiveTheCommitRangeAcrossGaps) {
  std::mt19937_64 random(4);
  std::vector<NightTime> nights;
  for (int i = 0; i < 60; ++i) {
    double ns = (i < 30 ? 1000.0 : 1100.0) * (1 + 0.005 * normal(random));
    if (i % 7 == 3 || (i >= 28 && i <= 31)) ns = 0;  // failures, and four of them just at the change
    nights.push_back({ns});
  }
  const auto found = change_points(history_of(nights));
  ASSERT_EQ(found.size(), 1u);
  const ChangePoint& point = found[0];
  EXPECT_EQ(point.sequence_before, 28);
  EXPECT_EQ(point.sequence_after, 33);
  EXPECT_EQ(commit_range(point), "commit28..commit33");
  EXPECT_NEAR(point.ratio, 1.1, 0.01);
  EXPECT_EQ(point.operation + point.label + point.backend, "te.ksgn=1cpu");
}

TEST(ChangePoints, AnotherMachineIsAnotherSeries) {
  std::mt19937_64 random(5);
  std::vector<NightTime> nights;
  // Two runners in turn, one half as fast: nothing changed. Then a third takes over: nothing changed either.
  for (int i = 0; i < 60; ++i)
    nights.push_back({(i % 2 ? 1000.0 : 2000.0) * (1 + 0.005 * normal(random)), i % 2 ? 'a' : 'b'});
  for (int i = 0; i < 20; ++i) nights.push_back({500.0 * (1 + 0.005 * normal(random)), 'c'});
  EXPECT_TRUE(change_points(history_of(nights)).empty());
  // A change that both see is found on each, with the range of its own runs.
  for (std::size_t i = 40; i < 60; ++i) nights[i].ns *= 1.2;
  const auto found = change_points(history_of(nights));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].sequence_before + found[1].sequence_before, 39 + 40);
  EXPECT_EQ(found[0].sequence_after + found[1].sequence_after, 41 + 42);
}

TEST(ChangePoints, NeverMixBranchesModesOrPeers) {
  std::vector<NightTime> nights;
  std::mt19937_64 random(6);
  for (int i = 0; i < 40; ++i) nights.push_back({(i < 20 ? 1.0 : 3.0) * (1 + 0.01 * normal(random))});
  History history = history_of(nights);
  EXPECT_EQ(change_points(history).size(), 1u);
  History modes = history, branches = history, peers = history;
  for (std::size_t i = 20; i < 40; ++i) {
    modes.runs[i].run.quick = true;
    branches.runs[i].run.branch = "topic";
    peers.benchmarks[i].peer = "jidt";
  }
  EXPECT_TRUE(change_points(modes).empty());
  EXPECT_TRUE(change_points(branches).empty());
  EXPECT_TRUE(change_points(peers).empty());
}

TEST(ChangePoints, SayWhatTheCommitsCannotTell) {
  ChangePoint point;
  EXPECT_EQ(commit_range(point), "unknown commits");
  point.commit_before = point.commit_after = "0123456789abcdef";
  EXPECT_EQ(commit_range(point), "within 0123456789ab");
  point.commit_before = "fedcba9876543210";
  point.dirty = true;
  EXPECT_EQ(commit_range(point), "fedcba987654..0123456789ab (with local changes)");
}

TEST(ChangePoints, LookAtTheNewestOfALongHistoryAlone) {
  std::vector<NightTime> nights;
  std::mt19937_64 random(8);
  for (int i = 0; i < 700; ++i)
    nights.push_back({(i < 200 ? 1.0 : i < 600 ? 2.0 : 3.0) * (1 + 0.01 * normal(random))});
  const auto found = change_points(history_of(nights));
  ASSERT_EQ(found.size(), 1u);  // the first one is out of sight
  EXPECT_EQ(found[0].sequence_after, 601);
}

}  // namespace
}  // namespace assay::reports
