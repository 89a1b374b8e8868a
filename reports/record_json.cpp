#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "reports/record.hpp"

namespace assay::reports {
namespace {

using nlohmann::json;

json number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

json numbers(const std::vector<double>& values) {
  json out = json::array();
  for (const double value : values) out.push_back(number(value));
  return out;
}

double read_number(const json& j) {
  if (!j.is_string()) return j.get<double>();
  const auto& text = j.get_ref<const std::string&>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  throw std::invalid_argument("expected a number, \"nan\", \"inf\" or \"-inf\", found \"" + text + "\"");
}

/// The value under `key`, or null where it is missing: an explicit null counts as missing.
const json* find(const json& j, const char* key) {
  const auto found = j.find(key);
  return found == j.end() || found->is_null() ? nullptr : &*found;
}

template <typename T>
void read(const json& j, const char* key, T& value) {
  if (const json* found = find(j, key)) found->get_to(value);
}

void read(const json& j, const char* key, double& value) {
  if (const json* found = find(j, key)) value = read_number(*found);
}

void read(const json& j, const char* key, std::optional<double>& value) {
  if (const json* found = find(j, key)) value = read_number(*found);
}

void read(const json& j, const char* key, std::vector<double>& values) {
  const json* found = find(j, key);
  if (!found) return;
  values.clear();
  for (const auto& entry : *found) values.push_back(read_number(entry));
}

template <typename Enum, typename Parse>
void read_enum(const json& j, const char* key, Enum& value, Parse parse) {
  const json* found = find(j, key);
  if (!found) return;
  const auto& name = found->get_ref<const std::string&>();
  const auto parsed = parse(name);
  if (!parsed) throw std::invalid_argument(std::string("unknown ") + key + " \"" + name + "\"");
  value = *parsed;
}

void write(json& j, const char* key, const std::optional<double>& value) {
  if (value) j[key] = number(*value);
}

/// Empty texts are left out, to keep a line of JSON as short as what it says.
void write(json& j, const char* key, const std::string& value) {
  if (!value.empty()) j[key] = value;
}

void write(json& j, const char* key, const Notes& value) {
  if (!value.empty()) j[key] = value;
}

}  // namespace

void to_json(json& j, const Environment& e) {
  j = json{{"facts", e.facts}, {"fingerprint", e.fingerprint()}};
}

void from_json(const json& j, Environment& e) {
  e = {};
  read(j, "facts", e.facts);  // the fingerprint is always computed, never believed
}

void to_json(json& j, const Run& r) {
  j = json{{"id", r.id},
           {"started_at", r.started_at},
           {"command", r.command},
           {"dirty", r.dirty},
           {"seed", r.seed},
           {"quick", r.quick},
           {"environment", r.environment},
           {"state", to_string(r.state)}};
  write(j, "finished_at", r.finished_at);
  write(j, "commit", r.commit);
  write(j, "branch", r.branch);
  write(j, "notes", r.notes);
  if (r.exit_status) j["exit_status"] = *r.exit_status;
}

void from_json(const json& j, Run& r) {
  r = {};
  j.at("id").get_to(r.id);
  read(j, "started_at", r.started_at);
  read(j, "finished_at", r.finished_at);
  read(j, "command", r.command);
  read(j, "commit", r.commit);
  read(j, "branch", r.branch);
  read(j, "dirty", r.dirty);
  read(j, "seed", r.seed);
  read(j, "quick", r.quick);
  read(j, "environment", r.environment);
  read_enum(j, "state", r.state, parse_run_state);
  read(j, "notes", r.notes);
  if (const json* status = find(j, "exit_status")) r.exit_status = status->get<int>();
}

void to_json(json& j, const OperationInfo& o) {
  j = json{{"name", o.name},
           {"summary", o.summary},
           {"paper", o.paper},
           {"backends", o.backends},
           {"cuda_body", o.cuda_body},
           {"properties", o.properties},
           {"benchmark_cases", o.benchmark_cases},
           {"golden_cases", o.golden_cases}};
  if (!o.scalings.empty()) j["scalings"] = o.scalings;
}

void from_json(const json& j, OperationInfo& o) {
  o = {};
  j.at("name").get_to(o.name);
  read(j, "summary", o.summary);
  read(j, "paper", o.paper);
  read(j, "backends", o.backends);
  read(j, "cuda_body", o.cuda_body);
  read(j, "properties", o.properties);
  read(j, "benchmark_cases", o.benchmark_cases);
  read(j, "golden_cases", o.golden_cases);
  read(j, "scalings", o.scalings);
}

void to_json(json& j, const Scaling& s) {
  j = json{{"axis", s.axis}, {"exponent", number(s.exponent)}, {"why", s.why}};
}

void from_json(const json& j, Scaling& s) {
  s = {};
  read(j, "axis", s.axis);
  read(j, "exponent", s.exponent);
  read(j, "why", s.why);
}

void to_json(json& j, const UtilisationSample& s) {
  j = json{{"label", s.label}, {"observed", number(s.observed)}, {"allowed", number(s.allowed)}};
}

void from_json(const json& j, UtilisationSample& s) {
  s = {};
  read(j, "label", s.label);
  read(j, "observed", s.observed);
  read(j, "allowed", s.allowed);
}

void to_json(json& j, const Table& t) {
  j = json{{"title", t.title}, {"columns", t.columns}, {"rows", t.rows}};
}

void from_json(const json& j, Table& t) {
  t = {};
  read(j, "title", t.title);
  read(j, "columns", t.columns);
  read(j, "rows", t.rows);
  for (const auto& row : t.rows)
    if (row.size() != t.columns.size())
      throw std::invalid_argument("table \"" + t.title + "\" has a row of " + std::to_string(row.size()) +
                                  " cells, expected " + std::to_string(t.columns.size()));
}

void to_json(json& j, const Series& s) {
  j = json{{"name", s.name}};
  write(j, "plot", s.plot);
  write(j, "x_label", s.x_label);
  write(j, "y_label", s.y_label);
  json points = json::array();
  for (const auto& point : s.points) points.push_back({number(point[0]), number(point[1])});
  j["points"] = std::move(points);
  if (!s.y_error.empty()) j["y_error"] = numbers(s.y_error);
  write(j, "truth", s.truth);
  if (s.log_x) j["log_x"] = true;
  if (s.log_y) j["log_y"] = true;
}

void from_json(const json& j, Series& s) {
  s = {};
  read(j, "name", s.name);
  read(j, "plot", s.plot);
  read(j, "x_label", s.x_label);
  read(j, "y_label", s.y_label);
  if (const json* points = find(j, "points"))
    for (const auto& point : *points)
      s.points.push_back({read_number(point.at(0)), read_number(point.at(1))});
  read(j, "y_error", s.y_error);
  if (!s.y_error.empty() && s.y_error.size() != s.points.size())
    throw std::invalid_argument("series \"" + s.name + "\" has " + std::to_string(s.y_error.size()) +
                                " error bars, expected " + std::to_string(s.points.size()));
  read(j, "truth", s.truth);
  read(j, "log_x", s.log_x);
  read(j, "log_y", s.log_y);
}

void to_json(json& j, const Check& c) {
  j = json{{"operation", c.operation},
           {"name", c.name},
           {"backend", c.backend},
           {"kind", to_string(c.kind)},
           {"verdict", to_string(c.verdict)},
           {"cases", c.cases},
           {"seed", c.seed},
           {"elapsed_ms", number(c.elapsed_ms)}};
  write(j, "against", c.against);
  write(j, "observed_error", c.observed_error);
  write(j, "allowed_error", c.allowed_error);
  write(j, "utilisation", c.utilisation);
  if (!c.samples.empty()) j["samples"] = c.samples;
  write(j, "message", c.message);
  write(j, "replay", c.replay);
  write(j, "issue", c.issue);
  write(j, "notes", c.notes);
  if (c.table) j["table"] = *c.table;
  if (!c.series.empty()) j["series"] = c.series;
}

void from_json(const json& j, Check& c) {
  c = {};
  j.at("operation").get_to(c.operation);
  j.at("name").get_to(c.name);
  j.at("backend").get_to(c.backend);
  j.at("verdict");  // a check without a verdict is no check
  read(j, "against", c.against);
  read_enum(j, "kind", c.kind, parse_check_kind);
  read_enum(j, "verdict", c.verdict, parse_verdict);
  read(j, "cases", c.cases);
  read(j, "seed", c.seed);
  read(j, "observed_error", c.observed_error);
  read(j, "allowed_error", c.allowed_error);
  read(j, "utilisation", c.utilisation);
  read(j, "samples", c.samples);
  read(j, "message", c.message);
  read(j, "replay", c.replay);
  read(j, "issue", c.issue);
  read(j, "elapsed_ms", c.elapsed_ms);
  read(j, "notes", c.notes);
  if (const json* table = find(j, "table")) c.table = table->get<Table>();
  read(j, "series", c.series);
}

void to_json(json& j, const Ceiling& c) {
  j = json{{"name", c.name}, {"value", number(c.value)}, {"unit", c.unit}, {"how", c.how}};
}

void from_json(const json& j, Ceiling& c) {
  c = {};
  read(j, "name", c.name);
  read(j, "value", c.value);
  read(j, "unit", c.unit);
  read(j, "how", c.how);
}

void to_json(json& j, const Benchmark& b) {
  j = json{{"operation", b.operation},
           {"label", b.label},
           {"backend", b.backend},
           {"samples_ns", numbers(b.samples_ns)},
           {"median_ns", number(b.median_ns)},
           {"p05_ns", number(b.p05_ns)},
           {"p95_ns", number(b.p95_ns)},
           {"low_ns", number(b.low_ns)},
           {"high_ns", number(b.high_ns)},
           {"flops", number(b.flops)},
           {"bytes", number(b.bytes)},
           {"impossible", b.impossible},
           {"checked", b.checked},
           {"check_verdict", to_string(b.check_verdict)},
           {"validity", to_string(b.validity)},
           {"threads", b.threads},
           {"iterations", b.iterations},
           {"problem_size", number(b.problem_size)}};
  write(j, "peer", b.peer);
  if (!b.ceilings.empty()) j["ceilings"] = b.ceilings;
  write(j, "roofline_share", b.roofline_share);
  write(j, "invalid_reason", b.invalid_reason);
  write(j, "cache", b.cache);
  write(j, "size_name", b.size_name);
  for (const auto& [name, value] : b.axes) j["axes"][name] = number(value);
  write(j, "chosen", b.chosen);
  write(j, "telemetry", b.telemetry);
  write(j, "notes", b.notes);
}

void from_json(const json& j, Benchmark& b) {
  b = {};
  j.at("operation").get_to(b.operation);
  j.at("label").get_to(b.label);
  j.at("backend").get_to(b.backend);
  read(j, "peer", b.peer);
  read(j, "samples_ns", b.samples_ns);
  read(j, "median_ns", b.median_ns);
  read(j, "p05_ns", b.p05_ns);
  read(j, "p95_ns", b.p95_ns);
  read(j, "low_ns", b.low_ns);
  read(j, "high_ns", b.high_ns);
  read(j, "flops", b.flops);
  read(j, "bytes", b.bytes);
  read(j, "ceilings", b.ceilings);
  read(j, "roofline_share", b.roofline_share);
  read(j, "impossible", b.impossible);
  read(j, "checked", b.checked);
  read_enum(j, "check_verdict", b.check_verdict, parse_verdict);
  read_enum(j, "validity", b.validity, parse_validity);
  read(j, "invalid_reason", b.invalid_reason);
  read(j, "cache", b.cache);
  read(j, "threads", b.threads);
  read(j, "iterations", b.iterations);
  read(j, "problem_size", b.problem_size);
  read(j, "size_name", b.size_name);
  if (const json* axes = find(j, "axes"))
    for (const auto& [name, value] : axes->items()) b.axes[name] = read_number(value);
  read(j, "chosen", b.chosen);
  read(j, "telemetry", b.telemetry);
  read(j, "notes", b.notes);
}

void to_json(json& j, const Mutant& m) {
  j = json{{"id", m.id},           {"operation", m.operation},          {"category", m.category},
           {"backend", m.backend}, {"status", to_string(m.status)},     {"cases", m.cases},
           {"change", m.change},   {"elapsed_ms", number(m.elapsed_ms)}};
  write(j, "property", m.property);
}

void from_json(const json& j, Mutant& m) {
  m = {};
  j.at("id").get_to(m.id);
  j.at("operation").get_to(m.operation);
  j.at("status");
  read(j, "category", m.category);
  read(j, "backend", m.backend);
  read_enum(j, "status", m.status, parse_mutant_status);
  read(j, "property", m.property);
  read(j, "cases", m.cases);
  read(j, "change", m.change);
  read(j, "elapsed_ms", m.elapsed_ms);
}

void to_json(json& j, const Calibration& c) {
  j = json{{"subject", to_string(c.subject)},
           {"name", c.name},
           {"trials", c.trials},
           {"failures", c.failures},
           {"elapsed_ms", number(c.elapsed_ms)}};
  write(j, "operation", c.operation);
  write(j, "backend", c.backend);
  if (c.seed != 0) j["seed"] = c.seed;
  if (c.turns != 0) j["turns"] = c.turns;
  write(j, "utilisation", c.utilisation);
  write(j, "value", c.value);
  write(j, "limit", c.limit);
  write(j, "message", c.message);
  write(j, "notes", c.notes);
}

void from_json(const json& j, Calibration& c) {
  c = {};
  j.at("subject");
  read_enum(j, "subject", c.subject, parse_calibration_subject);
  j.at("name").get_to(c.name);
  read(j, "operation", c.operation);
  read(j, "backend", c.backend);
  read(j, "trials", c.trials);
  read(j, "failures", c.failures);
  read(j, "seed", c.seed);
  read(j, "turns", c.turns);
  read(j, "utilisation", c.utilisation);
  read(j, "value", c.value);
  read(j, "limit", c.limit);
  read(j, "message", c.message);
  read(j, "elapsed_ms", c.elapsed_ms);
  read(j, "notes", c.notes);
}

}  // namespace assay::reports
