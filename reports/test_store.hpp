#pragma once

#include <gtest/gtest.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <cstdlib>
#include <functional>

#include "reports/store.hpp"
#include "reports/test_records.hpp"

/// What the tests of the store share: the same tests on a file of SQLite and on a PostgreSQL server, which
/// `ci/postgres-test` starts and names in ASSAY_TEST_POSTGRESQL.
namespace assay::reports::test {

inline StoreError error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const StoreError& error) {
    return error;
  }
  ADD_FAILURE() << "expected a StoreError";
  return {"", false};
}

/// Stores a complete run with these benchmarks and gives its id.
inline std::string stored(Store& store, const Run& run, const std::vector<Benchmark>& benchmarks = {}) {
  store.begin_run(run);
  store.append(run.id, benchmarks);
  store.finish_run(run.id);
  return run.id;
}

/// A test whose stores are gone after it: files in a folder of its own, or schemas of the server.
class AnyStore : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!on_server()) return;
    const char* named = std::getenv("ASSAY_TEST_POSTGRESQL");
    if (named == nullptr || *named == '\0')
      GTEST_SKIP() << "no PostgreSQL server: ci/postgres-test starts one";
    server_ = named;
  }

  void TearDown() override {
    for (const std::string& schema : schemas_)
      soci::session("postgresql", server_)
          << "SET client_min_messages = 'warning'; DROP SCHEMA " + schema + " CASCADE";
  }

  bool on_server() const { return std::string(GetParam()) == "postgresql"; }

  /// The URL of a store that is this test's alone; nothing is in it at first.
  std::string url(const std::string& name = "store") {
    if (!on_server()) return folder_.file(name + ".sqlite");
    if (schemas_of_.count(name) == 0) {
      std::string schema = "assay_" + make_run_id();
      std::erase(schema, '-');
      soci::session("postgresql", server_) << "CREATE SCHEMA " + schema;
      schemas_.push_back(schema);
      schemas_of_[name] = schema;
    }
    return server_ + (server_.find('?') == std::string::npos ? '?' : '&') + "options=-csearch_path%3D" +
           schemas_of_[name];
  }

  /// A connection of the test's own, to look behind the store's back.
  void connect(soci::session& session, const std::string& name = "store") {
    if (on_server())
      session.open("postgresql", url(name));
    else
      session.open(soci::sqlite3, url(name));
  }

  Folder folder_;

 private:
  std::string server_;
  std::vector<std::string> schemas_;
  std::map<std::string, std::string> schemas_of_;
};

}  // namespace assay::reports::test
