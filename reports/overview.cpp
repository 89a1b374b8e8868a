#include "reports/overview.hpp"

#include <fmt/format.h>

#include <set>

#include "reports/changes.hpp"
#include "reports/format.hpp"

namespace assay::reports {
namespace {

bool was_executed(const Check& check) {
  return check.cases > 0 && check.verdict != Verdict::not_executed && check.verdict != Verdict::unsupported &&
         check.verdict != Verdict::vacuous;
}

void join(std::string& out, const std::string& part, const char* separator = ", ") {
  out += (out.empty() ? "" : separator) + part;
}

/// "6 of 6 operations on cpu and 0 of 1 on cuda against the reference; 12 of 12 golden cases; ..."
std::string checked(const RunRecord& run) {
  std::map<std::string, std::set<std::string>> has, compared;  // operations by backend
  for (const OperationInfo& operation : run.operations)
    for (const std::string& backend : operation.backends)
      if (backend != "reference") has[backend].insert(operation.name);
  int golden = 0, golden_passed = 0, properties = 0, unable = 0;
  std::map<std::string, int> reasons;
  for (const Check& check : run.checks) {
    if (check.verdict == Verdict::not_executed) {
      ++unable;
      ++reasons[check.message.substr(0, check.message.find('\n'))];
    }
    if (!was_executed(check)) continue;
    if (check.against == "reference" && has[check.backend].count(check.operation))
      compared[check.backend].insert(check.operation);
    if (check.kind == CheckKind::golden) {
      ++golden;
      golden_passed += check.verdict == Verdict::pass;
    } else if (check.against != "reference") {
      ++properties;
    }
  }
  std::string backends;
  for (const auto& [backend, names] : has)
    if (!names.empty())
      join(backends, fmt::format("{} of {} on {}", compared[backend].size(),
                                 format_count(static_cast<long long>(names.size()), "operation"), backend));
  std::string out = backends.empty() ? "no operation was listed" : backends + " against the reference";
  join(out, golden == 0 ? "no golden cases" : fmt::format("{} of {} golden cases", golden_passed, golden),
       "; ");
  join(out, format_count(properties, "other property", "other properties"), "; ");
  if (unable > 0) {
    std::string why;
    for (const auto& [reason, count] : reasons)
      if (!reason.empty() && reasons.size() <= 2) join(why, reason, "; ");
    join(out, format_count(unable, "check") + " not executed" + (why.empty() ? "" : " (" + why + ")"), "; ");
  }
  return out + '.';
}

std::string measured(const RunRecord& run, const GateResult& gate) {
  int ours = 0, peers = 0, unusable = 0;
  for (const Benchmark& benchmark : run.benchmarks) {
    ++(benchmark.peer.empty() ? ours : peers);
    unusable += benchmark.validity == Validity::invalid || benchmark.impossible;
  }
  if (ours + peers == 0) return "nothing was timed.";
  std::string out = format_count(ours, "benchmark");
  if (peers > 0) out += fmt::format(", {} of peers", peers);
  if (unusable > 0) out += fmt::format(", {} invalid", unusable);
  int compared = 0;
  for (const GateItem& item : gate.items) compared += item.ratio.has_value();
  if (compared == 0) return out + "; no baseline to compare with.";
  return out + fmt::format("; against the baseline {} slower, {} faster, {} the same, {} unclear.",
                           gate.count(GateVerdict::regressed), gate.count(GateVerdict::improved),
                           gate.count(GateVerdict::same), gate.count(GateVerdict::inconclusive));
}

std::string since_last(const ReportInput& input) {
  if (!input.previous) return "this is the first run of its kind on this branch.";
  std::map<Change::Kind, int> counts;
  for (const Change& change : changes_between(*input.previous, input.run)) ++counts[change.kind];
  std::string out;
  for (const auto& [kind, count] : counts)
    join(out, kind == Change::Kind::verdict ? format_count(count, "other verdict")
                                            : fmt::format("{} {}", count, to_string(kind)));
  if (out.empty()) out = "nothing changed";
  if (input.previous->run.environment.fingerprint() != input.run.run.environment.fingerprint())
    out += "; another environment, so times are not compared";
  return fmt::format("{} (run of {} UTC).", out, format_moment(input.previous->run.started_at));
}

std::string faults(const RunRecord& run) {
  if (run.mutants.empty()) return "none was run.";
  int caught = 0;
  for (const Mutant& mutant : run.mutants) caught += counts_as_caught(mutant.status);
  return fmt::format("{} of {} were caught by the checks.", caught, run.mutants.size());
}

}  // namespace

std::vector<Headline> overview(const ReportInput& input) {
  return {{"Checked", checked(input.run)},
          {"Measured", measured(input.run, input.gate)},
          {"Since the last run", since_last(input)},
          {"Planted faults", faults(input.run)}};
}

}  // namespace assay::reports
