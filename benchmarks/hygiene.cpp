#include "benchmarks/hygiene.hpp"

#include <algorithm>
#include <cstdint>

#include "fmt/format.h"

namespace assay::benchmarks {

namespace {

/// "1755 to 1980", or one number.
std::string range_text(std::vector<double> values, const char* format) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const std::string low = fmt::format(fmt::runtime(format), *least),
                    high = fmt::format(fmt::runtime(format), *most);
  return low == high ? low : low + " to " + high;
}

}  // namespace

Sifted sift(std::span<const Sample> samples) {
  Sifted sifted;
  std::uint64_t reasons = 0;
  std::vector<double> clocks, powers, temperatures;
  int processes = -1;
  std::int64_t first_errors = -1, last_errors = -1;
  for (const Sample& sample : samples) {
    if (sample.sm_megahertz > 0) clocks.push_back(sample.sm_megahertz);
    bool disturbed = false;
    if (sample.reading) {
      const DeviceReading& reading = *sample.reading;
      reasons |= reading.clock_reasons & ~clock_reason::idle;
      disturbed = (reading.clock_reasons & clock_reason::disturbed) != 0;
      if (reading.power_milliwatts >= 0) powers.push_back(reading.power_milliwatts * 1e-3);
      if (reading.temperature_celsius >= 0) temperatures.push_back(reading.temperature_celsius);
      processes = std::max(processes, reading.processes);
      if (first_errors < 0) first_errors = reading.uncorrected_errors;
      last_errors = std::max(last_errors, reading.uncorrected_errors);
      if (reading.power_cap_milliwatts >= 0)
        sifted.telemetry["power_cap_w"] = fmt::format("{:.0f}", reading.power_cap_milliwatts * 1e-3);
    }
    if (disturbed)
      ++sifted.dropped;
    else
      sifted.seconds.push_back(sample.seconds);
  }
  if (!clocks.empty()) sifted.telemetry["sm_clock_mhz"] = range_text(clocks, "{:.0f}");
  if (!powers.empty()) sifted.telemetry["power_w"] = range_text(powers, "{:.0f}");
  if (!temperatures.empty()) sifted.telemetry["temperature_c"] = range_text(temperatures, "{:.0f}");
  const bool read = std::any_of(samples.begin(), samples.end(),
                                [](const Sample& sample) { return sample.reading.has_value(); });
  if (read) {
    sifted.telemetry["clock_reasons"] = clock_reasons_text(reasons);
    sifted.telemetry["samples_dropped"] = std::to_string(sifted.dropped);
  }
  // This process is one of them where the library sees it; in a container it often sees none.
  if (processes >= 0) sifted.telemetry["other_processes"] = std::to_string(std::max(0, processes - 1));
  if (last_errors >= 0) sifted.telemetry["uncorrected_errors"] = std::to_string(last_errors);

  const double share =
      samples.empty() ? 0 : static_cast<double>(sifted.dropped) / static_cast<double>(samples.size());
  if (share > most_dropped)
    sifted.invalid_reason =
        fmt::format("{:.0f} % of the samples were taken under a slowdown ({}), {:.0f} % are too many",
                    100 * share, clock_reasons_text(reasons & clock_reason::disturbed), 100 * most_dropped);
  else if (last_errors > first_errors && first_errors >= 0)
    sifted.invalid_reason =
        fmt::format("{} uncorrected memory errors came up meanwhile", last_errors - first_errors);
  else if (processes > 1)
    sifted.invalid_reason = fmt::format("{} other processes computed on the device", processes - 1);
  return sifted;
}

DevicePeak peak_of(const std::string& device_name) {
  struct Known {
    const char* part;  // of the name
    DevicePeak peak;
  };
  // NVIDIA's datasheets of the SXM and PCIe boards; the more particular name first.
  static constexpr Known known[] = {
      {"H200", {4.8e12, 990e12}},  {"H100 NVL", {3.9e12, 835e12}},         {"H100 PCIe", {2.0e12, 756e12}},
      {"H100", {3.35e12, 990e12}}, {"A100-SXM4-80GB", {2.039e12, 312e12}}, {"A100", {1.935e12, 312e12}}};
  for (const Known& one : known)
    if (device_name.find(one.part) != std::string::npos) return one.peak;
  return {};
}

std::string beyond_peak(const DevicePeak& peak, double bytes, double flops, double seconds) {
  if (!(seconds > 0)) return "a time of nothing";
  const double of_bytes = peak.bytes_per_second > 0 ? bytes / seconds / peak.bytes_per_second : 0,
               of_flops = peak.flop_per_second > 0 ? flops / seconds / peak.flop_per_second : 0;
  if (of_bytes > 1)
    return fmt::format("{:.2f} times the {:.2f} TB/s of the datasheet", of_bytes,
                       peak.bytes_per_second * 1e-12);
  if (of_flops > 1)
    return fmt::format("{:.2f} times the {:.0f} TFLOP/s of the datasheet", of_flops,
                       peak.flop_per_second * 1e-12);
  return "";
}

}  // namespace assay::benchmarks
