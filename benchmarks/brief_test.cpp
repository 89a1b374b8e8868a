#include "benchmarks/brief.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "benchmarks/device_slowdown.hpp"
#include "benchmarks/slowdown.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/event.hpp"
#include "engine/runtime/stream.hpp"

namespace assay::benchmarks {
namespace {

BriefOptions only(const std::string& name) {
  BriefOptions options;
  options.names = {name};
  return options;
}

TEST(Brief, EveryCaseHasAPlaceAndANameOfItsOwn) {
  const auto names = brief_names({}, Backend::cpu);
  EXPECT_GE(names.size(), 40u);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  BriefOptions two;
  two.names = {names[3], "te.none/n=1/cpu", names[1]};
  EXPECT_EQ(brief_names(two, Backend::cpu), (std::vector<std::string>{names[3], names[1]}));
  two.wanted = [](const std::string&) { return false; };
  EXPECT_TRUE(brief_names(two, Backend::cpu).empty());
}

TEST(Brief, MeasuresTimesOfOneCall) {
  Context context = Context::cpu(1);
  const InstructionCounter instructions;
  BriefOptions options = only("te.digamma/n=10000/cpu");
  options.check = true;
  const auto measured = measure_briefly(context, options, instructions);
  ASSERT_EQ(measured.size(), 1u);
  const BriefMeasurement& one = measured[0];
  EXPECT_EQ(one.failure, "");
  EXPECT_EQ(one.too_long, 0);
  // 10,000 values: beyond 0.1 ns each on any CPU, and within 10 us.
  EXPECT_GT(one.medians.at("wall"), 1e3);
  EXPECT_LT(one.medians.at("wall"), 1e8);
  EXPECT_GT(one.medians.at("cpu"), 1e3);
  EXPECT_GT(one.resolutions.at("wall"), 0);
  EXPECT_LT(one.resolutions.at("wall"), one.medians.at("wall"));
  EXPECT_EQ(one.medians.contains("instructions"), instructions.works());
  EXPECT_GE(one.samples, 3);
  EXPECT_EQ(one.launches, "");
  options.check = false;
  EXPECT_EQ(measure_briefly(context, options, instructions)[0].answer, one.answer);
  options.seed = 2;
  EXPECT_NE(measure_briefly(context, options, instructions)[0].answer, one.answer);
}

TEST(Brief, LeavesOutWhatTakesTooLong) {
  Context context = Context::cpu(1);
  BriefOptions options = only("te.digamma/n=10000/cpu");
  options.longest_call = 1e-9;
  const auto measured = measure_briefly(context, options, InstructionCounter());
  ASSERT_EQ(measured.size(), 1u);
  EXPECT_GT(measured[0].too_long, 1e-9);
  EXPECT_TRUE(measured[0].medians.empty());
  EXPECT_EQ(measured[0].answer, "");
}

TEST(Brief, TheCounterCountsOrSaysWhyNot) {
  const InstructionCounter counter;
  if (!counter.works()) {
    EXPECT_NE(counter.reason(), "");
    EXPECT_EQ(counter.read(), 0);
    return;
  }
  const double before = counter.read();
  volatile int sum = 0;
  for (int i = 0; i < 100'000; ++i) sum = sum + i;
  EXPECT_GT(counter.read() - before, 100'000);
}

TEST(Slowdown, NamesAreRead) {
  const auto memory = slowdown_of("slowdown.memory.2");
  ASSERT_TRUE(memory.has_value());
  EXPECT_EQ(memory->kind, SlowdownKind::memory);
  EXPECT_DOUBLE_EQ(memory->share, 0.02);
  EXPECT_EQ(slowdown_of("slowdown.work.0.5")->share, 0.005);
  EXPECT_EQ(slowdown_of("slowdown.idle.10")->kind, SlowdownKind::idle);
  for (const char* name : {"", "slowdown", "slowdown.work", "slowdown.work.", "slowdown.work.-1",
                           "slowdown.work.5x", "slowdown.luck.5", "te.ksg.off_by_one", "slowdown.work.nan"})
    EXPECT_FALSE(slowdown_of(name).has_value()) << name;
}

TEST(Slowdown, SpendsAboutWhatItIsAsked) {
  for (const SlowdownKind kind : {SlowdownKind::work, SlowdownKind::memory, SlowdownKind::idle}) {
    TimeSpender spender(kind);
    for (const double asked : {20e-6, 2e-3}) {
      // The quickest of a few: others only make it longer, and the rates are those of the quickest too.
      double least = 1e9;
      for (int i = 0; i < 50; ++i) {
        const auto start = std::chrono::steady_clock::now();
        spender.spend(asked);
        least =
            std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      }
      EXPECT_GE(least, 0.5 * asked) << static_cast<int>(kind) << " " << asked;
      EXPECT_LE(least, 4 * asked) << static_cast<int>(kind) << " " << asked;
      if (kind == SlowdownKind::idle) {
        EXPECT_GE(least, asked);
      }
    }
  }
}

TEST(Slowdown, SpendsAboutWhatItIsAskedOnADevice) {
  if (const Availability cuda = cuda_available(); !cuda) GTEST_SKIP() << cuda.reason;
  Stream stream(0);
  Event begin(0), end(0);
  for (const SlowdownKind kind : {SlowdownKind::work, SlowdownKind::memory, SlowdownKind::idle}) {
    DeviceTimeSpender spender(kind, stream), other(SlowdownKind::idle, stream);
    for (const double asked : {20e-6, 1e-3}) {
      double least = 1e9;
      for (int i = 0; i < 20; ++i) {
        other.spend(200e-6, stream);  // so that the rest is queued before it begins
        begin.record(stream);
        other.spend(100e-6, stream);
        spender.spend(asked, stream);
        end.record(stream);
        end.synchronize();
        least = std::min(least, milliseconds_between(begin, end) * 1e-3 - 100e-6);
      }
      EXPECT_GE(least, 0.7 * asked) << static_cast<int>(kind) << " " << asked;
      EXPECT_LE(least, 1.4 * asked) << static_cast<int>(kind) << " " << asked;
    }
  }
}

}  // namespace
}  // namespace assay::benchmarks
