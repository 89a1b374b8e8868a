#pragma once

#include <soci/soci.h>

#include "reports/store.hpp"

/// The connection behind a Store: internal to the store.
namespace assay::reports {

/// Opens the database that a URL names: a file of SQLite, or a server of PostgreSQL. SOCI's backend for the
/// latter is loaded when it is asked for, so that the program runs where it is not installed. Throws
/// StoreError for what the user named wrongly, SOCI's exceptions for the rest.
void connect(soci::session& session, const std::string& url, OpenMode mode);

/// Loads SOCI's backend for PostgreSQL; StoreError (bad input) where there is none of that name.
void load_postgresql_backend(const std::string& name = "postgresql");

struct Store::Implementation {
  std::string url;  // as it may be shown
  mutable soci::session session;

  Implementation(const std::string& store_url, OpenMode mode);

  /// The sequence number of a run; bad input where there is none with this id.
  long long sequence_of(const std::string& run_id) const;
};

/// Runs `work` and turns what the database throws into a StoreError that names the store.
template <typename Work>
auto guarded(const std::string& url, Work work) -> decltype(work());

[[noreturn]] void rethrow_as_store_error(const std::string& url, const std::exception& error);

template <typename Work>
auto guarded(const std::string& url, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const StoreError&) {
    throw;
  } catch (const std::exception& error) {
    rethrow_as_store_error(url, error);
  }
}

/// A run from its columns: the state in the column is the newer one.
Run read_run(const std::string& body, const std::string& state);

/// A text as a column holds it: valid UTF-8 without a zero byte, which PostgreSQL has no room for. What is
/// neither becomes U+FFFD, as it does in the JSON of the record beside it.
std::string column_text(const std::string& text);

}  // namespace assay::reports
