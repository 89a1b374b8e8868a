#include "benchmarks/ceilings.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>

#include "engine/runtime/buffer.hpp"
#include "engine/runtime/event.hpp"
#include "engine/runtime/stream.hpp"

namespace assay::benchmarks {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Ceiling cpu_copy_rate(ThreadPool& pool) {
  constexpr std::size_t bytes = std::size_t{256} << 20;
  constexpr std::int64_t chunk = std::int64_t{4} << 20;
  const Tensor source_owner(DType::u8, {static_cast<std::int64_t>(bytes)});
  Tensor target_owner(DType::u8, {static_cast<std::int64_t>(bytes)});
  auto* source = const_cast<std::uint8_t*>(source_owner.as<std::uint8_t>().data());
  std::uint8_t* target = target_owner.as<std::uint8_t>().data();
  // Written before it is read: pages that were never touched all map to one page of zeros, and copy from the
  // cache.
  pool.parallel_for(bytes, chunk, [&](std::int64_t begin, std::int64_t end, unsigned) {
    std::memset(source + begin, 1, static_cast<std::size_t>(end - begin));
    std::memset(target + begin, 2, static_cast<std::size_t>(end - begin));
  });
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto start = Clock::now();
    pool.parallel_for(bytes, chunk, [&](std::int64_t begin, std::int64_t end, unsigned) {
      std::memcpy(target + begin, source + begin, static_cast<std::size_t>(end - begin));
    });
    best = std::max(best, 2.0 * static_cast<double>(bytes) / seconds_since(start) / 1e9);
  }
  return {"copy rate", best, "GB/s", "best of 5 copies of 256 MiB on all threads, bytes read plus written"};
}

constexpr int lanes =
    96;  // enough independent chains for two fused multiply-add units of 8 lanes and latency 4

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
#endif
double
multiply_add_chains(std::int64_t steps, double factor) {
  double chain[lanes];
  for (int lane = 0; lane < lanes; ++lane) chain[lane] = 1.0 + lane;
  for (std::int64_t step = 0; step < steps; ++step)
    for (int lane = 0; lane < lanes; ++lane) chain[lane] = chain[lane] * factor + 0.5;
  double sum = 0;
  for (int lane = 0; lane < lanes; ++lane) sum += chain[lane];
  return sum;
}

Ceiling cpu_fma_rate(ThreadPool& pool) {
  constexpr std::int64_t steps = 400'000;
  double best = 0;
  volatile double sink = 0;
  for (int repeat = 0; repeat < 4; ++repeat) {
    std::vector<double> sums(pool.threads());
    const auto start = Clock::now();
    pool.parallel_for(pool.threads(), 1, [&](std::int64_t begin, std::int64_t, unsigned) {
      sums[begin] = multiply_add_chains(steps, 0.5);
    });
    best = std::max(best, 2.0 * lanes * steps * pool.threads() / seconds_since(start) / 1e9);
    for (const double sum : sums) sink = sink + sum;
  }
  return {"fma rate", best, "GFLOP/s",
          "best of 4 runs of independent double multiply-add chains on all threads"};
}

Ceiling device_copy_rate(Context& context) {
  constexpr std::size_t bytes = std::size_t{2} << 30;
  const DeviceBuffer source(context.device(), bytes), target(context.device(), bytes);
  Event begin(context.device()), end(context.device());
  context.stream().fill(source.data(), 0x5a, bytes);
  double best = 0;
  for (int repeat = 0; repeat < 8; ++repeat) {
    begin.record(context.stream());
    context.stream().copy(target.data(), source.data(), bytes);
    end.record(context.stream());
    end.synchronize();
    if (repeat > 1)
      best = std::max(best, 2.0 * static_cast<double>(bytes) / (milliseconds_between(begin, end) * 1e6));
  }
  return {"copy rate", best, "GB/s", "best of 6 device-to-device copies of 2 GiB, bytes read plus written"};
}

}  // namespace

std::vector<Ceiling> measure_ceilings(Context& context) {
  if (context.backend() == Backend::cuda) return {device_copy_rate(context)};
  return {cpu_copy_rate(context.pool()), cpu_fma_rate(context.pool())};
}

double floor_ns(const std::vector<Ceiling>& ceilings, std::string_view kind, double flops, double bytes) {
  for (const Ceiling& ceiling : ceilings) {
    if (kind == "memory" && ceiling.name == "copy rate") return bytes / ceiling.value;
    if (kind == "compute" && ceiling.name == "fma rate") return flops / ceiling.value;
  }
  return 0;
}

}  // namespace assay::benchmarks
