#include "ci/program/network_answer_page.hpp"

#include <algorithm>

#include "ci/program/network_page.hpp"

namespace assay::program {

std::string network_html(const NetworkAnswer& answer, const std::string& data) {
  const analysis::Network& network = answer.network;
  NetworkPageInput page;
  for (const std::int64_t column : network.columns)
    page.names.push_back(answer.table.names.at(static_cast<std::size_t>(column)));
  page.te = [&network](std::size_t source, std::size_t target) {
    return network.edge(source, target).estimate.value;
  };
  if (answer.options.surrogates.count > 0) {
    page.surrogates = answer.options.surrogates.count;
    page.surrogate_method =
        answer.options.surrogates.method == analysis::SurrogateMethod::shift ? "shift" : "permute";
    page.p_value = [&network](std::size_t source, std::size_t target) {
      return network.edge(source, target).estimate.surrogates->p_value;
    };
    page.effective = [&network](std::size_t source, std::size_t target) {
      return network.edge(source, target).estimate.surrogates->effective;
    };
    page.significant = [&network](std::size_t source, std::size_t target) {
      return network.edge(source, target).significant;
    };
  }
  page.data = data;
  for (const analysis::NetworkEdge& edge : network.edges)
    page.samples = page.samples == 0 ? edge.estimate.samples : std::min(page.samples, edge.estimate.samples);
  page.k = answer.options.estimation.k;
  page.algorithm = answer.options.estimation.algorithm;
  page.fdr = answer.options.fdr;
  page.backend = answer.backend;
  page.device = answer.device;
  page.elapsed_ms = answer.elapsed_ms;
  page.seed = answer.options.estimation.seed;
  return network_page(page);
}

}  // namespace assay::program
