#include <CLI/Version.hpp>
#include <filesystem>

#include "ci/program/application.hpp"
#include "ci/program/backend_choice.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/environment.hpp"
#include "ci/program/exit_code.hpp"
#include "ci/program/invocation.hpp"
#include "ci/program/recording.hpp"
#include "engine/operation.hpp"
#include "engine/runtime/device.hpp"
#include "fmt/format.h"
#include "validation/worker.hpp"

namespace assay::program {
namespace {

namespace fs = std::filesystem;

/// Something that was looked for: what it is good for where it is missing.
struct Finding {
  std::string what;
  bool there = false;
  std::string detail;
};

nlohmann::ordered_json device_json(const DeviceInfo& info) {
  return {{"ordinal", info.ordinal},
          {"name", info.name},
          {"uuid", info.uuid},
          {"compute_capability", fmt::format("{}.{}", info.compute_major, info.compute_minor)},
          {"memory_bytes", info.memory_bytes},
          {"multiprocessors", info.multiprocessors},
          {"l2_bytes", info.l2_bytes},
          {"shared_memory_per_block", info.shared_memory_per_block},
          {"clock_mhz", info.clock_khz / 1000},
          {"memory_clock_mhz", info.memory_clock_khz / 1000},
          {"ecc", info.ecc}};
}

std::vector<Finding> look_around() {
  std::vector<Finding> findings;
  const Availability cuda = cuda_available();
  findings.push_back({"CUDA compiled in", cuda_compiled(),
                      cuda_compiled() ? "runtime " + cuda_runtime_version()
                                      : "built without nvcc: only the CPU backend and the reference run"});
  findings.push_back({"CUDA device", cuda.available,
                      cuda.available ? "driver for CUDA " + cuda_driver_version()
                                     : cuda.reason + "; checks on CUDA are reported as not executed"});
  const auto smi =
      output_of({"nvidia-smi", "--query-gpu=driver_version,clocks.sm,clocks.mem,power.limit,temperature.gpu",
                 "--format=csv,noheader"});
  findings.push_back({"nvidia-smi", smi.has_value(),
                      smi ? *smi : "not there: driver version, clocks and power cap cannot be recorded"});
  const auto git = output_of({"git", "--version"});
  findings.push_back({"git", git.has_value(), git ? *git : "not there: runs are recorded without a commit"});
  const fs::path mutants = fs::path(validation::this_program()).parent_path() / "assay-mutants";
  std::error_code ignored;
  findings.push_back({"assay-mutants", fs::exists(mutants, ignored),
                      fs::exists(mutants, ignored)
                          ? mutants.string()
                          : "not beside this program: assay mutate builds it or fails"});
  const auto java = output_of({"java", "-version"});
  findings.push_back(
      {"java", java.has_value(), java ? "for the peer JIDT" : "not there: bench --peers leaves JIDT out"});
  return findings;
}

int run_doctor(Invocation& invocation) {
  std::vector<DeviceInfo> devices;
  if (cuda_available()) devices = cuda_devices();
  const auto facts = environment(devices.empty() ? std::nullopt : std::optional(devices.front()));
  const auto features = cpu_features();
  const auto findings = look_around();
  const std::vector<std::pair<std::string, std::string>> libraries{
      {"CLI11", CLI11_VERSION},
      {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
      {"nlohmann-json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                                    NLOHMANN_JSON_VERSION_PATCH)},
  };
  const std::string store = reports::shown_store_url(store_path(invocation));
  if (invocation.json()) {
    nlohmann::ordered_json document;
    document["version"] = version();
    document["environment"] = facts.facts;
    document["fingerprint"] = facts.fingerprint();
    document["cpu_features"] = features;
    document["cpus_usable"] = usable_cpus();
    document["memory_bytes"] = memory_bytes();
    document["devices"] = nlohmann::ordered_json::array();
    for (const DeviceInfo& info : devices) document["devices"].push_back(device_json(info));
    for (const auto& [name, number] : libraries) document["libraries"][name] = number;
    for (const Finding& finding : findings) {
      document["findings"].push_back(
          {{"what", finding.what}, {"there", finding.there}, {"detail", finding.detail}});
    }
    document["operations"] = operations().size();
    document["store"] = store;
    invocation.print_json(document);
    return code_of(ExitCode::ok);
  }
  std::string text = fmt::format("assay {}, {} operations\n", version(), operations().size());
  for (const auto& [name, value] : facts.facts) {
    if (!value.empty()) text += fmt::format("  {:<14} {}\n", name, value);
  }
  text += fmt::format("  {:<14} {}\n", "CPU features", fmt::join(features, " "));
  text += fmt::format("  {:<14} {}\n", "fingerprint", facts.fingerprint());
  for (const DeviceInfo& info : devices) {
    text += fmt::format(
        "  device {}: {}, compute {}.{}, {:.1f} GiB, {} multiprocessors, {} MHz, memory {} MHz, ECC {}\n",
        info.ordinal, info.name, info.compute_major, info.compute_minor,
        static_cast<double>(info.memory_bytes) / 0x1p30, info.multiprocessors, info.clock_khz / 1000,
        info.memory_clock_khz / 1000, info.ecc ? "on" : "off");
  }
  text += "libraries:";
  for (const auto& [name, number] : libraries) text += fmt::format(" {} {}", name, number);
  text += '\n';
  for (const Finding& finding : findings) {
    text += fmt::format("  {:<4} {:<18} {}\n", finding.there ? "ok" : "no", finding.what, finding.detail);
  }
  text += "store: " + store + "\n";
  invocation.print(text);
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_doctor() {
  Command command;
  command.path = "doctor";
  command.summary = "What this machine has, and what will not work and why";
  command.examples = "Examples:\n  assay doctor\n  assay doctor --json";
  command.options = {store_option()};
  command.run = run_doctor;
  return command;
}

}  // namespace assay::program
