#include "reports/waivers.hpp"

#include "reports/gate.hpp"

namespace assay::reports {
namespace {

bool can_be_waived(const GateItem& item) {
  if (item.subject == "run") return false;
  switch (item.verdict) {
    case GateVerdict::invalid:
    case GateVerdict::incorrect:
    case GateVerdict::regressed:
    case GateVerdict::vacuous:
    case GateVerdict::vanished:
      return true;
    case GateVerdict::device_missing:
    case GateVerdict::no_baseline:
    case GateVerdict::waived:
    case GateVerdict::inconclusive:
    case GateVerdict::improved:
    case GateVerdict::added:
    case GateVerdict::same:
      break;
  }
  return false;
}

}  // namespace

std::vector<std::string> apply_waivers(std::vector<GateItem>& items, const std::vector<Waiver>& waivers) {
  std::vector<std::string> unused;
  for (const Waiver& waiver : waivers) {
    bool present = false, used = false;
    for (GateItem& item : items) {
      if (item.key != waiver.key || item.subject == "run") continue;
      present = true;
      if (!can_be_waived(item)) continue;
      item.reason = "waived until " + waiver.expires + ": " + waiver.reason + " (" +
                    std::string(to_string(item.verdict)) + ": " + item.reason + ")";
      item.verdict = GateVerdict::waived;
      used = true;
    }
    if (!used)
      unused.push_back(
          "the waiver of " + waiver.key + " (until " + waiver.expires + ") " +
          (present ? "is not needed: nothing of that name is red" : "matches nothing that is red"));
  }
  return unused;
}

}  // namespace assay::reports
