#include "ci/program/profiling.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>

#include "ci/program/environment.hpp"
#include "ci/program/failure.hpp"
#include "fmt/format.h"

namespace assay::program {

namespace {

namespace fs = std::filesystem;

struct Metric {
  const char* name;
  double KernelProfile::*value;
};
constexpr Metric metrics[] = {
    {"gpu__time_duration.sum", &KernelProfile::microseconds},
    {"sm__inst_issued.avg.pct_of_peak_sustained_active", &KernelProfile::compute},
    {"dram__throughput.avg.pct_of_peak_sustained_elapsed", &KernelProfile::memory},
    {"lts__throughput.avg.pct_of_peak_sustained_elapsed", &KernelProfile::l2},
    {"sm__warps_active.avg.pct_of_peak_sustained_active", &KernelProfile::occupancy},
    {"launch__registers_per_thread", &KernelProfile::registers},
};

std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"')
      quoted = !quoted;
    else if (c == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += c;
  }
  return fields;
}

/// "1,234.5": the profiler groups digits.
double number_of(std::string text) {
  std::erase(text, ',');
  return std::strtod(text.c_str(), nullptr);
}

/// Microseconds of one of a unit that the profiler prints.
double microseconds_of(const std::string& unit) {
  if (unit == "ns" || unit == "nsecond") return 1e-3;
  if (unit == "ms" || unit == "msecond") return 1e3;
  if (unit == "s" || unit == "second") return 1e6;
  return 1;
}

/// "void assay::kernels::windows::<unnamed>::sweep_pairs<(int)4, (bool)0>(Task)" is "windows::sweep_pairs<4,
/// 0>".
std::string short_name(std::string name) {
  for (const std::string_view part :
       {"void ", "assay::kernels::", "<unnamed>::", "(anonymous namespace)::", "(int)", "(bool)"})
    for (std::size_t at = 0; (at = name.find(part)) != std::string::npos;) name.erase(at, part.size());
  return name.substr(0, name.find('('));
}

std::optional<std::string> find_profiler() {
  std::vector<fs::path> folders;
  if (const char* path = std::getenv("PATH")) {
    const std::string all = path;
    for (std::size_t begin = 0; begin <= all.size();) {
      const std::size_t end = std::min(all.find(':', begin), all.size());
      folders.emplace_back(all.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  folders.emplace_back("/usr/local/cuda/bin");
  for (const fs::path& folder : folders) {
    std::error_code ignored;
    if (!folder.empty() && fs::is_regular_file(folder / "ncu", ignored)) return (folder / "ncu").string();
  }
  return std::nullopt;
}

}  // namespace

std::string KernelProfile::bound() const {
  const double most = std::max({compute, memory, l2});
  if (most < 60) return "latency";
  return most == memory ? "memory" : most == l2 ? "L2" : "instructions";
}

std::vector<KernelProfile> parse_profile(std::string_view csv) {
  std::vector<std::string> header, units;
  std::vector<KernelProfile> kernels;
  while (!csv.empty()) {
    const std::string_view line = csv.substr(0, csv.find('\n'));
    csv.remove_prefix(std::min(csv.size(), line.size() + 1));
    if (line.empty() || line.front() != '"') continue;  // what the profiled program and the profiler say
    std::vector<std::string> fields = fields_of(line);
    if (header.empty()) {
      header = std::move(fields);
      continue;
    }
    if (fields.size() != header.size())
      throw std::runtime_error(
          fmt::format("a row of the profile has {} fields, expected {}", fields.size(), header.size()));
    if (units.empty()) {
      units = std::move(fields);
      continue;
    }
    const auto column = [&](std::string_view name) {
      const auto at = std::find(header.begin(), header.end(), name);
      if (at == header.end()) throw std::runtime_error(fmt::format("the profile has no column '{}'", name));
      return static_cast<std::size_t>(at - header.begin());
    };
    KernelProfile kernel;
    kernel.name = short_name(fields[column("Kernel Name")]);
    for (const Metric& metric : metrics) {
      const std::size_t at = column(metric.name);
      kernel.*metric.value = number_of(fields[at]);
      if (metric.value == &KernelProfile::microseconds) kernel.microseconds *= microseconds_of(units[at]);
    }
    kernels.push_back(std::move(kernel));
  }
  return kernels;
}

std::string profile_table(const std::vector<KernelProfile>& kernels) {
  struct Row {
    KernelProfile kernel;
    int launches = 0;
  };
  std::vector<Row> rows;
  double all = 0;
  for (const KernelProfile& kernel : kernels) {
    all += kernel.microseconds;
    const auto same = std::find_if(rows.begin(), rows.end(),
                                   [&](const Row& row) { return row.kernel.name == kernel.name; });
    if (same == rows.end()) {
      rows.push_back({kernel, 1});
      continue;
    }
    // Percentages of several launches are weighted by their time.
    const double before = same->kernel.microseconds, time = before + kernel.microseconds;
    for (const Metric& metric : metrics)
      if (metric.value != &KernelProfile::microseconds && metric.value != &KernelProfile::registers &&
          time > 0)
        same->kernel.*metric.value =
            (same->kernel.*metric.value * before + kernel.*metric.value * kernel.microseconds) / time;
    same->kernel.microseconds = time;
    ++same->launches;
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.kernel.microseconds > b.kernel.microseconds; });
  std::string out =
      fmt::format("{:<44} {:>8} {:>11} {:>6}  {:>12} {:>7} {:>5} {:>9} {:>9}  {}\n", "kernel", "launches",
                  "time", "share", "instructions", "memory", "L2", "occupancy", "registers", "bound by");
  for (const auto& [kernel, launches] : rows)
    out += fmt::format(
        "{:<44} {:>8} {:>8.1f} us {:>4.0f} %  {:>10.0f} % {:>5.0f} % {:>3.0f} % {:>7.0f} % {:>9.0f}  {}\n",
        kernel.name.substr(0, 44), launches, kernel.microseconds,
        all > 0 ? 100 * kernel.microseconds / all : 0, kernel.compute, kernel.memory, kernel.l2,
        kernel.occupancy, kernel.registers, kernel.bound());
  out += fmt::format("{:<44} {:>8} {:>8.1f} us\n", "all", kernels.size(), all);
  return out;
}

std::vector<KernelProfile> profile_case(const std::string& name, int device) {
  const auto profiler = find_profiler();
  if (!profiler)
    throw Failure(ExitCode::invalid,
                  "--profile: Nsight Compute (ncu) is not installed here, neither on the PATH nor in "
                  "/usr/local/cuda/bin");
  std::string listed;
  for (const Metric& metric : metrics) listed += (listed.empty() ? "" : ",") + std::string(metric.name);
  const auto csv =
      output_of({*profiler,         "--csv",     "--page",   "raw",
                 "--clock-control", "none",      "--nvtx",   "--nvtx-include",
                 "assay once/",     "--metrics", listed,     fs::read_symlink("/proc/self/exe").string(),
                 "bench",           "--case",    name,       "--once",
                 "--backend",       "cuda",      "--device", std::to_string(device),
                 "--quiet"});
  if (!csv)
    throw Failure(ExitCode::invalid, "--profile: ncu could not profile '" + name +
                                         "': no device, or its counters may not be read by this user");
  try {
    std::vector<KernelProfile> kernels = parse_profile(*csv);
    if (kernels.empty()) throw Failure(ExitCode::vacuous, "--profile: '" + name + "' launched no kernel");
    return kernels;
  } catch (const std::runtime_error& error) {
    if (dynamic_cast<const Failure*>(&error) != nullptr) throw;
    throw Failure(ExitCode::tool_error, std::string("--profile: ") + error.what());
  }
}

}  // namespace assay::program
