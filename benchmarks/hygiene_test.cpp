#include "benchmarks/hygiene.hpp"

#include <gtest/gtest.h>

namespace assay::benchmarks {
namespace {

DeviceReading quiet() {
  return {.sm_clock_mhz = 1980,
          .memory_clock_mhz = 2619,
          .power_milliwatts = 400'000,
          .power_cap_milliwatts = 700'000,
          .temperature_celsius = 50,
          .uncorrected_errors = 0,
          .processes = 1,
          .clock_reasons = 0};
}

std::vector<Sample> samples_of(std::size_t count, const DeviceReading& reading) {
  return std::vector<Sample>(count, Sample{1e-3, 1755.0, reading});
}

TEST(Hygiene, KeepsWhatNothingDisturbed) {
  const Sifted sifted = sift(samples_of(10, quiet()));
  EXPECT_EQ(sifted.seconds.size(), 10u);
  EXPECT_EQ(sifted.dropped, 0u);
  EXPECT_EQ(sifted.invalid_reason, "");
  EXPECT_EQ(sifted.telemetry.at("sm_clock_mhz"), "1755");
  EXPECT_EQ(sifted.telemetry.at("clock_reasons"), "none");
  EXPECT_EQ(sifted.telemetry.at("power_w"), "400");
  EXPECT_EQ(sifted.telemetry.at("power_cap_w"), "700");
  EXPECT_EQ(sifted.telemetry.at("other_processes"), "0");
}

TEST(Hygiene, DropsSamplesUnderEachSlowdown) {
  for (const std::uint64_t reason : {clock_reason::hardware_slowdown, clock_reason::thermal_slowdown,
                                     clock_reason::hardware_thermal_slowdown, clock_reason::power_brake}) {
    std::vector<Sample> samples = samples_of(10, quiet());
    samples[3].reading->clock_reasons = reason;
    samples[3].seconds = 2e-3;
    samples[7].reading->clock_reasons = reason | clock_reason::power_cap;
    const Sifted sifted = sift(samples);
    EXPECT_EQ(sifted.dropped, 2u) << reason;
    ASSERT_EQ(sifted.seconds.size(), 8u);
    EXPECT_EQ(*std::max_element(sifted.seconds.begin(), sifted.seconds.end()), 1e-3);
    EXPECT_EQ(sifted.invalid_reason, "") << "two of ten are a fifth, not more";
  }
}

TEST(Hygiene, IsInvalidWhenMoreThanAFifthIsDropped) {
  std::vector<Sample> samples = samples_of(10, quiet());
  for (std::size_t at : {1u, 4u, 8u}) samples[at].reading->clock_reasons = clock_reason::thermal_slowdown;
  EXPECT_EQ(sift(samples).invalid_reason,
            "30 % of the samples were taken under a slowdown (thermal slowdown), 20 % are too many");
}

TEST(Hygiene, NotesAPowerCapAndDropsNothing) {
  DeviceReading capped = quiet();
  capped.clock_reasons = clock_reason::power_cap;
  const Sifted sifted = sift(samples_of(10, capped));
  EXPECT_EQ(sifted.dropped, 0u);
  EXPECT_EQ(sifted.invalid_reason, "");
  EXPECT_EQ(sifted.telemetry.at("clock_reasons"), "power cap");
}

TEST(Hygiene, AnotherProcessOnTheDeviceIsInvalid) {
  std::vector<Sample> samples = samples_of(10, quiet());
  samples[9].reading->processes = 3;
  EXPECT_EQ(sift(samples).invalid_reason, "2 other processes computed on the device");
  EXPECT_EQ(sift(samples).telemetry.at("other_processes"), "2");
}

TEST(Hygiene, NewMemoryErrorsAreInvalidAndOldOnesAreNot) {
  std::vector<Sample> samples = samples_of(4, quiet());
  for (Sample& sample : samples) sample.reading->uncorrected_errors = 5;
  EXPECT_EQ(sift(samples).invalid_reason, "");
  samples[3].reading->uncorrected_errors = 7;
  EXPECT_EQ(sift(samples).invalid_reason, "2 uncorrected memory errors came up meanwhile");
}

TEST(Hygiene, WithoutReadingsThereIsNothingToSay) {
  const std::vector<Sample> samples(5, Sample{1e-3, 0, {}});
  const Sifted sifted = sift(samples);
  EXPECT_EQ(sifted.seconds.size(), 5u);
  EXPECT_TRUE(sifted.telemetry.empty());
  EXPECT_EQ(sifted.invalid_reason, "");
}

TEST(Hygiene, RangesAreShown) {
  std::vector<Sample> samples = samples_of(3, quiet());
  samples[1].sm_megahertz = 1980;
  samples[2].reading->temperature_celsius = 61;
  EXPECT_EQ(sift(samples).telemetry.at("sm_clock_mhz"), "1755 to 1980");
  EXPECT_EQ(sift(samples).telemetry.at("temperature_c"), "50 to 61");
}

TEST(Hygiene, TimesBeyondTheDatasheetAreRefused) {
  const DevicePeak h200 = peak_of("NVIDIA H200");
  EXPECT_EQ(h200.bytes_per_second, 4.8e12);
  EXPECT_EQ(peak_of("NVIDIA H100 80GB HBM3").bytes_per_second, 3.35e12);
  EXPECT_EQ(peak_of("NVIDIA H100 PCIe").bytes_per_second, 2.0e12);
  EXPECT_EQ(beyond_peak(h200, 4.7e9, 0, 1e-3), "");
  EXPECT_EQ(beyond_peak(h200, 9.6e9, 0, 1e-3), "2.00 times the 4.80 TB/s of the datasheet");
  EXPECT_EQ(beyond_peak(h200, 0, 1.98e12, 1e-3), "2.00 times the 990 TFLOP/s of the datasheet");
  EXPECT_EQ(beyond_peak(peak_of("another card"), 1e15, 1e18, 1e-6), "");
  EXPECT_EQ(beyond_peak(h200, 1, 1, 0), "a time of nothing");
}

TEST(Hygiene, ReasonsHaveNames) {
  EXPECT_EQ(clock_reasons_text(0), "none");
  EXPECT_EQ(clock_reasons_text(0x4 | 0x20), "power cap, thermal slowdown");
  EXPECT_EQ(clock_reasons_text(0x40000000), "unknown reason");
}

}  // namespace
}  // namespace assay::benchmarks
