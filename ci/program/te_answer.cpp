#include "ci/program/te_answer.hpp"

#include <cmath>

#include "fmt/format.h"

namespace assay::program {
namespace {

/// What the size of the value and of its p-value mean, in a line or two.
std::string reading(const TeAnswer& answer) {
  const analysis::Estimate& estimate = answer.estimate;
  std::string out;
  if (estimate.value < 0) {
    out +=
        "  The true value is never negative; the estimate scatters around it, so a negative one means: none "
        "was found.\n";
  }
  if (!estimate.surrogates) {
    if (estimate.value >= 0) {
      out += "  Whether it differs from zero is told by surrogates: --surrogates 100.\n";
    }
    return out;
  }
  const double p = estimate.surrogates->p_value;
  const std::string what = answer.transfer ? "influence" : "dependence";
  if (p <= 0.05) {
    out += fmt::format(
        "  Independent data would give a value this large with probability {} or less: the {} is "
        "significant at the 5 % level.\n",
        number_text(p), what);
  } else {
    out += fmt::format(
        "  Surrogates, in which the {} is destroyed, reach this value often: none was shown.\n", what);
  }
  return out;
}

nlohmann::ordered_json as_json(const Invocation& invocation, const ChosenBackend& chosen,
                               const TeAnswer& answer) {
  const analysis::Estimate& estimate = answer.estimate;
  nlohmann::ordered_json document;
  document["measure"] = answer.measure;
  document[answer.transfer ? "te_nats" : "value_nats"] = estimate.value;
  document[answer.transfer ? "te_bits" : "value_bits"] = analysis::bits_of(estimate.value);
  if (!answer.transfer) document["te_bits"] = analysis::bits_of(estimate.value);
  document["samples"] = estimate.samples;
  document["k"] = answer.options.estimation.k;
  document["algorithm"] = answer.options.estimation.algorithm;
  document["backend"] = name_of(chosen.backend);
  document["device"] = chosen.device;
  document["elapsed_ms"] = answer.elapsed_ms;
  document.update(answer.parameters);
  document["theiler"] = answer.options.estimation.theiler_window;
  document["normalise"] = invocation.text("normalise");
  document["noise"] = answer.options.estimation.noise;
  document["seed"] = answer.options.estimation.seed;
  if (const auto& surrogates = estimate.surrogates) {
    document["p_value"] = surrogates->p_value;
    document["p_value_raw"] = surrogates->p_value_raw;
    document["surrogate_mean"] = surrogates->mean;
    document["surrogate_std"] = surrogates->standard_deviation;
    document["surrogates"] = surrogates->values;
    document["effective_te_nats"] = surrogates->effective;
  }
  if (answer.options.local) {
    document["local_nats"] = estimate.local;
    document["local_rows"] = estimate.times;
  }
  return document;
}

std::string as_text(const Invocation& invocation, const ChosenBackend& chosen, const TeAnswer& answer) {
  const analysis::Estimate& estimate = answer.estimate;
  std::string out = fmt::format("{}, {}: {} nats = {} bits\n", answer.measure, answer.question,
                                number_text(estimate.value), number_text(analysis::bits_of(estimate.value)));
  out += fmt::format("  k = {}, algorithm {}, {} observations, on {} ({}), {:.1f} ms\n",
                     answer.options.estimation.k, answer.options.estimation.algorithm, estimate.samples,
                     name_of(chosen.backend), chosen.device, answer.elapsed_ms);
  if (invocation.given("auto-embed")) {
    const auto& p = answer.parameters;
    out += fmt::format("  chosen embedding: k_history {}, k_tau {}", p.at("k_history").dump(),
                       p.at("k_tau").dump());
    if (p.contains("l_history")) {
      out += fmt::format(", l_history {}, l_tau {}", p.at("l_history").dump(), p.at("l_tau").dump());
    }
    out += "\n";
  }
  if (const auto& surrogates = estimate.surrogates) {
    out += fmt::format("  {} surrogates: mean {}, standard deviation {} nats; p = {} ({} reach the value)\n",
                       surrogates->values.size(), number_text(surrogates->mean),
                       number_text(surrogates->standard_deviation), number_text(surrogates->p_value),
                       surrogates->hits);
    out +=
        fmt::format("  effective (less the surrogates' mean): {} nats\n", number_text(surrogates->effective));
  }
  out += reading(answer);
  if (answer.options.local) {
    out += "row,local_nats\n";
    for (std::size_t i = 0; i < estimate.local.size(); ++i) {
      out +=
          fmt::format("{},{}\n", i < estimate.times.size() ? estimate.times[i] : static_cast<std::int64_t>(i),
                      estimate.local[i]);
    }
  }
  return out;
}

}  // namespace

void print_answer(const Invocation& invocation, const ChosenBackend& chosen, const TeAnswer& answer) {
  if (invocation.json())
    invocation.print_json(as_json(invocation, chosen, answer));
  else
    invocation.print(as_text(invocation, chosen, answer));
}

void note_seed(const Invocation& invocation, const analysis::MeasureOptions& options) {
  const bool drawn = options.surrogates.count > 0 && options.surrogates.permutations.empty();
  if (drawn || options.estimation.noise > 0) {
    invocation.console().note(fmt::format("seed {}", options.estimation.seed));
  }
}

std::string names_of(const analysis::SeriesTable& table, const std::vector<std::int64_t>& columns) {
  return fmt::format("{}", fmt::join(name_list(table, columns), ", "));
}

std::vector<std::string> name_list(const analysis::SeriesTable& table,
                                   const std::vector<std::int64_t>& columns) {
  std::vector<std::string> names;
  for (const std::int64_t column : columns) names.push_back(table.names.at(static_cast<std::size_t>(column)));
  return names;
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

std::string number_text(double value) {
  return fmt::format("{:.6g}", value);
}

}  // namespace assay::program
