#include "reports/store_schema.hpp"

#include "reports/store.hpp"

namespace assay::reports::schema {
namespace {

// What is asked for by name has a column; the record itself is one JSON text, so that a new field of a record
// needs no new column. Numbers that are absent are stored as -1, never as NULL.
const std::vector<Migration>& all() {
  static const std::vector<Migration> list{
      {1,
       {"CREATE TABLE run ("
        " sequence BIGINT NOT NULL PRIMARY KEY,"
        " id TEXT NOT NULL UNIQUE,"
        " started_at TEXT NOT NULL,"
        " command TEXT NOT NULL,"
        " branch TEXT NOT NULL,"
        " fingerprint TEXT NOT NULL,"
        " quick BIGINT NOT NULL,"
        " state TEXT NOT NULL,"
        " owner TEXT NOT NULL,"
        " body TEXT NOT NULL)",
        "CREATE INDEX run_by_place ON run (branch, fingerprint, sequence)",

        "CREATE TABLE operation_record ("
        " run BIGINT NOT NULL REFERENCES run (sequence),"
        " position BIGINT NOT NULL,"
        " operation TEXT NOT NULL,"
        " body TEXT NOT NULL,"
        " PRIMARY KEY (run, position))",

        "CREATE TABLE check_record ("
        " run BIGINT NOT NULL REFERENCES run (sequence),"
        " position BIGINT NOT NULL,"
        " operation TEXT NOT NULL,"
        " name TEXT NOT NULL,"
        " backend TEXT NOT NULL,"
        " kind TEXT NOT NULL,"
        " verdict TEXT NOT NULL,"
        " utilisation DOUBLE PRECISION NOT NULL,"
        " body TEXT NOT NULL,"
        " PRIMARY KEY (run, position))",
        "CREATE INDEX check_by_name ON check_record (operation, name, run)",

        "CREATE TABLE benchmark_record ("
        " run BIGINT NOT NULL REFERENCES run (sequence),"
        " position BIGINT NOT NULL,"
        " operation TEXT NOT NULL,"
        " label TEXT NOT NULL,"
        " backend TEXT NOT NULL,"
        " peer TEXT NOT NULL,"
        " median_ns DOUBLE PRECISION NOT NULL,"
        " low_ns DOUBLE PRECISION NOT NULL,"
        " high_ns DOUBLE PRECISION NOT NULL,"
        " validity TEXT NOT NULL,"
        " body TEXT NOT NULL,"
        " PRIMARY KEY (run, position))",
        "CREATE INDEX benchmark_by_name ON benchmark_record (operation, label, run)",

        "CREATE TABLE mutant_record ("
        " run BIGINT NOT NULL REFERENCES run (sequence),"
        " position BIGINT NOT NULL,"
        " operation TEXT NOT NULL,"
        " id TEXT NOT NULL,"
        " backend TEXT NOT NULL,"
        " status TEXT NOT NULL,"
        " body TEXT NOT NULL,"
        " PRIMARY KEY (run, position))",

        "CREATE TABLE baseline ("
        " branch TEXT NOT NULL,"
        " fingerprint TEXT NOT NULL,"
        " quick BIGINT NOT NULL,"
        " run BIGINT NOT NULL REFERENCES run (sequence),"
        " promoted_at TEXT NOT NULL,"
        " PRIMARY KEY (branch, fingerprint, quick))"}},
      {2,
       {"CREATE TABLE calibration_record ("
        " run BIGINT NOT NULL REFERENCES run (sequence),"
        " position BIGINT NOT NULL,"
        " subject TEXT NOT NULL,"
        " operation TEXT NOT NULL,"
        " name TEXT NOT NULL,"
        " backend TEXT NOT NULL,"
        " body TEXT NOT NULL,"
        " PRIMARY KEY (run, position))"}},
      // What a report asks of a long history: the newest runs of a branch, the run before this one, and, at
      // every opening, the runs that have not ended.
      {3,
       {"CREATE INDEX run_by_branch ON run (branch, quick, sequence)",
        "CREATE INDEX run_by_job ON run (branch, command, quick, state, sequence)",
        "CREATE INDEX run_by_state ON run (state, sequence)"}},
  };
  return list;
}

bool is_sqlite(const soci::session& session) {
  return session.get_backend_name() == "sqlite3";
}

/// Counts the tables of the database, or of the schema that the connection works in.
std::string tables_query(const soci::session& session, const char* name = nullptr) {
  const std::string condition =
      name ? std::string(" AND ") + (is_sqlite(session) ? "name" : "table_name") + " = '" + name + "'" : "";
  return (is_sqlite(session)
              ? "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'"
              : "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema()") +
         condition;
}

/// Holds off other writers until the end of a transaction: any number will do that nobody else in the
/// database uses.
const std::string take_writers_lock = "SELECT pg_advisory_xact_lock(8371640925170)";

const std::string present_version = "SELECT COALESCE(MAX(version), 0) FROM schema_version";

long long count(soci::session& session, const std::string& query) {
  long long value = 0;
  session << query, soci::into(value);
  return value;
}

}  // namespace

std::span<const Migration> migrations() {
  return all();
}

void migrate(soci::session& session, std::span<const Migration> list, const std::string& where) {
  const long long known = list.empty() ? 0 : list.back().version;
  const bool ours = count(session, tables_query(session, "schema_version")) > 0;
  if (!ours && count(session, tables_query(session)) > 0)
    throw StoreError(where + ": a database of something else, expected a store of runs or an empty one",
                     true);
  // A store that is up to date is only read, so that one on a read-only medium can still be reported on.
  if (ours && count(session, present_version) == known) return;
  WriteTransaction transaction(session);
  session << "CREATE TABLE IF NOT EXISTS schema_version"
             " (version BIGINT NOT NULL PRIMARY KEY, applied_at TEXT NOT NULL)";
  const long long present = count(session, present_version);
  if (present > known)
    throw StoreError(where + ": the store has schema " + std::to_string(present) +
                         ", this program knows schemas up to " + std::to_string(known) +
                         "; use a newer program",
                     true);
  for (const Migration& migration : list) {
    if (migration.version <= present) continue;
    for (const std::string& statement : migration.statements) session << statement;
    const long long version = migration.version;
    const std::string now = utc_now();
    session << "INSERT INTO schema_version (version, applied_at) VALUES (:version, :now)", soci::use(version),
        soci::use(now);
  }
  transaction.commit();
}

WriteTransaction::WriteTransaction(soci::session& session) : session_(session) {
  if (is_sqlite(session)) {
    session_ << "BEGIN IMMEDIATE";
    return;
  }
  session_ << "BEGIN";
  try {
    session_ << take_writers_lock;
  } catch (...) {
    session_ << "ROLLBACK";  // the destructor of what was never made is not called
    throw;
  }
}

WriteTransaction::~WriteTransaction() {
  if (!open_) return;
  try {
    session_ << "ROLLBACK";
  } catch (const std::exception&) {
    // The error that led here is already on its way to the caller; the database rolls back by itself.
  }
}

void WriteTransaction::commit() {
  session_ << "COMMIT";
  open_ = false;
}

}  // namespace assay::reports::schema
