#include <soci/soci.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <nlohmann/json.hpp>

#include "reports/store.hpp"
#include "reports/store_connection.hpp"
#include "reports/store_schema.hpp"

namespace assay::reports {
namespace {

using nlohmann::json;

/// The newest runs that a filter lets through, newest first.
std::string newest(const RunFilter& filter) {
  return " ORDER BY r.sequence DESC LIMIT " + std::to_string(std::max(filter.limit, 0));
}

/// The conditions of a query, whose texts are bound and never pasted into it.
class Conditions {
 public:
  void text(const std::string& column, const std::string& value) {
    if (value.empty()) return;
    const std::string name = "p" + std::to_string(values_.size());
    clause_ += (clause_.empty() ? " WHERE " : " AND ") + column + " = :" + name;
    values_.push_back(column_text(value));
  }

  void number(const std::string& comparison, long long value) {
    clause_ += (clause_.empty() ? " WHERE " : " AND ") + comparison + ' ' + std::to_string(value);
  }

  void runs(const RunFilter& filter) {
    text("r.branch", filter.branch);
    text("r.fingerprint", filter.fingerprint);
    text("r.command", filter.command);
    if (filter.state) text("r.state", std::string(to_string(*filter.state)));
    if (filter.quick) number("r.quick =", *filter.quick ? 1 : 0);
    if (filter.before_sequence > 0) number("r.sequence <", filter.before_sequence);
  }

  /// Only what belongs to one of the newest runs that the filter lets through, none of them later than
  /// `last`.
  void of_runs(const std::string& column, const RunFilter& filter, long long last) {
    Conditions inner;
    inner.values_.swap(values_);  // one numbering of the bound texts
    inner.runs(filter);
    inner.number("r.sequence <=", last);
    inner.values_.swap(values_);
    clause_ += (clause_.empty() ? " WHERE " : " AND ") + column + " IN (SELECT r.sequence FROM run r" +
               inner.clause_ + newest(filter) + ")";
  }

  const std::string& clause() const { return clause_; }

  void bind(soci::statement& statement) {
    for (std::size_t i = 0; i < values_.size(); ++i)
      statement.exchange(soci::use(values_[i], "p" + std::to_string(i)));
  }

