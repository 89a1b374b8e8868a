#include <sys/wait.h>

#include <cmath>
#include <limits>
#include <sstream>

#include "reports/jsonl.hpp"
#include "reports/store_schema.hpp"
#include "reports/test_store.hpp"

/// A store as the first release left it, and runs that go from one store to another.
namespace assay::reports {
namespace {

using test::AnyStore;
using test::error_of;
using test::stored;

class StoreMigration : public AnyStore {};

INSTANTIATE_TEST_SUITE_P(On, StoreMigration, testing::Values("sqlite", "postgresql"),
                         [](const auto& info) { return std::string(info.param); });

/// Schema 1, letter by letter: it must never follow what store_schema.cpp becomes.
const char* const first_schema[] = {
    "CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY, applied_at TEXT NOT NULL)",
    "INSERT INTO schema_version (version, applied_at) VALUES (1, '2025-03-01T02:00:00.000Z')",
    "CREATE TABLE run (sequence BIGINT NOT NULL PRIMARY KEY, id TEXT NOT NULL UNIQUE, started_at TEXT NOT "
    "NULL, "
    "command TEXT NOT NULL, branch TEXT NOT NULL, fingerprint TEXT NOT NULL, quick BIGINT NOT NULL, state "
    "TEXT NOT "
    "NULL, owner TEXT NOT NULL, body TEXT NOT NULL)",
    "CREATE INDEX run_by_place ON run (branch, fingerprint, sequence)",
    "CREATE TABLE operation_record (run BIGINT NOT NULL REFERENCES run (sequence), position BIGINT NOT NULL, "
    "operation TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, position))",
    "CREATE TABLE check_record (run BIGINT NOT NULL REFERENCES run (sequence), position BIGINT NOT NULL, "
    "operation "
    "TEXT NOT NULL, name TEXT NOT NULL, backend TEXT NOT NULL, kind TEXT NOT NULL, verdict TEXT NOT NULL, "
    "utilisation "
    "DOUBLE PRECISION NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, position))",
    "CREATE INDEX check_by_name ON check_record (operation, name, run)",
    "CREATE TABLE benchmark_record (run BIGINT NOT NULL REFERENCES run (sequence), position BIGINT NOT NULL, "
    "operation "
    "TEXT NOT NULL, label TEXT NOT NULL, backend TEXT NOT NULL, peer TEXT NOT NULL, median_ns DOUBLE "
    "PRECISION NOT "
    "NULL, low_ns DOUBLE PRECISION NOT NULL, high_ns DOUBLE PRECISION NOT NULL, validity TEXT NOT NULL, body "
    "TEXT NOT "
    "NULL, PRIMARY KEY (run, position))",
    "CREATE INDEX benchmark_by_name ON benchmark_record (operation, label, run)",
    "CREATE TABLE mutant_record (run BIGINT NOT NULL REFERENCES run (sequence), position BIGINT NOT NULL, "
    "operation "
    "TEXT NOT NULL, id TEXT NOT NULL, backend TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL, "
    "PRIMARY KEY "
    "(run, position))",
    "CREATE TABLE baseline (branch TEXT NOT NULL, fingerprint TEXT NOT NULL, quick BIGINT NOT NULL, run "
    "BIGINT NOT "
    "NULL REFERENCES run (sequence), promoted_at TEXT NOT NULL, PRIMARY KEY (branch, fingerprint, quick))",
    // One complete run with a check and a benchmark, which is the baseline.
    "INSERT INTO run VALUES (7, 'aaaaaaaa-1111', '2025-03-01T02:00:00.000Z', 'nightly', 'main', "
    "'0123456789abcdef', "
    "0, 'complete', 'h|b|n|1|1', '{\"id\": \"aaaaaaaa-1111\", \"started_at\": \"2025-03-01T02:00:00.000Z\", "
    "\"command\": \"nightly\", \"branch\": \"main\", \"state\": \"running\"}')",
    "INSERT INTO check_record VALUES (7, 0, 'te.ksg', 'p', 'cpu', 'property', 'fail', 1.5, '{\"operation\": "
    "\"te.ksg\", \"name\": \"p\", \"backend\": \"cpu\", \"kind\": \"property\", \"verdict\": \"fail\", "
    "\"utilisation\": 1.5}')",
    "INSERT INTO benchmark_record VALUES (7, 0, 'te.ksg', 'n=1', 'cpu', '', 5.5, 5, 6, 'valid', "
    "'{\"operation\": "
    "\"te.ksg\", \"label\": \"n=1\", \"backend\": \"cpu\", \"median_ns\": 5.5}')",
    "INSERT INTO baseline VALUES ('main', '0123456789abcdef', 0, 7, '2025-03-01T02:05:00.000Z')",
};

TEST_P(StoreMigration, TheFirstSchemaIsBroughtUpToDateAndKeepsEverything) {
  {
    soci::session session;
    connect(session);
    for (const char* statement : first_schema) session << statement;
  }
  for (int twice = 0; twice < 2; ++twice) {
    Store store = Store::open(url(), OpenMode::existing);
    const auto record = store.load("aaaaaaaa-1111");
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->run.state, RunState::complete);  // the column is newer than the body
    ASSERT_EQ(record->checks.size(), 1u);
    EXPECT_EQ(record->checks[0].verdict, Verdict::fail);
    ASSERT_EQ(record->benchmarks.size(), 1u);
    EXPECT_EQ(record->benchmarks[0].median_ns, 5.5);
    EXPECT_EQ(store.baseline("main", "0123456789abcdef", false)->run_id, "aaaaaaaa-1111");
    EXPECT_EQ(store.history().benchmarks.size(), 1u);
  }
  soci::session session;
  connect(session);
  long long version = 0, versions = 0;
  session << "SELECT MAX(version), COUNT(*) FROM schema_version", soci::into(version), soci::into(versions);
  EXPECT_EQ(version, schema::migrations().back().version);
  EXPECT_EQ(versions, version);
  EXPECT_GE(version, 3);
  // The indexes of the third are there: making one again fails.
  EXPECT_THROW(session << "CREATE INDEX run_by_state ON run (state)", soci::soci_error);
  Store store = Store::open(url());
  reports::Run next = test::run();
  stored(store, next);
  EXPECT_EQ(store.find(next.id)->sequence, 8);
}

TEST_P(StoreMigration, TwoProgramsMayMigrateAtOnce) {
  {
    soci::session session;
    connect(session);
    for (const char* statement : first_schema) session << statement;
  }
  const std::string place = url();
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int status = 0;
      try {
        Store::open(place);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        status = 1;
      }
      _exit(status);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_TRUE(Store::open(place).load("aaaaaaaa-1111").has_value());
}

TEST_P(StoreMigration, RunsGoToAnotherStoreAsJsonLines) {
  RunRecord record = test::full_record();
  record.run.branch = "caf\xe9 \xc3\xa9";  // Latin 1 and UTF-8
  record.checks[0].name = std::string("zero\0byte", 9);
  record.benchmarks[0].median_ns = std::numeric_limits<double>::infinity();
  record.benchmarks[0].low_ns = 1.0 / 3.0;
  Store store = Store::open(url("one"));
  EXPECT_TRUE(store.import(record));
  std::ostringstream exported;
  write_json_lines(exported, *store.load(record.run.id));
  std::istringstream lines(exported.str());
  const JsonLines read = read_json_lines(lines);
  ASSERT_TRUE(read.ok());
  Store second = Store::open(url("two"));
  EXPECT_TRUE(second.import(read.runs.at(0)));
  EXPECT_FALSE(second.import(read.runs.at(0)));
  EXPECT_EQ(second.load(record.run.id), store.load(record.run.id));
  // What is searched for is found by the name that the record itself has now.
  const RunRecord back = *second.load(record.run.id);
  EXPECT_NE(back.run.branch, record.run.branch);
  RunFilter filter;
  filter.branch = back.run.branch;
  EXPECT_EQ(second.runs(filter).size(), 1u);
  const History history = second.history();
  ASSERT_EQ(history.benchmarks.size(), 1u);
  EXPECT_EQ(history.benchmarks[0].low_ns, 1.0 / 3.0);  // every digit
  EXPECT_TRUE(std::isinf(history.benchmarks[0].median_ns));
}

TEST_P(StoreMigration, ADatabaseOfSomethingElseIsLeftAlone) {
  {
    soci::session session;
    connect(session);
    session << "CREATE TABLE recipes (name TEXT)";
  }
  const StoreError error = error_of([&] { Store::open(url()); });
  EXPECT_TRUE(error.bad_input());
  EXPECT_NE(std::string(error.what()).find("something else"), std::string::npos);
  soci::session session;
  connect(session);
  EXPECT_THROW(session << "SELECT COUNT(*) FROM run", soci::soci_error);
}

}  // namespace
}  // namespace assay::reports
