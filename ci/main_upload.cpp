// How fast a model file comes from the page cache to the device: `assay-upload FILE [RUNS]` uploads its
// tensors in pieces of several sizes, holds the bytes on the device to those of the file, and prints a JSON
// line a size. The bus alone is measured beside it, by copies of pinned memory. Wrong bytes end it with 3.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "engine/llm/gguf/upload.hpp"
#include "engine/runtime/stream.hpp"

namespace assay {
namespace {

double seconds_of(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return samples[samples.size() / 2];
}

/// Pinned to device, the same 256 MiB again and again.
double bus_gigabytes_per_second(Context& context, int runs) {
  constexpr std::size_t bytes = std::size_t{256} << 20;
  const PinnedBuffer from(bytes);
  std::memset(from.data(), 1, bytes);
  const DeviceBuffer to(context.device(), bytes);
  std::vector<double> samples;
  for (int run = 0; run <= runs; ++run)
    samples.push_back(seconds_of([&] {
      context.stream().copy(to.data(), from.data(), bytes);
      context.synchronize();
    }));
  return static_cast<double>(bytes) / median(samples) * 1e-9;
}

bool holds(Context& context, const DeviceBuffer& buffer, std::string_view expected) {
  constexpr std::size_t piece = std::size_t{64} << 20;
  std::vector<char> back(std::min(piece, expected.size()));
  for (std::size_t at = 0; at < expected.size(); at += piece) {
    const std::string_view part = expected.substr(at, piece);
    context.stream().copy(back.data(), buffer.data() + at, part.size());
    context.synchronize();
    if (std::string_view(back.data(), part.size()) != part) return false;
  }
  return true;
}

int measure(const char* path, int runs) {
  const Result<gguf::File> file = gguf::File::open(path);
  if (!file) {
    std::fprintf(stderr, "assay-upload: %s\n", file.error().message.c_str());
    return 2;
  }
  const std::string_view data = file.value().tensor_data();
  Context context = Context::cuda();
  const double bus = bus_gigabytes_per_second(context, runs);
  int status = 0;
  for (const std::size_t mebibytes : {4, 16, 64}) {
    gguf::Uploader uploader(context, mebibytes << 20);
    const DeviceBuffer buffer(context.device(), data.size());
    std::vector<double> samples;
    for (int run = 0; run <= runs; ++run) {
      const double seconds = seconds_of([&] {
        uploader.upload(data, buffer.data());
        context.synchronize();
      });
      if (run > 0) samples.push_back(seconds);  // the first brings the file into the page cache
    }
    const bool right = holds(context, buffer, data);
    std::printf(
        "{\"figure\":\"upload\",\"bytes\":%zu,\"piece_mib\":%zu,\"threads\":%u,\"runs\":%zu,\"median_gb_per_"
        "s\":%.2f,"
        "\"bus_gb_per_s\":%.2f,\"bytes_right\":%s}\n",
        data.size(), mebibytes, context.pool().threads(), samples.size(),
        static_cast<double>(data.size()) / median(samples) * 1e-9, bus, right ? "true" : "false");
    std::fflush(stdout);
    if (!right) status = 3;
  }
  return status;
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "assay-upload: expected FILE [RUNS]\n");
    return 2;
  }
  try {
    return assay::measure(argv[1], argc > 2 ? std::max(1, std::atoi(argv[2])) : 5);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay-upload: %s\n", error.what());
    return 1;
  }
}
