#include "reports/store.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "reports/process_identity.hpp"
#include "reports/store_connection.hpp"
#include "reports/store_schema.hpp"
#include "reports/test_store.hpp"

namespace assay::reports {
namespace {

using test::AnyStore;
using test::error_of;
using test::stored;

INSTANTIATE_TEST_SUITE_P(On, AnyStore, testing::Values("sqlite", "postgresql"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(AnyStore, KeepsARunWholeAsItHappens) {
  RunRecord record = test::full_record();
  {
    Store store = Store::open(url("a b"));  // a blank in the path
    record.run.state = RunState::running;
    store.begin_run(record.run);
    EXPECT_EQ(store.load(record.run.id)->run.state, RunState::running);
    store.append(record.run.id, record.operations);
    store.append(record.run.id, record.checks);
    store.append(record.run.id, record.benchmarks);
    store.append(record.run.id, record.mutants);
    store.append(record.run.id, record.calibrations);
    const std::vector<Check> more{test::check("symmetry", Verdict::crashed)};
    store.append(record.run.id, more);
    record.checks.push_back(more[0]);
    record.run.environment.facts["device"] = "H200";
    store.set_environment(record.run.id, record.run.environment);
    store.finish_run(record.run.id);
    store.set_exit_status(record.run.id, 4);
  }
  const Store store = Store::open((on_server() ? "" : "sqlite:") + url("a b"), OpenMode::existing);
  auto back = store.load(record.run.id);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->run.state, RunState::complete);
  EXPECT_EQ(back->run.exit_status, 4);
  record.run.state = back->run.state;
  record.run.finished_at = back->run.finished_at;
  record.run.exit_status = 4;
  EXPECT_EQ(*back, record);
  EXPECT_FALSE(store.load("nothing").has_value());
}

TEST_P(AnyStore, ImportsWhatItExportedOnce) {
  Store store = Store::open(url("s"));
  const RunRecord record = test::full_record();
  EXPECT_TRUE(store.import(record));
  EXPECT_FALSE(store.import(record));
  EXPECT_EQ(store.load(record.run.id), record);
  EXPECT_EQ(store.runs().size(), 1u);
}

TEST_P(AnyStore, AFailedAppendLeavesNothingBehind) {
  Store store = Store::open(url("s"));
  const std::vector<Check> checks{test::check("a")};
  const auto error = error_of([&] { store.append("no-such-run", checks); });
  EXPECT_TRUE(error.bad_input());
  const reports::Run run = test::run();
  store.begin_run(run);
  EXPECT_FALSE(error_of([&] { store.begin_run(run); }).bad_input());  // the same id again
  store.append(run.id, checks);
  EXPECT_EQ(store.load(run.id)->checks.size(), 1u);
}

TEST_P(AnyStore, FindsRunsByIdPrefixAndLatest) {
  Store store = Store::open(url("s"));
  EXPECT_FALSE(store.find("latest").has_value());
  reports::Run a = test::run(), b = test::run();
  a.id = "aa11";
  b.id = "aa22";
  stored(store, a);
  stored(store, b);
  reports::Run unfinished = test::run();
  store.begin_run(unfinished);
  EXPECT_EQ(store.find("latest")->run.id, "aa22");
  EXPECT_EQ(store.find("aa1")->run.id, "aa11");
  EXPECT_EQ(store.find("aa22")->run.id, "aa22");
  EXPECT_FALSE(store.find("bb").has_value());
  EXPECT_FALSE(store.find("%").has_value());
  EXPECT_TRUE(error_of([&] { store.find("aa"); }).bad_input());
}

TEST_P(AnyStore, FiltersRunsAndFindsThePreviousOne) {
  Store store = Store::open(url("s"));
  reports::Run main_run = test::run();
  reports::Run quick = test::run();
  quick.quick = true;
  reports::Run branch = test::run();
  branch.branch = "o'hara; --";
  reports::Run later = test::run("2020-01-01T00:00:00.000Z");  // the clock jumped back
  for (const reports::Run& run : {main_run, quick, branch, later}) stored(store, run);
  RunFilter filter;
  filter.branch = "main";
  filter.quick = false;
  const auto found = store.runs(filter);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].run.id, later.id);
  filter = {};
  filter.branch = "o'hara; --";
  EXPECT_EQ(store.runs(filter).size(), 1u);
  filter = {};
  filter.command = "bench";
  EXPECT_TRUE(store.runs(filter).empty());
  EXPECT_EQ(store.previous(later)->run.id, main_run.id);
  EXPECT_FALSE(store.previous(main_run).has_value());
}

TEST_P(AnyStore, HistoryIsInOrderAndKeepsFailures) {
  Store store = Store::open(url("s"));
  for (int night = 0; night < 4; ++night) {
    const reports::Run run = test::run();
    store.begin_run(run);
    if (night != 1) {
      std::vector<Benchmark> benchmarks{test::benchmark("n=1", 100.0 + night), test::benchmark("n=2", 1.0)};
      benchmarks[0].validity = night == 2 ? Validity::invalid : Validity::valid;
      store.append(run.id, benchmarks);
    }
    Check check = test::check("p", night == 3 ? Verdict::fail : Verdict::pass);
    check.utilisation = 0.1 * night;
    const std::vector<Check> checks{check, test::check("q", Verdict::not_executed)};
    store.append(run.id, checks);
    store.finish_run(run.id, night == 0 ? RunState::interrupted : RunState::complete);
  }
  HistoryFilter filter;
  filter.operation = "te.ksg";
  filter.label = "n=1";
  filter.backend = "cpu";
  const History timings = store.history(filter);
  ASSERT_EQ(timings.runs.size(), 4u);
  EXPECT_EQ(timings.runs[0].run.state, RunState::interrupted);
  ASSERT_EQ(timings.benchmarks.size(), 3u);
  EXPECT_EQ(timings.benchmarks[0].median_ns, 100.0);
  EXPECT_EQ(timings.benchmarks[1].sequence, timings.runs[2].sequence);
  EXPECT_EQ(timings.benchmarks[1].validity, Validity::invalid);
  EXPECT_TRUE(timings.checks.empty());

  filter = {};
  filter.runs.limit = 2;
  const History newest = store.history(filter);
  EXPECT_EQ(newest.runs.size(), 2u);
  ASSERT_EQ(newest.checks.size(), 4u);
  EXPECT_EQ(newest.checks[2].verdict, Verdict::fail);
  EXPECT_DOUBLE_EQ(*newest.checks[2].utilisation, 0.1 * 3);
  EXPECT_FALSE(newest.checks[3].utilisation.has_value());
  filter.operation = "none.such";
  EXPECT_TRUE(store.history(filter).benchmarks.empty());
  EXPECT_TRUE(Store::open(url("empty")).history().runs.empty());
}

TEST_P(AnyStore, BaselinesAreKeptByBranchEnvironmentAndMode) {
  Store store = Store::open(url("s"));
  reports::Run cpu = test::run(), gpu = test::run(), quick = test::run(), newer = test::run();
  gpu.environment.facts["device"] = "NVIDIA H200";
  quick.quick = true;
  for (const reports::Run& run : {cpu, gpu, quick}) store.promote(stored(store, run));
  const std::string fingerprint = cpu.environment.fingerprint();
  EXPECT_EQ(store.baselines().size(), 3u);
  EXPECT_EQ(store.baseline("main", fingerprint, false)->run_id, cpu.id);
  EXPECT_EQ(store.baseline("main", gpu.environment.fingerprint(), false)->run_id, gpu.id);
  EXPECT_EQ(store.baseline("main", fingerprint, true)->run_id, quick.id);
  EXPECT_FALSE(store.baseline("topic", fingerprint, false).has_value());
  store.promote(stored(store, newer));
  EXPECT_EQ(store.baseline("main", fingerprint, false)->run_id, newer.id);
  EXPECT_EQ(store.baselines().size(), 3u);
  reports::Run unfinished = test::run();
  store.begin_run(unfinished);
  EXPECT_TRUE(error_of([&] { store.promote(unfinished.id); }).bad_input());
  EXPECT_TRUE(error_of([&] { store.promote("nothing"); }).bad_input());
}

TEST(StoreFile, RefusesWhatIsNoStore) {
  const test::Folder folder;
  EXPECT_TRUE(error_of([&] { Store::open(folder.file("no.sqlite"), OpenMode::existing); }).bad_input());
  EXPECT_TRUE(error_of([&] { Store::open(folder.file("no/such/folder.sqlite")); }).bad_input());
  EXPECT_TRUE(error_of([&] { Store::open(folder.path().string()); }).bad_input());
  EXPECT_TRUE(error_of([&] { Store::open(""); }).bad_input());
  EXPECT_TRUE(error_of([&] { Store::open(folder.file("a\"b")); }).bad_input());
  const auto other = error_of([&] { Store::open("mongodb://host/db"); });
  EXPECT_TRUE(other.bad_input());
  EXPECT_NE(std::string(other.what()).find("expected a path, sqlite:PATH or postgresql://..."),
            std::string::npos);

  std::ofstream(folder.file("text.sqlite")) << std::string(5000, 'x');
  const auto text = error_of([&] { Store::open(folder.file("text.sqlite")); });
  EXPECT_TRUE(text.bad_input()) << text.what();
  EXPECT_EQ(std::string(text.what()).find('\n'), std::string::npos);

  {
    soci::session foreign(soci::sqlite3, folder.file("foreign.sqlite"));
    foreign << "CREATE TABLE recipes (name TEXT)";
  }
  const auto foreign = error_of([&] { Store::open(folder.file("foreign.sqlite")); });
  EXPECT_TRUE(foreign.bad_input());
  EXPECT_NE(std::string(foreign.what()).find("something else"), std::string::npos);
}

TEST_P(AnyStore, RefusesANewerSchema) {
  const std::string place = url("s");
  { Store::open(place); }
  {
    soci::session session;
    connect(session, "s");
    session << "INSERT INTO schema_version (version, applied_at) VALUES (4711, 'later')";
  }
  const auto error = error_of([&] { Store::open(place); });
  EXPECT_TRUE(error.bad_input());
  EXPECT_NE(std::string(error.what()).find("schema 4711"), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("newer program"), std::string::npos);
}

TEST_P(AnyStore, MigratesAnOlderSchemaOnceAndKeepsItsRows) {
  const std::string place = url("s");
  std::vector<schema::Migration> list{{1, {"CREATE TABLE note (text_ TEXT NOT NULL)"}}};
  soci::session session;
  connect(session, "s");
  schema::migrate(session, list, place);
  session << "INSERT INTO note (text_) VALUES ('kept')";
  list.push_back({2, {"ALTER TABLE note ADD COLUMN mark BIGINT NOT NULL DEFAULT 7"}});
  for (int twice = 0; twice < 2; ++twice) schema::migrate(session, list, place);
  std::string text;
  long long mark = 0, versions = 0;
  session << "SELECT text_, mark FROM note", soci::into(text), soci::into(mark);
  session << "SELECT COUNT(*) FROM schema_version", soci::into(versions);
  EXPECT_EQ(text, "kept");
  EXPECT_EQ(mark, 7);
  EXPECT_EQ(versions, 2);

  // One that fails changes nothing, and a later attempt starts where the last success was.
  list.push_back({3, {"CREATE TABLE half (a BIGINT)", "NOT SQL"}});
  EXPECT_THROW(schema::migrate(session, list, place), std::exception);
  session << "SELECT COUNT(*) FROM schema_version", soci::into(versions);
  EXPECT_EQ(versions, 2);
  list.back().statements = {"CREATE TABLE half (a BIGINT)"};
  EXPECT_NO_THROW(schema::migrate(session, list, place));
}

TEST_P(AnyStore, TwoWritersAtOnceLoseNothing) {
  const std::string place = url("s");
  constexpr int writers = 2, runs_each = 15;
  std::vector<pid_t> children;
  for (int writer = 0; writer < writers; ++writer) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int status = 0;
      try {
        Store store = Store::open(place);  // both create the tables, too
        for (int i = 0; i < runs_each; ++i)
          stored(store, test::run(), {test::benchmark("n=1", 1.0), test::benchmark("n=2", 2.0)});
      } catch (const std::exception&) {
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
  const Store store = Store::open(place, OpenMode::existing);
  const History history = store.history();
  EXPECT_EQ(history.runs.size(), static_cast<std::size_t>(writers * runs_each));
  EXPECT_EQ(history.benchmarks.size(), static_cast<std::size_t>(2 * writers * runs_each));
  for (std::size_t i = 0; i < history.runs.size(); ++i)
    EXPECT_EQ(history.runs[i].sequence, static_cast<std::int64_t>(i + 1));
}

TEST_P(AnyStore, AKilledWriterLosesOnlyWhatItHadNotAppended) {
  const std::string place = url("s");
  std::string before;
  {
    Store store = Store::open(place);
    before = stored(store, test::run(), {test::benchmark("n=1", 1.0)});
  }
  reports::Run run = test::run();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      Store store = Store::open(place);
      store.begin_run(run);
      const std::vector<Check> checks{test::check("a"), test::check("b", Verdict::fail)};
      store.append(run.id, checks);
      if (write(ready[1], "x", 1) == 1) pause();
    } catch (const std::exception&) {
    }
    _exit(1);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  {
    const Store during = Store::open(place);  // while the writer lives, its run is running
    EXPECT_EQ(during.load(run.id)->run.state, RunState::running);
  }
  ASSERT_EQ(kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  close(ready[0]);
  close(ready[1]);

  const Store store = Store::open(place);
  const auto killed = store.load(run.id);
  ASSERT_TRUE(killed.has_value());
  EXPECT_EQ(killed->run.state, RunState::interrupted);
  EXPECT_EQ(killed->checks.size(), 2u);
  EXPECT_EQ(store.load(before)->benchmarks.size(), 1u);
  EXPECT_EQ(store.find("latest")->run.id, before);
}

TEST(ProcessIdentity, KnowsTheLivingFromTheDead) {
  const std::string own = own_identity();
  EXPECT_FALSE(is_gone(own));
  EXPECT_FALSE(is_gone(""));
  EXPECT_FALSE(is_gone("another-host|boot|ns|1|1"));
  const auto last = own.rfind('|');
  EXPECT_TRUE(is_gone(own.substr(0, last) + "|1"));  // the same number, another process
  std::string other_boot = own;
  other_boot.replace(own.find('|') + 1, 8, "00000000");
  EXPECT_TRUE(is_gone(other_boot));
}

}  // namespace
}  // namespace assay::reports
