#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace assay {

/// CPUs that the control group of this process may keep busy, rounded up; none where there is no limit.
/// `root` is where the cgroup file system is mounted, `membership` the text of /proc/self/cgroup. Version 2
/// (cpu.max, the smallest on the way up to the root) and version 1 (cpu.cfs_quota_us over cpu.cfs_period_us).
std::optional<unsigned> cgroup_cpu_limit(const std::filesystem::path& root, std::string_view membership);

/// CPUs that this process may use: its affinity mask, and no more than its control group allows. At least 1.
unsigned usable_cpus();

}  // namespace assay
