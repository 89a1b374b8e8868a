#include <cmath>
#include <nlohmann/json.hpp>

#include "reports/report.hpp"

namespace assay::reports {
namespace {

using nlohmann::json;

json record_json(const RunRecord& record) {
  return json{{"run", record.run},         {"operations", record.operations},
              {"checks", record.checks},   {"benchmarks", record.benchmarks},
              {"mutants", record.mutants}, {"calibrations", record.calibrations}};
}

json gate_json(const GateResult& gate) {
  json checks = json::object();
  for (int i = 0; i < verdict_count; ++i)
    checks[to_string(static_cast<Verdict>(i))] = gate.count(static_cast<Verdict>(i));
  json counts = json::object();
  for (const auto& [verdict, count] : gate.counts) counts[to_string(verdict)] = count;
  json items = json::array();
  for (const GateItem& item : gate.items) {
    json entry{{"verdict", to_string(item.verdict)},
               {"subject", item.subject},
               {"key", item.key},
               {"reason", item.reason}};
    if (item.median_ns > 0.0) entry["median_ns"] = item.median_ns;
    if (item.baseline_median_ns > 0.0) entry["baseline_median_ns"] = item.baseline_median_ns;
    if (item.ratio)
      entry["ratio"] = {{"value", item.ratio->value},
                        {"low", item.ratio->interval.low},
                        {"high", item.ratio->interval.high}};
    if (!item.replay.empty()) entry["replay"] = item.replay;
    items.push_back(std::move(entry));
  }
  return json{{"exit_code", gate.exit_code},
              {"meaning", exit_code_meaning(gate.exit_code)},
              {"headline", gate.headline()},
              {"baseline_run", gate.baseline_run},
              {"baseline_note", gate.baseline_note},
              {"recorded_as_baseline", gate.record_as_baseline},
              {"rule", gate.rule},
              {"checks", std::move(checks)},
              {"counts", std::move(counts)},
              {"items", std::move(items)},
              {"unused_waivers", gate.unused_waivers}};
}

}  // namespace

std::string json_report(const ReportInput& input) {
  json out = record_json(input.run);
  out["schema"] = report_schema_version;
  out["generated_at"] = input.generated_at;
  out["gate"] = gate_json(input.gate);
  json points = json::array();
  for (const ChangePoint& point : input.change_points) points.push_back(point);
  out["change_points"] = std::move(points);
  out["previous_run"] = input.previous ? json(input.previous->run.id) : json(nullptr);
  json recorded = json::array();
  for (const RecordedDevice& device : input.recorded) {
    json runs = json::array();
    for (const RunRecord& run : device.runs) runs.push_back(record_json(run));
    recorded.push_back({{"device", device.device}, {"runs", std::move(runs)}, {"problems", device.problems}});
  }
  out["recorded"] = std::move(recorded);
  return out.dump(1, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace assay::reports
