#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "benchmarks/device_slowdown.hpp"
#include "engine/runtime/buffer.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/event.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/with_cuda_check.hpp"

namespace assay::benchmarks {
namespace {

constexpr int threads = 256;
constexpr std::size_t buffer_bytes = std::size_t{512} << 20;  // beyond the second-level cache of any device
constexpr std::int64_t trial_ns = 200'000;

__global__ void multiply_add_chain(std::int64_t steps, float* sink) {
  float value = static_cast<float>(threadIdx.x);
  for (std::int64_t step = 0; step < steps; ++step) {
    value = value * 0.5F + 1.0F;
    asm volatile("" : "+f"(value));  // the chain is neither shortened nor unrolled away
  }
  if (value == -1.0F) *sink = value;
}

/// Reads `count` pieces of 16 bytes from `first` on, around the end of the buffer.
__global__ void read_pieces(const uint4* buffer, std::int64_t pieces, std::int64_t first, std::int64_t count,
                            float* sink) {
  unsigned sum = 0;
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  for (std::int64_t at = std::int64_t{blockIdx.x} * threads + threadIdx.x; at < count; at += stride) {
    const uint4 piece = __ldcs(buffer + (first + at) % pieces);
    sum += piece.x ^ piece.y ^ piece.z ^ piece.w;
  }
  if (sum == 0x12345678U) *sink = 1;
}

__device__ std::int64_t device_ns() {
  std::int64_t now;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  return now;
}

/// For so long from when it begins.
__global__ void sleep_for(std::int64_t ns) {
  const std::int64_t end = device_ns() + ns;
  while (device_ns() < end) __nanosleep(200);
}

}  // namespace

struct DeviceTimeSpender::State {
  SlowdownKind kind;
  int blocks = 1;
  DeviceBuffer sink;
  DeviceBuffer buffer;
  std::int64_t next_piece = 0;
  double launch_seconds = 0;  // of a launch of no amount
  double rate = 1e9;          // steps, pieces or nanoseconds a second

  void launch(std::int64_t amount, Stream& stream) {
    const DeviceScope current(stream.device());
    auto* const out = reinterpret_cast<float*>(sink.data());
    if (kind == SlowdownKind::work) {
      multiply_add_chain<<<blocks, threads, 0, stream.handle()>>>(amount, out);
    } else if (kind == SlowdownKind::memory) {
      constexpr auto pieces = static_cast<std::int64_t>(buffer_bytes / sizeof(uint4));
      read_pieces<<<blocks, threads, 0, stream.handle()>>>(reinterpret_cast<const uint4*>(buffer.data()),
                                                           pieces, next_piece, amount, out);
      next_piece = (next_piece + amount) % pieces;
    } else {
      sleep_for<<<1, 1, 0, stream.handle()>>>(amount);
    }
    detail::check(cudaGetLastError(), "planted slowdown");
  }

  /// What a launch of that amount adds behind another one: the least of several.
  double added(std::int64_t amount, Stream& stream) {
    const DeviceScope current(stream.device());
    Event begin(stream.device()), end(stream.device());
    double without = 1e9, with = 1e9;
    for (int repeat = 0; repeat < 8; ++repeat)
      for (const bool extra : {false, true}) {
        // Long enough that the host has queued the rest before it ends.
        sleep_for<<<1, 1, 0, stream.handle()>>>(trial_ns);
        begin.record(stream);
        sleep_for<<<1, 1, 0, stream.handle()>>>(trial_ns);
        if (extra) launch(amount, stream);
        end.record(stream);
        end.synchronize();
        double& least = extra ? with : without;
        least = std::min(least, milliseconds_between(begin, end) * 1e-3);
      }
    return std::max(0.0, with - without);
  }
};

DeviceTimeSpender::DeviceTimeSpender(SlowdownKind kind, Stream& stream)
    : state_(new State{kind, 1, DeviceBuffer(stream.device(), sizeof(float)),
                       DeviceBuffer(stream.device(), kind == SlowdownKind::memory ? buffer_bytes : 16)}) {
  State& state = *state_;
  const auto& device = cuda_devices().at(static_cast<std::size_t>(stream.device()));
  state.blocks = device.multiprocessors * 4;
  stream.fill(state.buffer.data(), 1, state.buffer.bytes());
  state.launch_seconds = state.added(0, stream);
  if (kind == SlowdownKind::idle) return;
  const std::int64_t few = kind == SlowdownKind::work ? 20'000 : std::int64_t{4} << 20;
  const double more = state.added(2 * few, stream) - state.added(few, stream);
  state.rate = static_cast<double>(few) / std::max(more, 1e-9);
}

DeviceTimeSpender::~DeviceTimeSpender() = default;

void DeviceTimeSpender::spend(double seconds, Stream& stream) {
  const double beyond = std::max(0.0, seconds - state_->launch_seconds);
  state_->launch(static_cast<std::int64_t>(beyond * state_->rate), stream);
}

}  // namespace assay::benchmarks
