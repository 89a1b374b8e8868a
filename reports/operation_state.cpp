#include "reports/operation_state.hpp"

#include <algorithm>

namespace assay::reports {
namespace {

class States {
 public:
  OperationState& of(const std::string& operation, const std::string& backend) {
    const auto [place, is_new] = places_.try_emplace({operation, backend}, list_.size());
    if (!is_new) return list_[place->second];
    OperationState state;
    state.operation = operation;
    state.backend = backend;
    const auto info = infos_.find(operation);
    if (info != infos_.end())
      state.info = info->second;
    else
      state.info.name = operation;
    list_.push_back(std::move(state));
    return list_.back();
  }

  void list(const OperationInfo& info) {
    infos_[info.name] = info;
    for (const std::string& backend : info.backends) of(info.name, backend);
  }

  std::vector<OperationState> take() { return std::move(list_); }

 private:
  std::vector<OperationState> list_;
  std::map<std::pair<std::string, std::string>, std::size_t>
      places_;  // in the list, by operation and backend
  std::map<std::string, OperationInfo> infos_;
};

void add_check(OperationState& state, const Check& check) {
  const bool ran_nothing = check.verdict == Verdict::pass && check.cases <= 0;
  ++state.verdicts[ran_nothing ? Verdict::vacuous : check.verdict];
  state.cases += check.cases;
  if (!check.against.empty()) state.against.insert(check.against);
  if (check.utilisation && !(state.worst_utilisation && *state.worst_utilisation >= *check.utilisation))
    state.worst_utilisation = check.utilisation;
  if (check.kind != CheckKind::golden || check.verdict == Verdict::not_executed) return;
  ++state.golden_run;
  state.golden_passed += check.verdict == Verdict::pass;
}

void add_benchmark(OperationState& state, const Benchmark& benchmark) {
  if (!benchmark.peer.empty()) return;
  ++state.benchmarks;
  if (benchmark.validity == Validity::invalid || benchmark.impossible || benchmark.median_ns <= 0.0) return;
  if (!state.quickest || benchmark.median_ns < state.quickest->median_ns) state.quickest = benchmark;
  if (benchmark.roofline_share)
    state.best_roofline_share = std::max(*benchmark.roofline_share, state.best_roofline_share.value_or(0.0));
}

OperationStanding standing_of(const OperationState& state) {
  if (state.count(Verdict::fail) + state.count(Verdict::crashed) + state.count(Verdict::timeout) +
          state.count(Verdict::xpass) >
      0)
    return OperationStanding::wrong;
  if (state.count(Verdict::vacuous) > 0) return OperationStanding::vacuous;
  if (state.executed() > 0) return OperationStanding::checked;
  return state.count(Verdict::not_executed) > 0 ? OperationStanding::not_executed
                                                : OperationStanding::no_data;
}

}  // namespace

std::string_view to_string(OperationStanding standing) {
  switch (standing) {
    case OperationStanding::wrong:
      return "wrong";
    case OperationStanding::vacuous:
      return "vacuous";
    case OperationStanding::no_data:
      return "no data";
    case OperationStanding::not_executed:
      return "not executed";
    case OperationStanding::checked:
      return "checked";
  }
  return "unknown";
}

int OperationState::count(Verdict verdict) const {
  const auto found = verdicts.find(verdict);
  return found == verdicts.end() ? 0 : found->second;
}

int OperationState::executed() const {
  int total = 0;
  for (const auto& [verdict, count] : verdicts)
    if (verdict != Verdict::not_executed && verdict != Verdict::unsupported && verdict != Verdict::vacuous)
      total += count;
  return total;
}

std::vector<OperationState> operation_states(const RunRecord& record) {
  States states;
  for (const OperationInfo& info : record.operations) states.list(info);
  for (const Check& check : record.checks) add_check(states.of(check.operation, check.backend), check);
  for (const Benchmark& benchmark : record.benchmarks)
    if (benchmark.peer.empty()) add_benchmark(states.of(benchmark.operation, benchmark.backend), benchmark);
  auto list = states.take();
  for (OperationState& state : list) state.standing = standing_of(state);
  return list;
}

}  // namespace assay::reports
