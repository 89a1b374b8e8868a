#pragma once

#include <soci/soci.h>

#include "reports/store.hpp"

/// The connection behind a Store: internal to the store.
namespace assay::reports {

struct Store::Implementation {
  std::string url;
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

}  // namespace assay::reports