 private:
  std::string clause_;
  std::deque<std::string> values_;  // bound by address: they must not move
};

void start(soci::statement& statement, const std::string& query) {
  statement.alloc();
  statement.prepare(query);
  statement.define_and_bind();
  statement.execute();
}

std::vector<RunSummary> select_runs(soci::session& session, const RunFilter& filter) {
  Conditions conditions;
  conditions.runs(filter);
  long long sequence = 0;
  std::string body, state;
  soci::statement statement(session);
  statement.exchange(soci::into(sequence));
  statement.exchange(soci::into(body));
  statement.exchange(soci::into(state));
  conditions.bind(statement);
  start(statement, "SELECT r.sequence, r.body, r.state FROM run r" + conditions.clause() + newest(filter));
  std::vector<RunSummary> out;
  while (statement.fetch()) out.push_back({sequence, read_run(body, state)});
  return out;
}

template <typename T>
std::vector<T> select_bodies(soci::session& session, const char* table, long long run) {
  std::string body;
  soci::statement statement =
      (session.prepare << std::string("SELECT body FROM ") + table + " WHERE run = :run ORDER BY position",
       soci::use(run), soci::into(body));
  statement.execute();
  std::vector<T> out;
  while (statement.fetch()) out.push_back(json::parse(body).get<T>());
  return out;
}

std::vector<BenchmarkPoint> select_benchmarks(soci::session& session, const HistoryFilter& filter,
                                              long long newest_run) {
  Conditions conditions;
  conditions.of_runs("b.run", filter.runs, newest_run);
  conditions.text("b.operation", filter.operation);
  conditions.text("b.label", filter.label);
  conditions.text("b.backend", filter.backend);
  long long sequence = 0;
  std::string operation, label, backend, peer, validity;
  double median = 0.0, low = 0.0, high = 0.0;
  soci::statement statement(session);
  statement.exchange(soci::into(sequence));
  for (std::string* text : {&operation, &label, &backend, &peer}) statement.exchange(soci::into(*text));
  for (double* value : {&median, &low, &high}) statement.exchange(soci::into(*value));
  statement.exchange(soci::into(validity));
  conditions.bind(statement);
  start(statement,
        "SELECT b.run, b.operation, b.label, b.backend, b.peer, b.median_ns, b.low_ns, b.high_ns, b.validity"
        " FROM benchmark_record b" +
            conditions.clause() + " ORDER BY b.run, b.position");
  std::vector<BenchmarkPoint> out;
  while (statement.fetch())
    out.push_back({sequence, operation, label, backend, peer, median, low, high,
                   parse_validity(validity).value_or(Validity::invalid)});
  return out;
}

std::vector<CheckPoint> select_checks(soci::session& session, const HistoryFilter& filter,
                                      long long newest_run) {
  Conditions conditions;
  conditions.of_runs("c.run", filter.runs, newest_run);
  conditions.text("c.operation", filter.operation);
  conditions.text("c.backend", filter.backend);
  long long sequence = 0;
  std::string operation, name, backend, kind, verdict;
  double utilisation = 0.0;
  soci::statement statement(session);
  statement.exchange(soci::into(sequence));
  for (std::string* text : {&operation, &name, &backend, &kind, &verdict})
    statement.exchange(soci::into(*text));
  statement.exchange(soci::into(utilisation));
  conditions.bind(statement);
  start(statement,
        "SELECT c.run, c.operation, c.name, c.backend, c.kind, c.verdict, c.utilisation"
        " FROM check_record c" +
            conditions.clause() + " ORDER BY c.run, c.position");
  std::vector<CheckPoint> out;
  while (statement.fetch())
    out.push_back({sequence, operation, name, backend, parse_check_kind(kind).value_or(CheckKind::property),
                   parse_verdict(verdict).value_or(Verdict::not_executed),
                   utilisation < 0.0 ? std::nullopt : std::optional<double>(utilisation)});
  return out;
}

std::optional<RunSummary> first_of(std::vector<RunSummary> runs) {
  if (runs.empty()) return std::nullopt;
  return std::move(runs.front());
}

}  // namespace

std::vector<RunSummary> Store::runs(const RunFilter& filter) const {
  return guarded(url(), [&] { return select_runs(implementation_->session, filter); });
}

std::optional<RunRecord> Store::load(const std::string& run_id) const {
  return guarded(url(), [&]() -> std::optional<RunRecord> {
    soci::session& session = implementation_->session;
    long long sequence = 0;
    std::string body, state;
    session << "SELECT sequence, body, state FROM run WHERE id = :id", soci::use(run_id),
        soci::into(sequence), soci::into(body), soci::into(state);
    if (!session.got_data()) return std::nullopt;
    RunRecord record;
    record.run = read_run(body, state);
    record.operations = select_bodies<OperationInfo>(session, "operation_record", sequence);
    record.checks = select_bodies<Check>(session, "check_record", sequence);
    record.benchmarks = select_bodies<Benchmark>(session, "benchmark_record", sequence);
    record.mutants = select_bodies<Mutant>(session, "mutant_record", sequence);
    record.calibrations = select_bodies<Calibration>(session, "calibration_record", sequence);
    return record;
  });
}

std::vector<RunRecord> Store::calibrations() const {
  return guarded(url(), [&] {
    soci::session& session = implementation_->session;
    long long sequence = 0;
    std::string body, state;
    soci::statement statement(session);
    statement.exchange(soci::into(sequence));
    for (std::string* text : {&body, &state}) statement.exchange(soci::into(*text));
    start(statement,
          "SELECT sequence, body, state FROM run WHERE sequence IN"
          " (SELECT DISTINCT run FROM calibration_record ORDER BY run DESC LIMIT 200) OR sequence IN"
          " (SELECT DISTINCT run FROM mutant_record ORDER BY run DESC LIMIT 200) ORDER BY sequence");
    std::vector<long long> sequences;
    std::vector<RunRecord> out;
    while (statement.fetch()) {
      sequences.push_back(sequence);
      out.emplace_back().run = read_run(body, state);
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].mutants = select_bodies<Mutant>(session, "mutant_record", sequences[i]);
      out[i].calibrations = select_bodies<Calibration>(session, "calibration_record", sequences[i]);
    }
    return out;
  });
}

