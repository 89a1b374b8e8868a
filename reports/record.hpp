#pragma once

/// The records of a run: what every other layer fills in, what the store keeps and what the report shows.
///
/// All are plain values. Each has `to_json` and `from_json` (found by nlohmann::json); non-finite numbers are
/// written as the strings "nan", "inf" and "-inf", because JSON has no number for them. Reading ignores
/// unknown keys, takes the default for a missing optional one, and throws nlohmann's exceptions for a missing
/// identity or a wrong type; `jsonl.hpp` turns those into one line with the line number.

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::reports {

/// Version of the JSON form of these records; a reader refuses a newer one.
inline constexpr int record_schema_version = 1;

using Notes = std::map<std::string, std::string>;

/// Facts about the machine and the build. Well-known keys: device, driver, cuda, cpu, cores, compiler,
/// build_type, flags (these decide comparability) and os, kernel, memory, power_cap, ecc, hostname, version.
struct Environment {
  std::map<std::string, std::string> facts;

  /// The value of one fact, or "" where it is not known.
  std::string get(std::string_view key) const;

  /// 16 hex digits over `fingerprint_keys()`. A missing device is the same as the device "none".
  /// Times of two runs are compared only where their fingerprints are equal.
  std::string fingerprint() const;

  bool operator==(const Environment&) const = default;
};

/// The facts that decide whether two runs can be compared: device, driver, cuda, cpu, cores, compiler,
/// build_type, flags.
const std::vector<std::string>& fingerprint_keys();

enum class RunState { running, complete, interrupted };

struct Run {
  std::string id;           // make_run_id()
  std::string started_at;   // utc_now(): 2025-01-31T23:59:59.123Z
  std::string finished_at;  // "" while running
  std::string command;      // "nightly", "validate", "bench", ...
  std::string commit;       // "" where the sources are no repository
  std::string branch;
  bool dirty = false;  // the work tree differed from the commit
  std::uint64_t seed = 0;
  bool quick = false;
  Environment environment;
  std::optional<int> exit_status;  // of the program, once known
  RunState state = RunState::running;
  Notes notes;

  bool operator==(const Run&) const = default;
};

/// How the time of an operation is predicted to grow along one axis of its benchmark cases, all else equal.
struct Scaling {
  std::string axis;       // as Benchmark::axes has it: "variables"
  double exponent = 0.0;  // time ~ axis^exponent
  std::string why;        // where the prediction comes from, one sentence

  bool operator==(const Scaling&) const = default;
};

/// What an operation says about itself. The report starts from the list of these, so that an operation
/// without results is shown as having none.
struct OperationInfo {
  std::string name;                          // "te.ksg"
  std::string summary;                       // one line
  std::string paper;                         // citation, equation
  std::vector<std::string> backends;         // "cpu", "cuda", "reference"
  std::string cuda_body = "none";            // "shared", "cuda-only" or "none"
  std::vector<std::string> properties;       // names, as Check::name has them
  std::vector<std::string> benchmark_cases;  // labels, as Benchmark::label has them
  std::vector<Scaling> scalings;             // of its benchmark cases
  int golden_cases = 0;

  bool operator==(const OperationInfo&) const = default;
};

enum class CheckKind { property, oracle, golden, precondition, mutant_control };

enum class Verdict { pass, fail, xfail, xpass, unsupported, not_executed, vacuous, crashed, timeout };
inline constexpr int verdict_count = 9;

/// Error of one case against what its bound allows, both in the units of the output.
struct UtilisationSample {
  std::string label;
  double observed = 0.0;
  double allowed = 0.0;

  bool operator==(const UtilisationSample&) const = default;
};

/// A table printed with a check, such as the error of two estimators beside each other.
/// Every row has as many cells as there are columns.
struct Table {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;

  bool operator==(const Table&) const = default;
};

/// One line of a plot. Series of one check with equal `plot` share one set of axes.
struct Series {
  std::string plot;  // title of the axes; "" means the check's own name
  std::string name;
  std::string x_label;
  std::string y_label;
  std::vector<std::array<double, 2>> points;  // (x, y)
  std::vector<double> y_error;                // half-widths, empty or one a point
  std::optional<double> truth;                // a horizontal line at the known value
  bool log_x = false;
  bool log_y = false;

  bool operator==(const Series&) const = default;
};

struct Check {
  std::string operation;
  std::string name;     // of the property, the oracle or the golden case
  std::string backend;  // what was checked: "cpu", "cuda", "reference"
  std::string against;  // what it was checked against: "reference", "golden te", "analytic", ...
  CheckKind kind = CheckKind::property;
  Verdict verdict = Verdict::not_executed;
  std::int64_t cases = 0;  // that ran
  std::uint64_t seed = 0;
  std::optional<double> observed_error;  // of the worst case, by utilisation
  std::optional<double> allowed_error;
  std::optional<double> utilisation;       // worst observed / allowed over all cases
  std::vector<UtilisationSample> samples;  // one a case, or the worst few hundred
  std::string message;                     // why it is not a pass; one line first
  std::string replay;                      // name of the replay file, "" if none
  std::string issue;                       // of an xfail or xpass: "#12"
  double elapsed_ms = 0.0;
  Notes notes;
  std::optional<Table> table;
  std::vector<Series> series;

  bool operator==(const Check&) const = default;
};

/// "te.ksg/chain_rule/cpu": what names a check across runs (golden and precondition kinds are prefixed).
std::string check_key(const Check& check);

/// A measured limit of the machine that a benchmark is held against.
struct Ceiling {
  std::string name;    // "copy rate", "fma rate"
  double value = 0.0;  // in `unit`
  std::string unit;    // "GB/s", "GFLOP/s"
  std::string how;     // how it was measured

  bool operator==(const Ceiling&) const = default;
};

enum class Validity { valid, invalid };

struct Benchmark {
  std::string operation;
  std::string label;               // of the case: "n=10000,k=4"
  std::string backend;             // "cpu", "cuda", "reference"; of a peer, where it ran
  std::string peer;                // "" is ours, else the peer's name: "jidt"
  std::vector<double> samples_ns;  // time of one iteration, one a sample, in the order measured

  // Filled by summarise() in statistics.hpp from samples_ns; 0 where there are too few samples.
  double median_ns = 0.0;
  double p05_ns = 0.0;
  double p95_ns = 0.0;
  double low_ns = 0.0;   // 95 % interval of the median, unadjusted
  double high_ns = 0.0;  // both 0 where fewer than 6 samples allow none

  double flops = 0.0;  // of one iteration, declared; 0 where the work is not arithmetic
  double bytes = 0.0;  // moved at least, declared
  std::vector<Ceiling> ceilings;
  std::optional<double> roofline_share;  // best attainable time / median, 1 = at the roof
  bool impossible = false;               // faster than the datasheet's peak allows
  bool checked = false;                  // the output was checked before and after timing
  Verdict check_verdict = Verdict::not_executed;
  Validity validity = Validity::valid;
  std::string invalid_reason;
  std::string cache;  // "cold L2 (rotated)", "warm"
  int threads = 1;
  std::int64_t iterations = 1;         // per sample
  double problem_size = 0.0;           // the x of time-versus-size plots; 0 where there is none
  std::string size_name;               // what problem_size counts: "N"
  std::map<std::string, double> axes;  // the numbers of the case by name: {"variables", 20}, {"n", 1000}
  /// What each text parameter that was left to choose came to: {"search", "tree"}
  std::map<std::string, std::string> chosen;
  Notes telemetry;  // clocks, throttle reasons, power, temperature
  Notes notes;

  bool operator==(const Benchmark&) const = default;
};

/// "te.ksg/n=10000,k=4/cpu" and for a peer "te.ksg/n=10000,k=4/cpu@jidt": what names it across runs.
std::string benchmark_key(const Benchmark& benchmark);

enum class MutantStatus {
  caught,
  missed,
  not_reached,
  crashed,
  timeout
};  // crashed and timeout count as caught

struct Mutant {
  std::string id;         // "te.ksg/off_by_one_k"
  std::string operation;  // "te.ksg"
  std::string category;   // "off-by-one bound", "missing mask", ...
  std::string backend;
  MutantStatus status = MutantStatus::not_reached;
  std::string property;    // by which it was caught
  std::int64_t cases = 0;  // run until it was caught, or in all
  std::string change;      // what was changed, one line
  double elapsed_ms = 0.0;

  bool operator==(const Mutant&) const = default;
};

bool counts_as_caught(MutantStatus status);

/// What a calibration counted or timed: how far the harness itself can be trusted.
enum class CalibrationSubject {
  false_reds,  // random cases of one property on the unchanged program; failures: reds
  replay,      // one planted failure replayed in a fresh process; failure: it was not the same, bit for bit
  budget,      // `validate --budget`: value against limit, in seconds
  validate,    // a whole `validate`: value against limit, in seconds
  mechanical,  // mutations that nobody chose; failures: survivors
  exploit,     // one cheat that a test must reject; failure: it was let through
  false_changes,  // `assay aa`, one measure of programs without a change: cases compared; failures: changes
                  // shown
  slowdowns,      // `assay aa --planted`, one measure, kind and size: cases; failures: those not found
  filters         // rows whose survivors were compared with the reference's; failures: those that differ and
                  // were no close call
};

/// Run::command of a run that holds calibrations.
inline constexpr std::string_view calibrate_command = "calibrate";

struct Calibration {
  CalibrationSubject subject = CalibrationSubject::false_reds;
  std::string operation;  // "" where it is about none
  std::string name;       // of the property, the planted fault, the budget, the cheat
  std::string backend;
  std::int64_t trials = 0;
  std::int64_t failures = 0;
  std::uint64_t seed = 0;             // that the trials derive from
  std::int64_t turns = 0;             // seeds drawn from it so far: a later run goes on after them
  std::optional<double> utilisation;  // the largest share of a proven bound that a trial used
  std::optional<double> value;        // measured, in seconds: of shrinking, of a run
  std::optional<double> limit;        // what `value` is held against
  std::string message;                // of the first failure; one line
  double elapsed_ms = 0.0;
  // of a replay: property, inputs, elements, non_zeros, shrunk_to_end; of false_changes and slowdowns:
  // measure, runs, changed_runs, same, inconclusive, regressed, improved, alarms; of filters: close_calls,
  // differing_among_close, and of those drawn without a look at the row drawn_close_calls, drawn_differing
  Notes notes;

  bool operator==(const Calibration&) const = default;
};

/// A run with everything that belongs to it.
struct RunRecord {
  Run run;
  std::vector<OperationInfo> operations;
  std::vector<Check> checks;
  std::vector<Benchmark> benchmarks;
  std::vector<Mutant> mutants;
  std::vector<Calibration> calibrations;

  bool operator==(const RunRecord&) const = default;
};

/// 32 random hex digits in the grouping of a UUID (version 4).
std::string make_run_id();

/// The present time as 2025-01-31T23:59:59.123Z.
std::string utc_now();

/// Names as they stand in JSON and on the command line: "not_executed", "mutant-control", ...
std::string_view to_string(RunState);
std::string_view to_string(CheckKind);
std::string_view to_string(Verdict);
std::string_view to_string(Validity);
std::string_view to_string(MutantStatus);
std::string_view to_string(CalibrationSubject);

/// The reverse; nothing for an unknown name.
std::optional<RunState> parse_run_state(std::string_view name);
std::optional<CheckKind> parse_check_kind(std::string_view name);
std::optional<Verdict> parse_verdict(std::string_view name);
std::optional<Validity> parse_validity(std::string_view name);
std::optional<MutantStatus> parse_mutant_status(std::string_view name);
std::optional<CalibrationSubject> parse_calibration_subject(std::string_view name);

void to_json(nlohmann::json&, const Environment&);
void from_json(const nlohmann::json&, Environment&);
void to_json(nlohmann::json&, const Run&);
void from_json(const nlohmann::json&, Run&);
void to_json(nlohmann::json&, const OperationInfo&);
void from_json(const nlohmann::json&, OperationInfo&);
void to_json(nlohmann::json&, const UtilisationSample&);
void from_json(const nlohmann::json&, UtilisationSample&);
void to_json(nlohmann::json&, const Scaling&);
void from_json(const nlohmann::json&, Scaling&);
void to_json(nlohmann::json&, const Table&);
void from_json(const nlohmann::json&, Table&);
void to_json(nlohmann::json&, const Series&);
void from_json(const nlohmann::json&, Series&);
void to_json(nlohmann::json&, const Check&);
void from_json(const nlohmann::json&, Check&);
void to_json(nlohmann::json&, const Ceiling&);
void from_json(const nlohmann::json&, Ceiling&);
void to_json(nlohmann::json&, const Benchmark&);
void from_json(const nlohmann::json&, Benchmark&);
void to_json(nlohmann::json&, const Mutant&);
void from_json(const nlohmann::json&, Mutant&);
void to_json(nlohmann::json&, const Calibration&);
void from_json(const nlohmann::json&, Calibration&);

}  // namespace assay::reports
