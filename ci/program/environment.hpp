#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/runtime/device.hpp"
#include "reports/record.hpp"

namespace assay::program {

/// What the sources' repository says of itself; empty members where there is none.
struct SourceState {
  std::string commit;
  std::string branch;
  bool dirty = false;
};

/// The folder of this project above `start` (the one with the list of operations), or nothing.
std::optional<std::filesystem::path> project_root(const std::filesystem::path& start);

/// What git says of the sources; where they are no repository, ASSAY_COMMIT and ASSAY_BRANCH.
SourceState source_state(const std::filesystem::path& root);

/// Facts about the machine and the build, under the keys that reports::Environment names. `device` is the
/// CUDA device that a run uses, if any.
reports::Environment environment(const std::optional<DeviceInfo>& device);

/// The first CUDA device, or the one of that ordinal; nothing without one.
std::optional<DeviceInfo> device_of(int ordinal);

/// Features of the CPU that matter here ("avx2", "avx512f", "fma"), as /proc/cpuinfo lists them.
std::vector<std::string> cpu_features();

/// CPUs that this process may run on, and total memory in bytes.
int usable_cpus();
std::size_t memory_bytes();

/// The standard output of a program, its end of line dropped; nothing where it fails. Arguments are passed as
/// they are.
std::optional<std::string> output_of(const std::vector<std::string>& command);

}  // namespace assay::program
