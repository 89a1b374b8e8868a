#include "ci/program/environment.hpp"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "ci/program/application.hpp"
#include "ci/program/backend_choice.hpp"
#include "fmt/format.h"

extern char** environ;

namespace assay::program {
namespace {

namespace fs = std::filesystem;

/// A value of /etc/os-release.
std::string os_name() {
  std::ifstream file("/etc/os-release");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("PRETTY_NAME=")) continue;
    std::string name = line.substr(12);
    if (name.size() >= 2 && name.front() == '"') name = name.substr(1, name.size() - 2);
    return name;
  }
  return "unknown";
}

std::string compiler_name() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  return "unknown";
#endif
}

/// What of the build decides its speed, as far as the compiler tells the code.
std::string build_flags() {
  std::string flags;
  [[maybe_unused]] const auto add = [&](const char* flag) {
    flags += (flags.empty() ? "" : " ") + std::string(flag);
  };
#ifdef __OPTIMIZE__
  add("optimised");
#endif
#ifdef __AVX512F__
  add("avx512f");
#elif defined(__AVX2__)
  add("avx2");
#endif
#ifdef __FAST_MATH__
  add("fast-math");
#endif
#ifdef __SANITIZE_ADDRESS__
  add("address-sanitizer");
#endif
#ifdef __SANITIZE_THREAD__
  add("thread-sanitizer");
#endif
#ifdef ASSAY_MUTANTS
  add("mutants");
#endif
  return flags.empty() ? "none" : flags;
}

}  // namespace

std::optional<std::string> output_of(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const bool started =
      ::posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string out;
  if (started) {
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
      out.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  ::close(ends[0]);
  if (!started) return std::nullopt;
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return std::nullopt;
  while (!out.empty() && (out.back() == '\n' || out.back() == '\r')) out.pop_back();
  return out;
}

std::optional<fs::path> project_root(const fs::path& start) {
  std::error_code ignored;
  for (fs::path folder = fs::absolute(start, ignored); !folder.empty(); folder = folder.parent_path()) {
    if (fs::is_regular_file(folder / "engine" / "operations.cmake", ignored)) return folder;
    if (folder == folder.parent_path()) break;
  }
  return std::nullopt;
}

SourceState source_state(const fs::path& root) {
  SourceState state;
  const std::string folder = root.string();
  const auto git = [&](std::vector<std::string> arguments) {
    std::vector<std::string> command{"git", "-C", folder};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return output_of(command);
  };
  // A copy, as ci/device carries it to another machine, is told what it is a copy of: it has no repository, or
  // one that has stayed behind.
  const auto told = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  state.commit = told("ASSAY_COMMIT");
  state.branch = told("ASSAY_BRANCH");
  if (!state.commit.empty()) return state;
  state.commit = git({"rev-parse", "HEAD"}).value_or("");
  if (state.commit.empty()) return state;
  state.branch = git({"rev-parse", "--abbrev-ref", "HEAD"}).value_or("");
  state.dirty = !git({"status", "--porcelain", "--untracked-files=no"}).value_or("").empty();
  return state;
}

std::vector<std::string> cpu_features() {
  static const std::set<std::string> wanted{"sse4_2",  "avx",      "avx2",     "fma",         "f16c",
                                            "avx512f", "avx512bw", "avx512vl", "avx512_fp16", "amx_tile",
                                            "bmi2",    "asimd",    "sve"};
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags") && !line.starts_with("Features")) continue;
    std::istringstream words(line);
    std::vector<std::string> found;
    for (std::string word; words >> word;) {
      if (wanted.contains(word)) found.push_back(word);
    }
    return found;
  }
  return {};
}

int usable_cpus() {
  cpu_set_t cpus;
  if (::sched_getaffinity(0, sizeof cpus, &cpus) != 0) return 1;
  return CPU_COUNT(&cpus);
}

std::size_t memory_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long size = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(size) : 0;
}

std::optional<DeviceInfo> device_of(int ordinal) {
  if (!cuda_available()) return std::nullopt;
  for (const DeviceInfo& info : cuda_devices()) {
    if (info.ordinal == ordinal) return info;
  }
  return std::nullopt;
}

reports::Environment environment(const std::optional<DeviceInfo>& device) {
  reports::Environment environment;
  auto& facts = environment.facts;
  facts["cpu"] = cpu_model();
  facts["cores"] = std::to_string(usable_cpus());
  facts["memory"] = fmt::format("{:.1f} GiB", static_cast<double>(memory_bytes()) / 0x1p30);
  facts["os"] = os_name();
  utsname system{};
  if (::uname(&system) == 0) {
    facts["kernel"] = system.release;
    facts["hostname"] = system.nodename;
  }
  facts["compiler"] = compiler_name();
#ifdef NDEBUG
  facts["build_type"] = "release";
#else
  facts["build_type"] = "debug";
#endif
  facts["flags"] = build_flags();
  facts["version"] = version();
  facts["cuda"] = cuda_compiled() ? cuda_runtime_version() : "";
  if (device) {
    facts["device"] = device->name;
    facts["driver"] = cuda_driver_version();
    facts["ecc"] = device->ecc ? "on" : "off";
    facts["device_memory"] = fmt::format("{:.1f} GiB", static_cast<double>(device->memory_bytes) / 0x1p30);
    facts["device_clock"] = fmt::format("{} MHz at most", device->clock_khz / 1000);
    const auto query = output_of({"nvidia-smi", "-i", std::to_string(device->ordinal),
                                  "--format=csv,noheader", "--query-gpu=driver_version,power.limit"});
    if (query) {
      const std::size_t comma = query->find(", ");
      facts["driver"] = query->substr(0, comma);
      if (comma != std::string::npos) facts["power_cap"] = query->substr(comma + 2);
    }
  }
  return environment;
}

}  // namespace assay::program
