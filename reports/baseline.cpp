#include "reports/baseline.hpp"

namespace assay::reports {
namespace {

std::optional<RunRecord> of_branch(const Store& store, const Run& run, const std::string& branch) {
  const auto baseline = store.baseline(branch, run.environment.fingerprint(), run.quick);
  return baseline ? store.load(baseline->run_id) : std::nullopt;
}

}  // namespace

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
  if (auto branch = of_branch(store, run, reference)) return branch;
  if (const auto found = store.find(reference)) return store.load(found->run.id);
  throw StoreError(
      "no baseline \"" + reference +
          "\": expected a branch with a baseline for this environment and mode, a run id or \"latest\"",
      true);
}

}  // namespace assay::reports
