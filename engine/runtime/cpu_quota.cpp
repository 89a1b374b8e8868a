#include "engine/runtime/cpu_quota.hpp"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace assay {

namespace {

// A limit of `quota` microseconds of CPU time in every `period`; none where either is not a positive number
// ("max").
std::optional<unsigned> limit_of(const std::string& quota, const std::string& period) {
  std::istringstream quota_text(quota);
  std::istringstream period_text(period);
  long long quota_us = 0;
  long long period_us = 0;
  if (!(quota_text >> quota_us) || !(period_text >> period_us) || quota_us <= 0 || period_us <= 0)
    return std::nullopt;
  return static_cast<unsigned>(std::clamp<long long>((quota_us + period_us - 1) / period_us, 1, 1 << 20));
}

std::string first_line(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::optional<unsigned> smaller(std::optional<unsigned> a, std::optional<unsigned> b) {
  if (!a) return b;
  return b ? std::min(*a, *b) : a;
}

std::optional<unsigned> version_2(const std::filesystem::path& folder) {
  std::istringstream line(first_line(folder / "cpu.max"));
  std::string quota;
  std::string period;
  line >> quota >> period;
  return limit_of(quota, period);
}

std::optional<unsigned> version_1(const std::filesystem::path& folder) {
  return limit_of(first_line(folder / "cpu.cfs_quota_us"), first_line(folder / "cpu.cfs_period_us"));
}

// Whether "cpu" stands among names that are separated by commas.
bool names_cpu(const std::string& controllers) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');)
    if (name == "cpu") return true;
  return false;
}

}  // namespace

std::optional<unsigned> cgroup_cpu_limit(const std::filesystem::path& root, std::string_view membership) {
  std::optional<unsigned> limit;
  std::istringstream lines{std::string(membership)};
  for (std::string line; std::getline(lines, line);) {
    // "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1.
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool unified = controllers.empty();
    if (!unified && !names_cpu(controllers)) continue;
    // In a container the group's own folder is often mounted as the root, so the root is looked at in every
    // case.
    std::filesystem::path group = std::filesystem::path(line.substr(second + 1)).relative_path();
    while (true) {
      limit = smaller(limit, unified ? version_2(root / group) : version_1(root / "cpu" / group));
      if (group.empty()) break;
      group = group.parent_path();
    }
  }
  return limit;
}

unsigned usable_cpus() {
  unsigned count = std::max(1u, std::thread::hardware_concurrency());
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    count = static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  std::ifstream membership("/proc/self/cgroup");
  std::ostringstream text;
  text << membership.rdbuf();
  if (const auto limit = cgroup_cpu_limit("/sys/fs/cgroup", text.str())) count = std::min(count, *limit);
  return count;
}

}  // namespace assay
