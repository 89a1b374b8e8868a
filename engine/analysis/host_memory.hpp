#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace assay::analysis {

/// Bytes that this process may still take: what the system says is available (MemAvailable of /proc/meminfo)
/// and, where its control group has a limit (version 2), what is left of that. -1 where neither is known.
std::int64_t available_memory();

/// The same from given files: the text of /proc/meminfo and of /proc/self/cgroup, and where the control
/// groups are mounted.
std::int64_t available_memory(std::string_view meminfo, std::string_view membership,
                              const std::filesystem::path& root);

/// "1.5 GiB", "12 MiB": for people.
std::string memory_text(double bytes);

}  // namespace assay::analysis
