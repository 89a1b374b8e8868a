#include "reports/store.hpp"

#include <soci/soci.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "reports/process_identity.hpp"
#include "reports/store_connection.hpp"
#include "reports/store_schema.hpp"

namespace assay::reports {
namespace {

using nlohmann::json;
using schema::WriteTransaction;

void mark_interrupted_runs(soci::session& session) {
  std::vector<std::string> gone;
  {
    std::string id, owner;
    soci::statement running = (session.prepare << "SELECT id, owner FROM run WHERE state = 'running'",
                               soci::into(id), soci::into(owner));
    running.execute();
    while (running.fetch())
      if (is_gone(owner)) gone.push_back(id);
  }
  if (gone.empty()) return;
  try {
    WriteTransaction transaction(session);
    for (const std::string& id : gone)
      session << "UPDATE run SET state = 'interrupted' WHERE id = :id AND state = 'running'", soci::use(id);
    transaction.commit();
  } catch (const soci::soci_error&) {
    // A store that may only be read is still worth reading; who wants to write will meet the same error
    // again.
  }
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// What a column holds of a number that may be absent or non-finite: the body has it exactly.
double column(double value) {
  return std::isnan(value) ? std::numeric_limits<double>::infinity() : value;
}

long long next_position(soci::session& session, const char* table, long long run) {
  long long position = 0;
  session << std::string("SELECT COALESCE(MAX(position), -1) + 1 FROM ") + table + " WHERE run = :run",
      soci::use(run), soci::into(position);
  return position;
}

void insert_run(soci::session& session, const Run& run, const std::string& owner) {
  long long sequence = 0;
  session << "SELECT COALESCE(MAX(sequence), 0) + 1 FROM run", soci::into(sequence);
  const std::string fingerprint = run.environment.fingerprint();
  const long long quick = run.quick ? 1 : 0;
  const std::string state(to_string(run.state));
  const std::string body = dump(run);
  const std::string id = column_text(run.id), started = column_text(run.started_at);
  const std::string command = column_text(run.command), branch = column_text(run.branch);
  session
      << "INSERT INTO run (sequence, id, started_at, command, branch, fingerprint, quick, state, owner, body)"
         " VALUES (:sequence, :id, :started, :command, :branch, :fingerprint, :quick, :state, :owner, :body)",
      soci::use(sequence), soci::use(id), soci::use(started), soci::use(command), soci::use(branch),
      soci::use(fingerprint), soci::use(quick), soci::use(state), soci::use(owner), soci::use(body);
}

void insert(soci::session& session, long long run, std::span<const OperationInfo> operations) {
  long long position = next_position(session, "operation_record", run);
  for (const auto& operation : operations) {
    const std::string body = dump(operation);
    const std::string name = column_text(operation.name);
    session << "INSERT INTO operation_record (run, position, operation, body) VALUES (:run, :position, "
               ":name, :body)",
        soci::use(run), soci::use(position), soci::use(name), soci::use(body);
    ++position;
  }
}

void insert(soci::session& session, long long run, std::span<const Check> checks) {
  long long position = next_position(session, "check_record", run);
  for (const auto& check : checks) {
    const std::string kind(to_string(check.kind));
    const std::string verdict(to_string(check.verdict));
    const double utilisation = column(check.utilisation.value_or(-1.0));
    const std::string body = dump(check);
    const std::string operation = column_text(check.operation), name = column_text(check.name),
                      backend = column_text(check.backend);
    session << "INSERT INTO check_record (run, position, operation, name, backend, kind, verdict, "
               "utilisation, body)"
               " VALUES (:run, :position, :operation, :name, :backend, :kind, :verdict, :utilisation, :body)",
        soci::use(run), soci::use(position), soci::use(operation), soci::use(name), soci::use(backend),
        soci::use(kind), soci::use(verdict), soci::use(utilisation), soci::use(body);
    ++position;
  }
}

void insert(soci::session& session, long long run, std::span<const Benchmark> benchmarks) {
  long long position = next_position(session, "benchmark_record", run);
  for (const auto& benchmark : benchmarks) {
    const double median = column(benchmark.median_ns);
    const double low = column(benchmark.low_ns);
    const double high = column(benchmark.high_ns);
    const std::string validity(to_string(benchmark.validity));
    const std::string body = dump(benchmark);
    const std::string operation = column_text(benchmark.operation), label = column_text(benchmark.label),
                      backend = column_text(benchmark.backend), peer = column_text(benchmark.peer);
    session
        << "INSERT INTO benchmark_record"
           " (run, position, operation, label, backend, peer, median_ns, low_ns, high_ns, validity, body)"
           " VALUES (:run, :position, :operation, :label, :backend, :peer, :median, :low, :high, :validity,"
           " :body)",
        soci::use(run), soci::use(position), soci::use(operation), soci::use(label), soci::use(backend),
        soci::use(peer), soci::use(median), soci::use(low), soci::use(high), soci::use(validity),
        soci::use(body);
    ++position;
  }
}

void insert(soci::session& session, long long run, std::span<const Mutant> mutants) {
  long long position = next_position(session, "mutant_record", run);
  for (const auto& mutant : mutants) {
    const std::string status(to_string(mutant.status));
    const std::string body = dump(mutant);
    const std::string operation = column_text(mutant.operation), id = column_text(mutant.id),
                      backend = column_text(mutant.backend);
    session << "INSERT INTO mutant_record (run, position, operation, id, backend, status, body)"
               " VALUES (:run, :position, :operation, :id, :backend, :status, :body)",
        soci::use(run), soci::use(position), soci::use(operation), soci::use(id), soci::use(backend),
        soci::use(status), soci::use(body);
    ++position;
  }
}

void insert(soci::session& session, long long run, std::span<const Calibration> calibrations) {
  long long position = next_position(session, "calibration_record", run);
  for (const auto& calibration : calibrations) {
    const std::string subject(to_string(calibration.subject));
    const std::string body = dump(calibration);
    const std::string operation = column_text(calibration.operation), name = column_text(calibration.name);
    const std::string backend = column_text(calibration.backend);
    session << "INSERT INTO calibration_record (run, position, subject, operation, name, backend, body)"
               " VALUES (:run, :position, :subject, :operation, :name, :backend, :body)",
        soci::use(run), soci::use(position), soci::use(subject), soci::use(operation), soci::use(name),
        soci::use(backend), soci::use(body);
    ++position;
  }
}

/// Reads the run, lets `change` edit it and writes it back, in one transaction.
template <typename Change>
void edit_run(soci::session& session, long long sequence, Change change) {
  WriteTransaction transaction(session);
  std::string body, state;
  session << "SELECT body, state FROM run WHERE sequence = :sequence", soci::use(sequence), soci::into(body),
      soci::into(state);
  Run run = read_run(body, state);
  change(run);
  body = dump(run);
  state = to_string(run.state);
  const std::string fingerprint = run.environment.fingerprint();
  session
      << "UPDATE run SET body = :body, state = :state, fingerprint = :fingerprint WHERE sequence = :sequence",
      soci::use(body), soci::use(state), soci::use(fingerprint), soci::use(sequence);
  transaction.commit();
}

}  // namespace

Run read_run(const std::string& body, const std::string& state) {
  Run run = json::parse(body).get<Run>();
  if (const auto parsed = parse_run_state(state)) run.state = *parsed;
  return run;
}

Store::Implementation::Implementation(const std::string& store_url, OpenMode mode)
    : url(shown_store_url(store_url)) {
  guarded(url, [&] {
    connect(session, store_url, mode);
    schema::migrate(session, schema::migrations(), url);
    mark_interrupted_runs(session);
  });
}

long long Store::Implementation::sequence_of(const std::string& run_id) const {
  long long sequence = 0;
  session << "SELECT sequence FROM run WHERE id = :id", soci::use(run_id), soci::into(sequence);
  if (!session.got_data()) throw StoreError(url + ": no run \"" + run_id + "\"", true);
  return sequence;
}

template <typename T>
void Store::append_all(Implementation& store, const std::string& run_id, std::span<const T> records) {
  guarded(store.url, [&] {
    WriteTransaction transaction(store.session);
    insert(store.session, store.sequence_of(run_id), records);
    transaction.commit();
  });
}

Store::Store(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open(const std::string& url, OpenMode mode) {
  return Store(std::make_unique<Implementation>(url, mode));
}

const std::string& Store::url() const {
  return implementation_->url;
}

void Store::begin_run(const Run& run) {
  guarded(url(), [&] {
    Run stored = run;
    stored.state = RunState::running;
    WriteTransaction transaction(implementation_->session);
    insert_run(implementation_->session, stored, own_identity());
    transaction.commit();
  });
}

void Store::append(const std::string& run_id, std::span<const OperationInfo> operations) {
  append_all(*implementation_, run_id, operations);
}

void Store::append(const std::string& run_id, std::span<const Check> checks) {
  append_all(*implementation_, run_id, checks);
}

void Store::append(const std::string& run_id, std::span<const Benchmark> benchmarks) {
  append_all(*implementation_, run_id, benchmarks);
}

void Store::append(const std::string& run_id, std::span<const Mutant> mutants) {
  append_all(*implementation_, run_id, mutants);
}

void Store::append(const std::string& run_id, std::span<const Calibration> calibrations) {
  append_all(*implementation_, run_id, calibrations);
}

void Store::set_environment(const std::string& run_id, const Environment& environment) {
  guarded(url(), [&] {
    edit_run(implementation_->session, implementation_->sequence_of(run_id),
             [&](Run& run) { run.environment = environment; });
  });
}

void Store::finish_run(const std::string& run_id, RunState state, std::optional<int> exit_status) {
  guarded(url(), [&] {
    edit_run(implementation_->session, implementation_->sequence_of(run_id), [&](Run& run) {
      run.state = state;
      run.finished_at = utc_now();
      if (exit_status) run.exit_status = exit_status;
    });
  });
}

void Store::set_exit_status(const std::string& run_id, int exit_status) {
  guarded(url(), [&] {
    edit_run(implementation_->session, implementation_->sequence_of(run_id),
             [&](Run& run) { run.exit_status = exit_status; });
  });
}

bool Store::import(const RunRecord& record) {
  return guarded(url(), [&] {
    soci::session& session = implementation_->session;
    WriteTransaction transaction(session);
    long long present = 0;
    session << "SELECT COUNT(*) FROM run WHERE id = :id", soci::use(record.run.id), soci::into(present);
    if (present > 0) return false;
    insert_run(session, record.run, "");
    long long sequence = implementation_->sequence_of(record.run.id);
    insert(session, sequence, std::span(record.operations));
    insert(session, sequence, std::span(record.checks));
    insert(session, sequence, std::span(record.benchmarks));
    insert(session, sequence, std::span(record.mutants));
    insert(session, sequence, std::span(record.calibrations));
    transaction.commit();
    return true;
  });
}

}  // namespace assay::reports
