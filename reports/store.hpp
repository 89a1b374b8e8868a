#pragma once

#include <memory>
#include <span>
#include <stdexcept>

#include "reports/record.hpp"

/// The history of all runs, in a database.
///
/// A run is stored as it happens: `begin_run` before anything is measured, `append` for each batch of results
/// in a transaction of its own, `finish_run` at the end, and only then is anything judged. A writer that is
/// killed loses the batch it had not appended; its run stays in the store and is marked interrupted when the
/// store is next opened on that machine. Several processes may write at once; who has to wait for another's
/// batch waits 30 s at most. A file that can only be read is a store that can only be read. One Store object
/// belongs to one thread.
///
/// The database is a file of SQLite, or a schema of a PostgreSQL server where many machines share one
/// history; the same statements serve both.
namespace assay::reports {

/// A store that cannot be opened or written. `bad_input` is what the user named wrongly (a missing file, a
/// file that is no store, a newer schema, an unknown URL); everything else is a failure of the tool or the
/// disk.
class StoreError : public std::runtime_error {
 public:
  StoreError(const std::string& message, bool bad_input)
      : std::runtime_error(message), bad_input_(bad_input) {}
  bool bad_input() const { return bad_input_; }

 private:
  bool bad_input_;
};

/// Everything needed to name a run, without its results.
struct RunSummary {
  std::int64_t sequence = 0;  // rises in the order of begin_run, whatever the clock did
  Run run;
};

/// One median in the history of a benchmark.
struct BenchmarkPoint {
  std::int64_t sequence = 0;  // of its run
  std::string operation, label, backend, peer;
  double median_ns = 0.0;
  double low_ns = 0.0;
  double high_ns = 0.0;
  Validity validity = Validity::valid;
};

/// One verdict in the history of a check.
struct CheckPoint {
  std::int64_t sequence = 0;
  std::string operation, name, backend;
  CheckKind kind = CheckKind::property;
  Verdict verdict = Verdict::not_executed;
  std::optional<double> utilisation;
};

/// Runs oldest first; points by sequence.
struct History {
  std::vector<RunSummary> runs;
  std::vector<BenchmarkPoint> benchmarks;
  std::vector<CheckPoint> checks;
};

/// The run that others of the same branch, environment and mode are compared with.
struct Baseline {
  std::string branch;
  std::string fingerprint;
  bool quick = false;
  std::string run_id;
  std::string promoted_at;
};

/// Empty members do not restrict. `limit` counts runs, newest first.
struct RunFilter {
  std::string branch;
  std::string fingerprint;
  std::string command;
  std::optional<bool> quick;
  std::optional<RunState> state;
  std::int64_t before_sequence = 0;  // only runs older than this one
  int limit = 200;
};

/// Empty members do not restrict.
struct HistoryFilter {
  RunFilter runs;
  std::string operation;
  std::string label;
  std::string backend;
};

enum class OpenMode {
  create_if_missing,
  existing,  // a missing file is bad input
};

/// The name of a store as it may be shown: a URL without its password and options.
std::string shown_store_url(const std::string& url);

/// Whether a store is named by the URL of a server rather than by a path.
bool is_store_url(const std::string& store);

class Store {
 public:
  /// `url` is a path, "sqlite:PATH" or "postgresql://user@host/database" as libpq has it. Creates the tables,
  /// or brings an older schema up to date.
  static Store open(const std::string& url, OpenMode mode = OpenMode::create_if_missing);

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// The URL as it may be shown: without a password.
  const std::string& url() const;

  /// Stores the run as running, owned by this process.
  void begin_run(const Run& run);

  /// Appends results to a run that was begun; all of them or, on an exception, none.
  void append(const std::string& run_id, std::span<const OperationInfo> operations);
  void append(const std::string& run_id, std::span<const Check> checks);
  void append(const std::string& run_id, std::span<const Benchmark> benchmarks);
  void append(const std::string& run_id, std::span<const Mutant> mutants);
  void append(const std::string& run_id, std::span<const Calibration> calibrations);

  /// Replaces the facts of the environment that were known at the beginning.
  void set_environment(const std::string& run_id, const Environment& environment);

  void finish_run(const std::string& run_id, RunState state = RunState::complete,
                  std::optional<int> exit_status = std::nullopt);

  /// The exit status is known only after the gate, which reads the finished run.
  void set_exit_status(const std::string& run_id, int exit_status);

  /// A whole run at once. False, and nothing is changed, where its id is stored already.
  bool import(const RunRecord& record);

  std::optional<RunRecord> load(const std::string& run_id) const;

  /// A full id, a prefix of one that is unique, or "latest" (the newest run that is complete). A prefix that
  /// fits several runs is bad input.
  std::optional<RunSummary> find(const std::string& reference) const;

  /// Newest first.
  std::vector<RunSummary> runs(const RunFilter& filter = {}) const;

  /// The newest complete run before this one with the same command, branch and mode. Its environment may
  /// differ: the report then says what changed in it, and compares no times.
  std::optional<RunSummary> previous(const Run& run) const;

  History history(const HistoryFilter& filter = {}) const;

  /// The newest 200 runs that hold calibrations, and the newest 200 that hold planted faults, oldest first:
  /// with their run, mutants and calibrations alone.
  std::vector<RunRecord> calibrations() const;

  /// Makes this complete run the baseline of its branch, environment and mode.
  Baseline promote(const std::string& run_id);
  std::optional<Baseline> baseline(const std::string& branch, const std::string& fingerprint,
                                   bool quick) const;
  std::vector<Baseline> baselines() const;

 private:
  struct Implementation;
  template <typename T>
  static void append_all(Implementation& store, const std::string& run_id, std::span<const T> records);
  explicit Store(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace assay::reports
