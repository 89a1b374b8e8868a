#include "reports/operation_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reports/format.hpp"

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
  if (check.verdict == Verdict::not_executed && state.not_executed_because.empty())
    state.not_executed_because = check.message.substr(0, check.message.find('\n'));
  if (check.cases > 0 && !check.against.empty()) state.against.insert(check.against);
  if (check.utilisation && !(state.worst_utilisation && *state.worst_utilisation >= *check.utilisation))
    state.worst_utilisation = check.utilisation;
  if (check.kind != CheckKind::golden || check.verdict == Verdict::not_executed) return;
  ++state.golden_run;
  state.golden_passed += check.verdict == Verdict::pass;
}

bool is_larger(const Benchmark& a, const Benchmark& b) {
  if (a.problem_size != b.problem_size) return a.problem_size > b.problem_size;
  if (a.bytes != b.bytes) return a.bytes > b.bytes;
  return a.median_ns < b.median_ns;
}

void add_benchmark(OperationState& state, const Benchmark& benchmark) {
  if (!benchmark.peer.empty()) return;
  ++state.benchmarks;
  if (benchmark.validity == Validity::invalid || benchmark.impossible || benchmark.median_ns <= 0.0) return;
  if (!state.largest || is_larger(benchmark, *state.largest)) state.largest = benchmark;
}

/// "12.3 G" for 1.23e10.
std::string with_prefix(double value) {
  constexpr std::array<std::pair<double, const char*>, 4> prefixes{
      {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}}};
  for (const auto& [factor, name] : prefixes)
    if (value >= factor) return format_number(value / factor) + ' ' + name;
  return format_number(value);
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

std::string_view standing_word(const OperationState& state) {
  const bool unchecked = state.standing == OperationStanding::no_data;
  return state.is_reference() && unchecked ? "the truth" : to_string(state.standing);
}

std::string checked_against(const OperationState& state) {
  std::string out;
  const auto add = [&](const std::string& name) { out += (out.empty() ? "" : ", ") + name; };
  for (const std::string& name : state.against)
    if (name != "itself" && !name.starts_with("golden")) add(name);
  if (state.golden_run > 0) add(fmt::format("golden data {} / {}", state.golden_passed, state.golden_run));
  if (state.against.count("itself")) add("itself");
  return out;
}

std::string throughput(const Benchmark& benchmark) {
  if (benchmark.median_ns <= 0.0) return {};
  std::string out;  // the size counts rows, points or elements, and is named N for most: items
  if (benchmark.problem_size > 0.0)
    out = with_prefix(benchmark.problem_size / benchmark.median_ns * 1e9) + " items/s";
  if (benchmark.bytes > 0.0 && benchmark.roofline_share)
    out += (out.empty() ? "" : ", ") + format_number(benchmark.bytes / benchmark.median_ns) + " GB/s";
  return out;
}

bool ran_in_cache(const Benchmark& benchmark) {
  return benchmark.roofline_share.value_or(0.0) > 1.0 && benchmark.cache.starts_with("warm");
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
  std::map<std::string, std::size_t> first;  // where an operation is first named: its backends stay together
  for (std::size_t i = 0; i < list.size(); ++i) first.try_emplace(list[i].operation, i);
  std::stable_sort(list.begin(), list.end(), [&](const OperationState& a, const OperationState& b) {
    return first.at(a.operation) < first.at(b.operation);
  });
  for (OperationState& state : list) state.standing = standing_of(state);
  return list;
}

}  // namespace assay::reports
