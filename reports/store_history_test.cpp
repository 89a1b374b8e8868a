#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "reports/report.hpp"
#include "reports/test_store.hpp"

/// A long history.
namespace assay::reports {
namespace {

using test::AnyStore;
using test::stored;

class LongHistory : public AnyStore {};

INSTANTIATE_TEST_SUITE_P(On, LongHistory, testing::Values("sqlite", "postgresql"),
                         [](const auto& info) { return std::string(info.param); });

constexpr long long many_runs = 100'000;

/// SQL that writes a record's JSON with the run's number in place of "NUMBER".
std::string numbered(std::string body) {
  for (auto quote = body.find('\''); quote != std::string::npos; quote = body.find('\'', quote + 2))
    body.insert(quote, "'");
  const std::string mark = "NUMBER";
  for (auto at = body.find(mark); at != std::string::npos; at = body.find(mark, at))
    body.replace(at, mark.size(), "' || i || '");
  return "'" + body + "'";
}

/// Runs of three branches, each with two times, two checks and a planted fault, written by the database
/// itself.
void fill(soci::session& session) {
  Run run = test::run();
  run.id = "NUMBER-0000";
  run.state = RunState::complete;
  const std::string body = numbered(nlohmann::json(run).dump());
  const std::string numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                              std::to_string(many_runs) + ") ";
  session << "INSERT INTO run (sequence, id, started_at, command, branch, fingerprint, quick, state, owner, "
             "body) " +
                 numbers +
                 "SELECT i, '' || i || '-0000', '2025-03-01T02:00:00.000Z', 'nightly', CASE WHEN i % 3 = 0 "
                 "THEN 'main' ELSE 'topic-' || (i % 3) END, '" +
                 run.environment.fingerprint() + "', 0, 'complete', '', " + body + " FROM n";
  for (const char* label : {"n=1", "n=2"}) {
    const Benchmark benchmark = test::benchmark(label, 1000.0);
    session
        << "INSERT INTO benchmark_record (run, position, operation, label, backend, peer, median_ns, low_ns, "
           "high_ns, validity, body) " +
               numbers + "SELECT i, " + (std::string(label) == "n=1" ? "0" : "1") + ", 'te.ksg', '" + label +
               "', 'cpu', '', 1000 + i % 7, 990, 1010, 'valid', " +
               numbered(nlohmann::json(benchmark).dump()) + " FROM n";
  }
  session << "INSERT INTO mutant_record (run, position, operation, id, backend, status, body) " + numbers +
                 "SELECT i, 0, 'te.ksg', 'te.ksg/strict', 'cpu', 'caught', " +
                 numbered(nlohmann::json(test::full_record().mutants[0]).dump()) + " FROM n";
  for (const char* name : {"p", "q"}) {
    const Check check = test::check(name);
    session << "INSERT INTO check_record (run, position, operation, name, backend, kind, verdict, "
               "utilisation, body) " +
                   numbers + "SELECT i, " + (std::string(name) == "p" ? "0" : "1") + ", 'te.ksg', '" + name +
                   "', 'cpu', 'property', 'pass', 0.5, " + numbered(nlohmann::json(check).dump()) + " FROM n";
  }
}

/// Forty more cases in the newest two hundred runs of the branch, each with a shift a hundred runs ago.
void add_shifts(soci::session& session) {
  const std::string last = std::to_string(many_runs);
  session << "INSERT INTO benchmark_record (run, position, operation, label, backend, peer, median_ns, "
             "low_ns, high_ns, "
             "validity, body) WITH RECURSIVE k (c) AS (SELECT 2 UNION ALL SELECT c + 1 FROM k WHERE c < 41) "
             "SELECT r.sequence, c, 'te.ksg', 'case=' || c, 'cpu', '', CASE WHEN r.sequence > " +
                 last + " - 300 THEN 1200 ELSE 1000 END + (r.sequence * c) % 7, 990, 1210, 'valid', " +
                 numbered(nlohmann::json(test::benchmark("case", 1000.0)).dump()) + " FROM run r, k " +
                 "WHERE r.branch = 'main' AND r.sequence > " + last + " - 600";
}

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

TEST_P(LongHistory, OfAHundredThousandRunsIsReportedWithinSeconds) {
  { Store::open(url()); }
  {
    soci::session session;
    connect(session);
    session << "BEGIN";
    fill(session);
    add_shifts(session);
    session << "COMMIT";
    if (on_server()) session << "ANALYZE";
  }
  Store store = Store::open(url());
  RunRecord last = test::full_record();
  last.run.quick = false;
  last.run.state = RunState::complete;
  ASSERT_TRUE(store.import(last));

  // The time of this process alone is judged, because others may be at work on the machine; both are shown.
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = cpu_seconds();
  const Store again = Store::open(url(), OpenMode::existing);
  const std::string id = again.find(last.run.id.substr(0, 8))->run.id;
  const ReportInput input = gather_report(again, id, gate(*again.load(id), nullptr), std::nullopt);
  write_report(folder_.path() / "out", input);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double used = cpu_seconds() - cpu;
  std::printf("a report on %lld runs: %.2f s, %.2f s of CPU time\n", many_runs + 1, seconds, used);
  RecordProperty("report_seconds", std::to_string(seconds));
  EXPECT_LT(used, 5.0);
  EXPECT_EQ(input.calibrations.size(), 200u);
  EXPECT_EQ(input.calibrations.back().run.id, last.run.id);
  EXPECT_EQ(input.history.runs.size(), 200u);
  EXPECT_EQ(input.history.benchmarks.size(), (2u + 40u) * 199u + 1u);
  EXPECT_EQ(input.change_points.size(), 40u);
  for (const ChangePoint& point : input.change_points) EXPECT_NEAR(point.ratio, 1.2, 0.01);
  ASSERT_TRUE(input.previous.has_value());
  EXPECT_EQ(input.previous->run.id, std::to_string(many_runs / 3 * 3) + "-0000");
}

}  // namespace
}  // namespace assay::reports
