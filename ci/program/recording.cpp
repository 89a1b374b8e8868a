#include "ci/program/recording.hpp"

#include "ci/program/environment.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/output_file.hpp"
#include "fmt/format.h"

namespace assay::program {

namespace fs = std::filesystem;

Option store_option() {
  return {"store", "FILE|URL",
          "the history of runs, a file or postgresql://user@host/database; by default reports/store.sqlite "
          "in the "
          "project's folder"};
}

fs::path working_root() {
  const fs::path here = fs::current_path();
  return project_root(here).value_or(here);
}

std::string store_path(const Invocation& invocation) {
  const auto named = invocation.maybe_text("store");
  return named ? *named : (working_root() / "reports" / "store.sqlite").string();
}

fs::path store_folder(const Invocation& invocation) {
  const std::string store = store_path(invocation);
  return reports::is_store_url(store) ? working_root() / "reports" : fs::path(store).parent_path();
}

reports::Store open_store(const Invocation& invocation) {
  const std::string path = store_path(invocation);
  if (invocation.given("store")) {
    if (path.find(':') == std::string::npos) check_output_path(path, invocation.source("store"));
  } else {
    std::error_code problem;
    fs::create_directories(fs::path(path).parent_path(), problem);
    if (problem) {
      throw Failure(ExitCode::tool_error,
                    fmt::format("{}: cannot be created ({})", fs::path(path).parent_path().string(),
                                problem.message()));
    }
  }
  return reports::Store::open(path);
}

reports::Store open_existing_store(const Invocation& invocation) {
  const std::string path = store_path(invocation);
  std::error_code ignored;
  if (!invocation.given("store") && !fs::exists(path, ignored)) {
    throw Failure(ExitCode::vacuous, path + ": nothing is recorded yet (assay nightly, or bench --record)");
  }
  return reports::Store::open(path, reports::OpenMode::existing);
}

Recording::Recording(const Invocation& invocation, reports::Store& store, const std::string& command,
                     bool quick, const std::optional<DeviceInfo>& device)
    : store_(store) {
  const SourceState source = source_state(working_root());
  run_.id = reports::make_run_id();
  run_.started_at = reports::utc_now();
  run_.command = command;
  run_.commit = source.commit;
  run_.branch = source.branch;
  run_.dirty = source.dirty;
  run_.seed = invocation.seed();
  run_.quick = quick;
  run_.environment = environment(device);
  store_.begin_run(run_);
}

void Recording::finish() {
  store_.finish_run(run_.id);
}

void Recording::set_exit(int code) {
  store_.set_exit_status(run_.id, code);
}

void CheckBatches::add(const reports::Check& check) {
  constexpr std::size_t largest = 20;
  constexpr std::chrono::seconds longest{2};
  pending_.push_back(check);
  if (pending_.size() >= largest || std::chrono::steady_clock::now() - stored_ > longest) flush();
}

void CheckBatches::flush() {
  recording_.append(pending_);
  pending_.clear();
  stored_ = std::chrono::steady_clock::now();
}

std::optional<DeviceInfo> device_in_use(const Invocation& invocation) {
  const std::string backend = invocation.choice("backend", {"auto", "cpu", "cuda", "reference"});
  const auto ordinal = static_cast<int>(invocation.integer("device", 0, 1 << 20));
  if (backend == "cpu" || backend == "reference") return std::nullopt;
  return device_of(ordinal);
}

}  // namespace assay::program
