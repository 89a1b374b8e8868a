// Google Benchmark's own command line over every benchmark case: `assay-benchmarks
// --benchmark_filter=te.ksg`. ASSAY_BACKEND=cuda chooses the device; the default is the CPU backend.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "benchmarks/runner.hpp"

int main(int argc, char** argv) {
  try {
    const char* backend = std::getenv("ASSAY_BACKEND");
    assay::Context context = backend != nullptr && std::string_view(backend) == "cuda"
                                 ? assay::Context::cuda()
                                 : assay::Context::cpu();
    const std::size_t ran = assay::benchmarks::run_google_benchmark(context, {}, &argc, argv);
    if (ran == 0) std::fprintf(stderr, "assay-benchmarks: no benchmark ran: the filter matches none\n");
    return ran == 0 ? 6 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay-benchmarks: %s\n", error.what());
    return 1;
  }
}
