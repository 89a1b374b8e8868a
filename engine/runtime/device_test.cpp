#include "engine/runtime/device.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "engine/runtime/buffer.hpp"
#include "engine/runtime/clock_meter.hpp"
#include "engine/runtime/context.hpp"
#include "engine/runtime/device_monitor.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/event.hpp"
#include "engine/runtime/graph.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"
#include "kernels/runtime_probe/draws.hpp"

namespace assay {
namespace {

static_assert(std::is_nothrow_move_constructible_v<Stream> && !std::is_copy_constructible_v<Stream>);
static_assert(std::is_nothrow_move_constructible_v<Event> && !std::is_copy_constructible_v<Event>);
static_assert(std::is_nothrow_move_constructible_v<Graph> && !std::is_copy_constructible_v<Graph>);
static_assert(std::is_nothrow_move_constructible_v<DeviceBuffer> &&
              !std::is_copy_constructible_v<DeviceBuffer>);
static_assert(std::is_nothrow_move_constructible_v<PinnedBuffer> &&
              !std::is_copy_constructible_v<PinnedBuffer>);
static_assert(std::is_nothrow_move_constructible_v<StatusWord> && !std::is_copy_constructible_v<StatusWord>);
static_assert(std::is_nothrow_destructible_v<Stream> && std::is_nothrow_destructible_v<DeviceBuffer>);
static_assert(std::is_move_constructible_v<Context> && !std::is_copy_constructible_v<Context>);

TEST(Device, AvailabilityComesWithItsReason) {
  const Availability availability = cuda_available();
  EXPECT_EQ(availability.reason.empty(), static_cast<bool>(availability));
  if (!cuda_compiled()) {
    EXPECT_FALSE(availability);
    EXPECT_NE(availability.reason.find("without CUDA"), std::string::npos);
  }
  EXPECT_EQ(cuda_devices().empty(), !availability);
}

TEST(Device, WithoutOneEveryCudaObjectIsRefusedWithATypedError) {
  if (cuda_available()) GTEST_SKIP() << "not executed: there is a device";
  EXPECT_THROW(Context::cuda(), BackendUnavailable);
  if (cuda_compiled()) return;
  EXPECT_THROW(Stream(0), BackendUnavailable);
  EXPECT_THROW(Event(0), BackendUnavailable);
  EXPECT_THROW(DeviceBuffer(0, 1), BackendUnavailable);
  EXPECT_THROW(PinnedBuffer(1), BackendUnavailable);
  EXPECT_THROW(StatusWord(0), BackendUnavailable);
  EXPECT_THROW(DeviceScope(0), BackendUnavailable);
  EXPECT_NO_THROW(DeviceScope(-1));
}

TEST(ContextOnCpu, HasThreadsAndHostScratchButNoStream) {
  Context context = Context::cpu(2);
  EXPECT_EQ(context.backend(), Backend::cpu);
  EXPECT_EQ(context.device(), -1);
  EXPECT_EQ(context.pool().threads(), 2u);
  EXPECT_EQ(context.workspace().space(), MemorySpace::host);
  EXPECT_NO_THROW(context.synchronize());
  EXPECT_THROW(context.stream(), BackendUnavailable);
  EXPECT_THROW(context.status(), BackendUnavailable);
  Context moved = std::move(context);
  EXPECT_EQ(moved.pool().threads(), 2u);
  EXPECT_GE(Context::cpu().pool().threads(), 1u);
}

TEST(Views, ABufferThatIsTooSmallIsRefused) {
  const DeviceBuffer none;
  EXPECT_EQ(view_of(none, DType::f32, {0, 4}).space, MemorySpace::device);
  EXPECT_THROW(view_of(none, DType::f32, {1, 4}), std::length_error);
  EXPECT_EQ(view_of(PinnedBuffer(), DType::f16, {0}).space, MemorySpace::host);
}

#ifdef ASSAY_HAVE_CUDA

class OnDevice : public testing::Test {
 protected:
  void SetUp() override {
    if (const Availability availability = cuda_available(); !availability)
      GTEST_SKIP() << "not executed: no device (" << availability.reason << ")";
  }
};

TEST_F(OnDevice, DescribesItself) {
  for (const DeviceInfo& info : cuda_devices()) {
    EXPECT_FALSE(info.name.empty());
    EXPECT_EQ(info.uuid.size(), 40u) << info.uuid;
    EXPECT_GT(info.compute_major, 0);
    EXPECT_GT(info.memory_bytes, std::size_t{1} << 28);
    EXPECT_GT(info.multiprocessors, 0);
    EXPECT_GT(info.l2_bytes, 0u);
    EXPECT_GT(info.clock_khz, 0);
  }
  EXPECT_FALSE(cuda_driver_version().empty());
  EXPECT_FALSE(cuda_runtime_version().empty());
}

TEST_F(OnDevice, RefusesAnOrdinalThatIsNotThere) {
  EXPECT_THROW(Context::cuda(-1), BackendUnavailable);
  EXPECT_THROW(Context::cuda(static_cast<int>(cuda_devices().size())), BackendUnavailable);
}

TEST_F(OnDevice, CopiesComeBackThroughDeviceAndPinnedMemory) {
  Context context = Context::cuda();
  PinnedBuffer pinned(4096);
  DeviceBuffer buffer(context.device(), 4096);
  std::vector<unsigned char> sent(4096);
  std::iota(sent.begin(), sent.end(), static_cast<unsigned char>(0));
  std::vector<unsigned char> received(4096, 0);
  context.stream().copy(buffer.data(), sent.data(), 4096);
  context.stream().fill(buffer.data() + 100, 0xAB, 10);
  context.stream().copy(pinned.data(), buffer.data(), 4096);
  context.stream().copy(received.data(), pinned.data(), 4096);
  context.synchronize();
  EXPECT_TRUE(context.stream().idle());
  for (int index = 0; index < 4096; ++index)
    ASSERT_EQ(received[index], index >= 100 && index < 110 ? 0xAB : sent[index]);
  const DeviceBuffer moved = std::move(buffer);
  EXPECT_NE(moved.data(), nullptr);
}

TEST_F(OnDevice, AnAllocationThatCannotBeHadIsATypedErrorAndTheContextLives) {
  Context context = Context::cuda();
  try {
    const DeviceBuffer buffer(context.device(), std::size_t{1} << 50);
    FAIL() << "a pebibyte was allocated";
  } catch (const DeviceError& error) {
    EXPECT_FALSE(error.sticky());
    EXPECT_NE(std::string(error.what()).find("cudaMalloc"), std::string::npos);
  }
  EXPECT_NO_THROW(DeviceBuffer(context.device(), 16));
  EXPECT_NO_THROW(context.synchronize());
}

TEST_F(OnDevice, EventsOrderAndTimeStreams) {
  Context context = Context::cuda();
  Stream other(context.device());
  DeviceBuffer buffer(context.device(), std::size_t{64} << 20);
  Event begin(context.device());
  Event end(context.device());
  begin.record(context.stream());
  context.stream().fill(buffer.data(), 1, buffer.bytes());
  end.record(context.stream());
  other.wait(end);
  unsigned char last = 0;
  other.copy(&last, buffer.data() + buffer.bytes() - 1, 1);
  other.synchronize();
  EXPECT_EQ(last, 1);
  end.synchronize();
  EXPECT_TRUE(end.done());
  EXPECT_GT(milliseconds_between(begin, end), 0.001);
}

TEST_F(OnDevice, TheClockOverAPieceOfWorkIsOneThatTheDeviceCanHave) {
  Context context = Context::cuda();
  ClockMeter meter(context.device());
  const std::size_t bytes = std::size_t{1} << 30;
  const DeviceBuffer memory(context.device(), bytes);
  meter.begin(context.stream());
  for (int turn = 0; turn < 4; ++turn)
    context.stream().fill(memory.data(), 0, bytes);  // a millisecond or more
  meter.end(context.stream());
  const double megahertz = meter.megahertz(context.stream());
  const double most = cuda_devices().at(static_cast<std::size_t>(context.device())).clock_khz * 1e-3;
  EXPECT_GT(megahertz, 100);
  EXPECT_LT(megahertz, 1.05 * most);
}

TEST_F(OnDevice, TheMonitorReadsOrSaysWhyNot) {
  Context context = Context::cuda();
  const OpenedMonitor opened =
      open_device_monitor(cuda_devices().at(static_cast<std::size_t>(context.device())));
  if (opened.monitor == nullptr) {
    EXPECT_NE(opened.reason, "");
    return;
  }
  const DeviceReading reading = opened.monitor->read();
  EXPECT_GT(reading.sm_clock_mhz, 0);
  EXPECT_GT(reading.power_milliwatts, 0);
  EXPECT_GT(reading.temperature_celsius, 0);
}

TEST_F(OnDevice, AGraphRunsWhatWasRecordedEachTimeItIsLaunched) {
  Context context = Context::cuda();
  const int count = 64;
  DeviceBuffer draws(context.device(), count * sizeof(kernels::runtime_probe::Draws));
  const Graph graph = Graph::capture(context.stream(), [&] {
    context.stream().fill(draws.data(), 0, draws.bytes());
    ASSERT_EQ(
        kernels::runtime_probe::draw(context.stream().handle(), 3,
                                     reinterpret_cast<kernels::runtime_probe::Draws*>(draws.data()), count),
        0);
  });
  EXPECT_EQ(graph.nodes(), 2u);
  for (int launch = 0; launch < 2; ++launch) {
    context.stream().fill(draws.data(), 0xFF, draws.bytes());
    graph.launch(context.stream());
    kernels::runtime_probe::Draws first{};
    context.stream().copy(&first, draws.data(), sizeof first);
    context.synchronize();
    EXPECT_EQ(first.word, Philox(3).next_u32());
  }
}

TEST_F(OnDevice, AFailedCaptureLeavesTheStreamUsable) {
  Context context = Context::cuda();
  EXPECT_THROW(Graph::capture(context.stream(), [] { throw std::runtime_error("no"); }), std::runtime_error);
  DeviceBuffer buffer(context.device(), 16);
  context.stream().fill(buffer.data(), 0, 16);
  EXPECT_NO_THROW(context.synchronize());
}

TEST_F(OnDevice, TheWorkspaceLivesOnTheDeviceAndStopsAllocating) {
  Context context = Context::cuda();
  EXPECT_EQ(context.workspace().space(), MemorySpace::device);
  const auto call = [&] {
    const Workspace::Frame frame(context.workspace());
    const auto scratch = context.workspace().take<float>(1 << 20);
    context.stream().fill(scratch.data(), 0, scratch.size_bytes());
  };
  for (int warm_up = 0; warm_up < 3; ++warm_up) call();
  const std::size_t allocations = context.workspace().allocations();
  for (int repeat = 0; repeat < 5; ++repeat) call();
  EXPECT_EQ(context.workspace().allocations(), allocations);
  context.synchronize();
}

TEST_F(OnDevice, AStatusReportedByAKernelIsThrownOnceByTheNextSynchronisation) {
  Context context = Context::cuda();
  ASSERT_EQ(
      kernels::runtime_probe::report_status(context.stream().handle(), context.status().on_device(),
                                            static_cast<std::uint32_t>(DeviceStatus::index_out_of_range)),
      0);
  try {
    context.synchronize();
    FAIL() << "the status was not seen";
  } catch (const DeviceError& error) {
    EXPECT_FALSE(error.sticky());
    EXPECT_NE(std::string(error.what()).find("index"), std::string::npos);
  }
  EXPECT_NO_THROW(context.synchronize());
}

TEST_F(OnDevice, PhiloxAndTheSixteenBitTypesAgreeWithTheHost) {
  using kernels::runtime_probe::Draws;
  Context context = Context::cuda();
  const int count = 10000;
  DeviceBuffer buffer(context.device(), count * sizeof(Draws));
  ASSERT_EQ(kernels::runtime_probe::draw(context.stream().handle(), 0x1234567890abcdefu,
                                         reinterpret_cast<Draws*>(buffer.data()), count),
            0);
  std::vector<Draws> draws(count);
  context.stream().copy(draws.data(), buffer.data(), buffer.bytes());
  context.synchronize();
  for (int index = 0; index < count; ++index) {
    const Draws expected =
        kernels::runtime_probe::draw_all(0x1234567890abcdefu, static_cast<std::uint64_t>(index));
    const Draws& got = draws[static_cast<std::size_t>(index)];
    ASSERT_EQ(got.word, expected.word) << index;
    ASSERT_EQ(got.long_word, expected.long_word) << index;
    ASSERT_EQ(got.uniform, expected.uniform) << index;
    ASSERT_EQ(got.uniform_float, expected.uniform_float) << index;
    ASSERT_EQ(got.below, expected.below) << index;
    for (int place = 0; place < 8; ++place)
      ASSERT_EQ(got.permutation[place], expected.permutation[place]) << index;
    ASSERT_EQ(got.half, expected.half) << index;
    ASSERT_EQ(got.bfloat16, expected.bfloat16) << index;
    ASSERT_LE(std::abs(got.normal - expected.normal), 16 * 0x1p-53 * std::abs(expected.normal)) << index;
  }
}

TEST_F(OnDevice, AnIllegalAccessIsAStickyError) {
  // In a process of its own: the device is lost to whoever meets this.
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        Context context = Context::cuda();
        (void)kernels::runtime_probe::fault(context.stream().handle());
        int code = 3;
        try {
          context.synchronize();
        } catch (const DeviceError& error) {
          code = error.sticky() ? 0 : 4;
        }
        std::_Exit(code);
      },
      testing::ExitedWithCode(0), "");
}

#endif

}  // namespace
}  // namespace assay
