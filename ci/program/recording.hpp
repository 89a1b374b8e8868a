#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "ci/program/invocation.hpp"
#include "engine/runtime/device.hpp"
#include "reports/store.hpp"

namespace assay::program {

/// --store: for the commands that read or write the history.
Option store_option();

/// The folder that relative defaults are below: the project's where the program runs inside it, else the
/// current one.
std::filesystem::path working_root();

/// Where the store is: --store, or reports/store.sqlite below working_root().
std::string store_path(const Invocation& invocation);

/// Opens the store to write; its default folder is created.
reports::Store open_store(const Invocation& invocation);

/// Opens the store to read. Throws Failure where it is not there: exit 2 where the user named it, else 6.
reports::Store open_existing_store(const Invocation& invocation);

/// A run that is being recorded: begun before anything is checked or measured, finished at the end.
class Recording {
 public:
  Recording(const Invocation& invocation, reports::Store& store, const std::string& command, bool quick,
            const std::optional<DeviceInfo>& device);

  template <typename Records>
  void append(const Records& records) {
    if (!records.empty()) store_.append(run_.id, records);
  }
  void finish();
  void set_exit(int code);
  const reports::Run& run() const { return run_; }
  const reports::Store& store() const { return store_; }

 private:
  reports::Store& store_;
  reports::Run run_;
};

/// The CUDA device that this call would use: none with --backend cpu or reference.
std::optional<DeviceInfo> device_in_use(const Invocation& invocation);

}  // namespace assay::program
