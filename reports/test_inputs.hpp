#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reports/baseline.hpp"
#include "reports/report.hpp"
#include "reports/test_example.hpp"
#include "reports/test_markup.hpp"

/// Inputs of whole reports that several tests share.
namespace assay::reports::test {

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The report of the last of some nights, with a baseline from an early one.
inline ReportInput after_nights(const std::vector<Night>& nights, const std::filesystem::path& records = {}) {
  const Folder folder;
  Store store = Store::open(folder.file("s.sqlite"));
  std::string last;
  for (const Night& each : nights) {
    const RunRecord record = night(each);
    store.import(record);
    last = record.run.id;
    if (store.baselines().empty()) store.promote(last);
  }
  const auto run = store.load(last);
  auto baseline = baseline_for(store, run->run);
  auto verdict = gate(*run, baseline ? &*baseline : nullptr);
  return gather_report(store, last, std::move(verdict), std::move(baseline), records);
}

inline ReportInput bad_night() {
  Night last{4};
  last.broken = true;
  last.slowdown = 1.3;
  return after_nights({{0}, {1}, {2}, {3}, last});
}

/// Every text of every record replaced by one that tries to break out of wherever it is put.
inline ReportInput hostile() {
  const std::string evil =
      "</script><script>alert(1)</script>\"'<img src=x onerror=alert(1)>&|`\n\xff\x01]]>";
  RunRecord r = full_record();
  r.run.state = RunState::complete;
  for (std::string* text : {&r.run.id, &r.run.command, &r.run.commit, &r.run.branch, &r.run.started_at})
    *text = evil;
  r.run.environment.facts = {{"cpu", evil}, {"device", evil}, {evil, evil}};
  OperationInfo& o = r.operations[0];
  for (std::string* text : {&o.name, &o.summary, &o.paper, &o.cuda_body}) *text = evil;
  o.backends = {evil};
  Check& c = r.checks[0];
  for (std::string* text : {&c.operation, &c.name, &c.backend, &c.against, &c.message, &c.replay, &c.issue})
    *text = evil;
  c.samples[0].label = evil;
  c.notes = {{evil, evil}};
  c.table = Table{evil, {evil, evil}, {{evil, "1"}}};
  for (std::string* text : {&c.series[0].plot, &c.series[0].name, &c.series[0].x_label, &c.series[0].y_label})
    *text = evil;
  Benchmark& b = r.benchmarks[0];
  for (std::string* text :
       {&b.operation, &b.label, &b.backend, &b.peer, &b.invalid_reason, &b.cache, &b.size_name})
    *text = evil;
  b.telemetry = {{evil, evil}};
  b.axes = {{evil, 7.0}};
  b.chosen = {{evil, evil}};
  o.scalings = {{evil, 1.5, evil}};
  b.ceilings[0].name = b.ceilings[0].how = evil;
  Benchmark ours = b;
  ours.peer.clear();
  Benchmark side = ours;  // of a choice, and a second and a third place on an axis
  side.validity = Validity::valid;
  side.impossible = false;
  for (const double place : {1.0, 2.0, 3.0}) {
    side.axes = {{evil, place}};
    r.benchmarks.push_back(side);
  }
  side.label += "," + evil + "=" + evil;
  r.benchmarks.push_back(side);
  ours.impossible = false;
  ours.validity = Validity::valid;
  r.benchmarks.push_back(ours);
  Mutant& m = r.mutants[0];
  for (std::string* text : {&m.id, &m.operation, &m.category, &m.backend, &m.property, &m.change})
    *text = evil;
  m.status = MutantStatus::missed;
  Calibration& k = r.calibrations[0];
  for (std::string* text : {&k.operation, &k.name, &k.message}) *text = evil;
  k.notes = {{"property", evil}, {"inputs", evil}, {"elements", evil}, {"test", evil}, {"cores", evil}};
  for (const CalibrationSubject subject :
       {CalibrationSubject::false_reds, CalibrationSubject::budget, CalibrationSubject::validate,
        CalibrationSubject::mechanical, CalibrationSubject::exploit, CalibrationSubject::false_changes,
        CalibrationSubject::slowdowns, CalibrationSubject::filters}) {
    r.calibrations.push_back(r.calibrations[0]);
    r.calibrations.back().subject = subject;
  }
  ReportInput input;
  input.run = r;
  input.previous = r;
  input.previous->run.environment.facts["cpu"] = evil + "old";
  input.gate = gate(r, nullptr);
  input.recorded = {{evil, {r}, {evil}}};
  input.calibrations = {r};
  for (const std::int64_t sequence : {1, 2}) {
    input.history.runs.push_back({sequence, r.run});
    input.history.benchmarks.push_back({sequence, evil, evil, evil, "", 5.0, 4.0, 6.0, Validity::valid});
    input.history.checks.push_back({sequence, evil, evil, evil, CheckKind::oracle, Verdict::pass, 0.5});
  }
  input.change_points = {{evil, evil, evil, 1, 2, evil, evil, evil, true, 5.0, 6.0, 1.2, 0.005}};
  input.generated_at = utc_now();
  return input;
}

}  // namespace assay::reports::test
