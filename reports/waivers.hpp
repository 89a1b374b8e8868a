#pragma once

#include <string>
#include <vector>

/// Reds that somebody has looked at and lets pass for a while.
namespace assay::reports {

struct GateItem;

struct Waiver {
  std::string key;      // check_key, benchmark_key or mutant id and backend, exactly
  std::string reason;   // shown wherever the red would be
  std::string expires;  // "2026-01-31": the last day on which it holds
};

/// Turns what is red, vacuous or vanished and has a waiver into `waived`, with the reason. The run as a whole
/// (no baseline, a missing device, an interrupted run) cannot be waived. Returns one line for each waiver
/// that met nothing of the kind.
std::vector<std::string> apply_waivers(std::vector<GateItem>& items, const std::vector<Waiver>& waivers);

}  // namespace assay::reports
