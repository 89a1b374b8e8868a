#include "ci/program/network_answer_page.hpp"

#include "ci/program/network_page.hpp"

namespace assay::program {

std::string network_html(const NetworkAnswer& answer, const std::string& data) {
  const analysis::Network& network = answer.network;
  NetworkPageInput page;
  for (const std::int64_t column : network.columns)
    page.names.push_back(answer.table.names.at(static_cast<std::size_t>(column)));
  page.te = [&network](std::size_t source, std::size_t target) { return network.te(source, target); };
  if (network.tested()) {
    page.surrogates = network.surrogates;
    page.surrogate_method =
        answer.options.surrogates.method == analysis::SurrogateMethod::shift ? "shift" : "permute";
    page.p_value = [&network](std::size_t source, std::size_t target) {
      return network.p_value(source, target);
    };
    page.effective = [&network](std::size_t source, std::size_t target) {
      return network.effective(source, target);
    };
    page.significant = [&network](std::size_t source, std::size_t target) {
      return network.significant(source, target) != 0;
    };
  }
  if (!network.delay.empty()) {
    page.delay = [&network](std::size_t source, std::size_t target) {
      return std::int64_t{network.delay(source, target)};
    };
  }
  page.data = data;
  page.samples = network.least_samples;
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
