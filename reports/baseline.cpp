#include "reports/baseline.hpp"

namespace assay::reports {
namespace {

std::optional<RunRecord> of_branch(const Store& store, const Run& run, const std::string& branch) {
  const auto baseline = store.baseline(branch, run.environment.fingerprint(), run.quick);
  return baseline ? store.load(baseline->run_id) : std::nullopt;
}

bool knows_branch(const Store& store, const std::string& branch) {
  RunFilter filter;
  filter.branch = branch;
  filter.limit = 1;
  return !store.runs(filter).empty();
}

}  // namespace

void check_baseline_reference(const Store& store, const std::string& reference) {
  if (reference.empty() || reference == "latest" || knows_branch(store, reference) || store.find(reference))
    return;
  throw StoreError("no baseline \"" + reference +
                       "\": expected a branch that the store has runs of, a run id or \"latest\"",
                   true);
}

std::optional<RunRecord> baseline_for(const Store& store, const Run& run, const std::string& reference,
                                      const std::string& default_branch) {
  if (reference.empty()) {
    auto own = of_branch(store, run, run.branch);
    return own ? std::move(own) : of_branch(store, run, default_branch);
  }
  if (reference == "latest") {
    const auto previous = store.previous(run);
    return previous ? store.load(previous->run.id) : std::nullopt;
  }
  check_baseline_reference(store, reference);
  if (knows_branch(store, reference)) return of_branch(store, run, reference);
  return store.load(store.find(reference)->run.id);
}

}  // namespace assay::reports
