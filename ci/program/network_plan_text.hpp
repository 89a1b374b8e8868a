#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/analysis/network_schedule.hpp"

namespace assay::program {

/// What --dry-run of a network prints.
struct PlannedNetwork {
  const analysis::NetworkOptions& options;
  analysis::NetworkForecast forecast;
  std::string backend;
  std::vector<std::string> devices;
};
std::string plan_text(const PlannedNetwork& plan);
nlohmann::ordered_json plan_json(const PlannedNetwork& plan);

}  // namespace assay::program
