#include "engine/analysis/host_memory.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

namespace assay::analysis {

namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::optional<std::int64_t> leading_number(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return std::nullopt;
  std::int64_t number = 0;
  const auto [stop, code] = std::from_chars(text.data() + first, text.data() + text.size(), number);
  if (code != std::errc{}) return std::nullopt;  // "max": no limit
  return number;
}

/// What the control group of version 2 leaves, the least on the way up to the root.
std::optional<std::int64_t> left_in_group(std::string_view membership, const std::filesystem::path& root) {
  const std::size_t line = membership.find("0::/");
  if (line == std::string_view::npos) return std::nullopt;
  std::string_view name = membership.substr(line + 4);
  name = name.substr(0, name.find('\n'));
  std::optional<std::int64_t> least;
  for (std::filesystem::path group = root / name;; group = group.parent_path()) {
    const auto limit = leading_number(content_of(group / "memory.max"));
    const auto used = leading_number(content_of(group / "memory.current"));
    if (limit && used) least = std::min(least.value_or(*limit), std::max<std::int64_t>(0, *limit - *used));
    if (group == root || !group.has_relative_path() || group == group.parent_path()) return least;
  }
}

}  // namespace

std::int64_t available_memory(std::string_view meminfo, std::string_view membership,
                              const std::filesystem::path& root) {
  constexpr std::string_view key = "MemAvailable:";
  std::optional<std::int64_t> bytes;
  if (const std::size_t at = meminfo.find(key); at != std::string_view::npos)
    if (const auto kib = leading_number(meminfo.substr(at + key.size()))) bytes = *kib * 1024;
  if (const auto left = left_in_group(membership, root)) bytes = std::min(bytes.value_or(*left), *left);
  return bytes.value_or(-1);
}

std::int64_t available_memory() {
  return available_memory(content_of("/proc/meminfo"), content_of("/proc/self/cgroup"), "/sys/fs/cgroup");
}

std::string memory_text(double bytes) {
  char text[64];
  const bool large = bytes >= 0x1p30;
  std::snprintf(text, sizeof text, bytes < 0x1p20 ? "%.2f %s" : "%.1f %s", bytes / (large ? 0x1p30 : 0x1p20),
                large ? "GiB" : "MiB");
  return text;
}

}  // namespace assay::analysis
