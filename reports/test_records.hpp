#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "reports/record.hpp"
#include "reports/statistics.hpp"

/// Records that the tests of this folder share.
namespace assay::reports::test {

/// A folder of its own for one test, removed with everything in it.
class Folder {
 public:
  Folder() {
    path_ = std::filesystem::temp_directory_path() / ("assay-reports-" + make_run_id());
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline Environment environment() {
  Environment e;
  e.facts = {{"cpu", "Example CPU 3.0 GHz"}, {"cores", "2"},    {"compiler", "g++ 12.2.0"},
             {"build_type", "Release"},      {"flags", "-O3"},  {"os", "Debian 12"},
             {"hostname", "bench-1"},        {"device", "none"}};
  return e;
}

inline Run run(const std::string& started_at = "2025-03-01T02:00:00.000Z") {
  Run r;
  r.id = make_run_id();
  r.started_at = started_at;
  r.command = "nightly";
  r.commit = "0123456789abcdef0123456789abcdef01234567";
  r.branch = "main";
  r.seed = 18446744073709551615u;
  r.environment = environment();
  return r;
}

inline Check check(const std::string& name, Verdict verdict = Verdict::pass,
                   const std::string& backend = "cpu") {
  Check c;
  c.operation = "te.ksg";
  c.name = name;
  c.backend = backend;
  c.against = "reference";
  c.verdict = verdict;
  c.cases = verdict == Verdict::pass ? 100 : verdict == Verdict::not_executed ? 0 : 1;
  c.seed = 42;
  return c;
}

/// 21 samples around `centre_ns`, within +- 2 % of it.
inline Benchmark benchmark(const std::string& label, double centre_ns, const std::string& backend = "cpu") {
  Benchmark b;
  b.operation = "te.ksg";
  b.label = label;
  b.backend = backend;
  for (int i = -10; i <= 10; ++i) b.samples_ns.push_back(centre_ns * (1.0 + 0.002 * i));
  b.checked = true;
  b.check_verdict = Verdict::pass;
  b.flops = 1e6;
  b.bytes = 8e5;
  summarise(b);
  return b;
}

/// Every member of every record set to something other than its default.
inline RunRecord full_record() {
  RunRecord r;
  r.run = run();
  r.run.finished_at = "2025-03-01T02:03:00.000Z";
  r.run.dirty = true;
  r.run.quick = true;
  r.run.exit_status = 3;
  r.run.state = RunState::complete;
  r.run.notes = {{"why", "nightly"}};

  OperationInfo o;
  o.name = "te.ksg";
  o.summary = "transfer entropy";
  o.paper = "Kraskov 2004, eq. 8";
  o.backends = {"cpu", "reference"};
  o.cuda_body = "shared";
  o.properties = {"chain_rule", "symmetry"};
  o.benchmark_cases = {"n=1000,k=4"};
  o.golden_cases = 12;
  o.scalings = {{"n", 4.0 / 3.0, "n points, n^(1/3) candidates each"}};
  r.operations = {o};

  Check c = check("chain_rule", Verdict::fail);
  c.kind = CheckKind::mutant_control;
  c.observed_error = 2e-9;
  c.allowed_error = 1e-9;
  c.utilisation = 2.0;
  c.samples = {{"n=7 <tiny>", 1e-10, 1e-9}, {"n=9", 2e-9, 1e-9}};
  c.message = "off by \"two\"\nat 3";
  c.replay = "te.ksg-chain_rule-1.json";
  c.issue = "#7";
  c.elapsed_ms = 12.5;
  c.notes = {{"generator", "gaussian"}};
  c.table = Table{"accuracy", {"rho", "ksg", "histogram"}, {{"0.5", "0.143", "0.160"}}};
  Series s;
  s.plot = "Accuracy";
  s.name = "ksg";
  s.x_label = "N";
  s.y_label = "nats";
  s.points = {{100.0, 0.12}, {1000.0, 0.14}};
  s.y_error = {0.02, 0.01};
  s.truth = 0.1438;
  s.log_x = true;
  s.log_y = true;
  c.series = {s};
  r.checks = {c};

  Benchmark b = benchmark("n=1000,k=4", 1e6);
  b.peer = "jidt";
  b.ceilings = {{"copy rate", 12.5, "GB/s", "memcpy of 256 MiB"}};
  b.roofline_share = 0.4;
  b.impossible = true;
  b.validity = Validity::invalid;
  b.invalid_reason = "throttled in 30 % of the samples";
  b.cache = "cold L2 (rotated)";
  b.threads = 2;
  b.iterations = 8;
  b.problem_size = 1000;
  b.size_name = "N";
  b.axes = {{"n", 1000.0}, {"k", 4.0}};
  b.chosen = {{"search", "tree"}};
  b.telemetry = {{"sm_clock_mhz", "1980"}};
  b.notes = {{"pinned", "yes"}};
  r.benchmarks = {b};

  Mutant m;
  m.id = "te.ksg/strict";
  m.operation = "te.ksg";
  m.category = "< for <=";
  m.backend = "cpu";
  m.status = MutantStatus::caught;
  m.property = "analytic";
  m.cases = 3;
  m.change = "counts with <= where the formula has <";
  m.elapsed_ms = 8.0;
  r.mutants = {m};

  Calibration k;
  k.subject = CalibrationSubject::replay;
  k.operation = "te.ksg";
  k.name = "te.ksg.strict";
  k.backend = "cpu";
  k.trials = 3;
  k.failures = 1;
  k.seed = 18446744073709551615u;
  k.turns = 4;
  k.utilisation = 0.5;
  k.value = 1.25;
  k.limit = 60.0;
  k.message = "other bits";
  k.elapsed_ms = 9.5;
  k.notes = {{"inputs", "te.ksg: x (3, 1)"}};
  r.calibrations = {k};
  return r;
}

}  // namespace assay::reports::test
