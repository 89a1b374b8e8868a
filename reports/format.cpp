#include "reports/format.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace assay::reports {
namespace {

const std::string dash = "–";

}  // namespace

std::string format_number(double value) {
  if (std::isnan(value)) return dash;
  if (std::isinf(value)) return value > 0 ? "∞" : "-∞";
  if (value == 0.0) return "0";
  const double size = std::abs(value);
  if (size < 1e-3 || size >= 1e6) return fmt::format("{:.2e}", value);
  if (size >= 999.5) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

std::string format_number(const std::optional<double>& value) {
  return value ? format_number(*value) : dash;
}

std::string format_time(double nanoseconds) {
  if (!std::isfinite(nanoseconds) || nanoseconds <= 0.0) return dash;
  constexpr std::array<const char*, 3> units{"ns", "us", "ms"};
  double value = nanoseconds;
  for (const char* unit : units) {
    if (value < 999.5) return fmt::format("{:.3g} {}", value, unit);
    value /= 1000.0;
  }
  return value < 999.5 ? fmt::format("{:.3g} s", value) : fmt::format("{:.0f} s", value);
}

std::string format_change(double ratio) {
  if (!std::isfinite(ratio)) return dash;
  return fmt::format("{:+.1f} %", (ratio - 1.0) * 100.0);
}

std::string format_percent(double share) {
  if (!std::isfinite(share)) return dash;
  return fmt::format("{:.1f} %", share * 100.0);
}

std::string format_factor(double factor) {
  if (!std::isfinite(factor)) return dash;
  return fmt::format("{}x", format_number(factor));
}

std::string format_short(const std::string& id) {
  return id.empty() ? dash : id.substr(0, 12);
}

std::string format_moment(const std::string& utc) {
  if (utc.size() < 16) return utc.empty() ? dash : utc;
  return utc.substr(0, 10) + ' ' + utc.substr(11, 5);
}

std::string format_count(long long count, const std::string& singular, const std::string& plural) {
  const std::string& many = plural.empty() ? singular + 's' : plural;
  return fmt::format("{} {}", count, count == 1 ? singular : many);
}

}  // namespace assay::reports