std::optional<RunSummary> Store::find(const std::string& reference) const {
  if (reference == "latest") {
    RunFilter filter;
    filter.state = RunState::complete;
    filter.limit = 1;
    return first_of(runs(filter));
  }
  const bool could_be_id =
      !reference.empty() && reference.find_first_not_of("0123456789abcdef-") == std::string::npos;
  if (!could_be_id) return std::nullopt;
  return guarded(url(), [&]() -> std::optional<RunSummary> {
    const std::string pattern = reference + '%';  // holds only hex digits and dashes: nothing to escape
    std::string id;
    std::vector<std::string> found;
    {
      // The ids alone, which an index holds: their records would be a whole history.
      soci::statement statement =
          (implementation_->session.prepare << "SELECT id FROM run WHERE id LIKE :pattern",
           soci::use(pattern), soci::into(id));
      statement.execute();
      while (statement.fetch()) found.push_back(id);
    }
    if (std::find(found.begin(), found.end(), reference) != found.end()) found = {reference};
    if (found.size() > 1)
      throw StoreError("\"" + reference + "\" fits " + std::to_string(found.size()) +
                           " runs, expected enough of an id to name one",
                       true);
    if (found.empty()) return std::nullopt;
    std::string body, state;
    long long sequence = 0;
    implementation_->session << "SELECT sequence, body, state FROM run WHERE id = :id",
        soci::use(found.front()), soci::into(sequence), soci::into(body), soci::into(state);
    return RunSummary{sequence, read_run(body, state)};
  });
}

std::optional<RunSummary> Store::previous(const Run& run) const {
  RunFilter filter;
  filter.branch = run.branch;
  filter.command = run.command;
  filter.quick = run.quick;
  filter.state = RunState::complete;
  filter.before_sequence = guarded(url(), [&] { return implementation_->sequence_of(run.id); });
  filter.limit = 1;
  return first_of(runs(filter));
}

History Store::history(const HistoryFilter& filter) const {
  return guarded(url(), [&] {
    History out;
    out.runs = select_runs(implementation_->session, filter.runs);
    if (out.runs.empty()) return out;
    std::reverse(out.runs.begin(), out.runs.end());
    const long long last = out.runs.back().sequence;
    out.benchmarks = select_benchmarks(implementation_->session, filter, last);
    if (filter.label.empty()) out.checks = select_checks(implementation_->session, filter, last);
    return out;
  });
}

Baseline Store::promote(const std::string& run_id) {
  return guarded(url(), [&] {
    soci::session& session = implementation_->session;
    schema::WriteTransaction transaction(session);
    const long long sequence = implementation_->sequence_of(run_id);
    std::string body, state;
    session << "SELECT body, state FROM run WHERE sequence = :sequence", soci::use(sequence),
        soci::into(body), soci::into(state);
    const Run run = read_run(body, state);
    if (run.state != RunState::complete)
      throw StoreError(url() + ": run " + run_id + " is " + state + ", expected a complete run as a baseline",
                       true);
    Baseline baseline{run.branch, run.environment.fingerprint(), run.quick, run.id, utc_now()};
    const long long quick = run.quick ? 1 : 0;
    session
        << "DELETE FROM baseline WHERE branch = :branch AND fingerprint = :fingerprint AND quick = :quick",
        soci::use(baseline.branch), soci::use(baseline.fingerprint), soci::use(quick);
    session << "INSERT INTO baseline (branch, fingerprint, quick, run, promoted_at)"
               " VALUES (:branch, :fingerprint, :quick, :run, :promoted)",
        soci::use(baseline.branch), soci::use(baseline.fingerprint), soci::use(quick), soci::use(sequence),
        soci::use(baseline.promoted_at);
    transaction.commit();
    return baseline;
  });
}

std::vector<Baseline> Store::baselines() const {
  return guarded(url(), [&] {
    Baseline row;
    long long quick = 0;
    soci::statement statement =
        (implementation_->session.prepare << "SELECT b.branch, b.fingerprint, b.quick, r.id, b.promoted_at"
                                             " FROM baseline b JOIN run r ON r.sequence = b.run"
                                             " ORDER BY b.branch, b.fingerprint, b.quick",
         soci::into(row.branch), soci::into(row.fingerprint), soci::into(quick), soci::into(row.run_id),
         soci::into(row.promoted_at));
    statement.execute();
    std::vector<Baseline> out;
    while (statement.fetch()) {
      row.quick = quick != 0;
      out.push_back(row);
    }
    return out;
  });
}

std::optional<Baseline> Store::baseline(const std::string& branch, const std::string& fingerprint,
                                        bool quick) const {
  for (const Baseline& candidate : baselines())
    if (candidate.branch == branch && candidate.fingerprint == fingerprint && candidate.quick == quick)
      return candidate;
  return std::nullopt;
}

}  // namespace assay::reports
