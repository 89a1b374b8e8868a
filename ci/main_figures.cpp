// The figures of transfer entropy that the project quotes, measured on this machine: `assay-figures
// [cpu|cuda] [TEXT]` runs those whose line holds TEXT and prints one JSON line each. Counts that differ from
// the brute force end it with 3.

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

#include "benchmarks/figures.hpp"

int main(int argc, char** argv) {
  try {
    const std::string backend = argc > 1 ? argv[1] : "cuda";
    const std::string wanted = argc > 2 ? argv[2] : "";
    assay::Context context = backend == "cuda" ? assay::Context::cuda() : assay::Context::cpu();
    int status = 6;
    for (const assay::benchmarks::FigureRequest& request : assay::benchmarks::quoted_figures()) {
      const std::string label = request.name + ", V = " + std::to_string(request.variables) +
                                ", N = " + std::to_string(request.observations);
      if (label.find(wanted) == std::string::npos) continue;
      assay::benchmarks::Figure figure = assay::benchmarks::measure_figure(context, request, 1);
      std::sort(figure.samples_ms.begin(), figure.samples_ms.end());
      const auto at = [&](double share) {
        return figure
            .samples_ms[static_cast<std::size_t>(share * static_cast<double>(figure.samples_ms.size() - 1))];
      };
      std::printf(
          "{\"figure\":\"%s\",\"backend\":\"%s\",\"runs\":%zu,\"median_ms\":%.4f,\"least_ms\":%.4f,\"p90_"
          "ms\":%.4f,"
          "\"pairs_checked\":%lld,\"points_checked\":%lld,\"points_wrong\":%lld}\n",
          label.c_str(), backend.c_str(), figure.samples_ms.size(), at(0.5), at(0), at(0.9),
          static_cast<long long>(figure.pairs_checked), static_cast<long long>(figure.points_checked),
          static_cast<long long>(figure.counts_wrong));
      std::fflush(stdout);
      if (status == 6) status = 0;
      if (figure.counts_wrong != 0) status = 3;
    }
    if (status == 6) std::fprintf(stderr, "assay-figures: no figure holds '%s'\n", wanted.c_str());
    return status;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay-figures: %s\n", error.what());
    return 1;
  }
}
