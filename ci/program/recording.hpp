#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ci/program/invocation.hpp"
#include "engine/runtime/device.hpp"
#include "reports/store.hpp"

namespace assay::program {

/// --store: for the commands that read or write the history.
Option store_option();

/// The folder that relative defaults are below: the project's where the program runs inside it, else the
/// current one.
std::filesystem::path working_root();

/// Where the store is: --store (a path, or the URL of a server), or reports/store.sqlite below
/// working_root().
std::string store_path(const Invocation& invocation);

/// The folder of what lies beside the store: of its file, or reports below working_root() where it is on a
/// server.
std::filesystem::path store_folder(const Invocation& invocation);

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

/// Checks on their way into the store: in batches, because a transaction takes as long as a quick check does,
/// and every other second at least, because what a killed run has not appended is lost.
class CheckBatches {
 public:
  explicit CheckBatches(Recording& recording) : recording_(recording) {}
  void add(const reports::Check& check);
  void flush();

 private:
  Recording& recording_;
  std::vector<reports::Check> pending_;
  std::chrono::steady_clock::time_point stored_ = std::chrono::steady_clock::now();
};

/// The CUDA device that this call would use: none with --backend cpu or reference.
std::optional<DeviceInfo> device_in_use(const Invocation& invocation);

}  // namespace assay::program
