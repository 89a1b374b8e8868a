#include "ci/program/network_output.hpp"

#include <algorithm>
#include <functional>
#include <limits>

#include "fmt/format.h"

namespace assay::program {
namespace {

using analysis::NetworkEdge;

bool tested(const NetworkAnswer& answer) {
  return answer.options.surrogates.count > 0;
}

const std::string& name_at(const NetworkAnswer& answer, std::int64_t column) {
  return answer.table.names.at(static_cast<std::size_t>(column));
}

/// Calls `value` for every ordered pair.
nlohmann::ordered_json matrix(const NetworkAnswer& answer,
                              const std::function<nlohmann::ordered_json(const NetworkEdge&)>& value) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  const std::size_t count = answer.network.columns.size();
  for (std::size_t source = 0; source < count; ++source) {
    nlohmann::ordered_json row = nlohmann::ordered_json::array();
    for (std::size_t target = 0; target < count; ++target) {
      if (source == target)
        row.push_back(nullptr);
      else
        row.push_back(value(answer.network.edge(source, target)));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string xml_text(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '&')
      out += "&amp;";
    else if (letter == '<')
      out += "&lt;";
    else if (letter == '>')
      out += "&gt;";
    else if (letter == '"')
      out += "&quot;";
    else
      out += byte < 0x20 ? ' ' : letter;
  }
  return out;
}

std::string quoted_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char letter : text) out += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return out + "\"";
}

}  // namespace

nlohmann::ordered_json network_json(const NetworkAnswer& answer) {
  const auto& edges = answer.network.edges;
  nlohmann::ordered_json document;
  std::vector<std::string> names;
  for (const std::int64_t column : answer.network.columns) names.push_back(name_at(answer, column));
  document["measure"] = "transfer entropy";
  document["columns"] = names;
  document["te_nats"] = matrix(answer, [](const NetworkEdge& edge) { return edge.estimate.value; });
  const auto fewer = [](const NetworkEdge& a, const NetworkEdge& b) {
    return a.estimate.samples < b.estimate.samples;
  };
  document["samples"] =
      edges.empty() ? 0 : std::min_element(edges.begin(), edges.end(), fewer)->estimate.samples;
  document["k"] = answer.options.estimation.k;
  document["algorithm"] = answer.options.estimation.algorithm;
  document["backend"] = answer.backend;
  document["device"] = answer.device;
  document["elapsed_ms"] = answer.elapsed_ms;
  document["seed"] = answer.options.estimation.seed;
  if (tested(answer)) {
    document["surrogates"] = answer.options.surrogates.count;
    document["fdr"] = answer.options.fdr;
    document["p_value"] =
        matrix(answer, [](const NetworkEdge& edge) { return edge.estimate.surrogates->p_value; });
    document["effective_te_nats"] =
        matrix(answer, [](const NetworkEdge& edge) { return edge.estimate.surrogates->effective; });
    document["significant"] = matrix(answer, [](const NetworkEdge& edge) { return edge.significant; });
  }
  if (answer.options.confidence > 0) {
    document["ci"] = answer.options.confidence;
    document["ci_low"] = matrix(answer, [](const NetworkEdge& edge) { return edge.interval->low; });
    document["ci_high"] = matrix(answer, [](const NetworkEdge& edge) { return edge.interval->high; });
  }
  if (answer.options.embed) {
    document["k_history"] = matrix(answer, [](const NetworkEdge& edge) { return edge.k_history; });
    document["k_tau"] = matrix(answer, [](const NetworkEdge& edge) { return edge.k_tau; });
    document["l_history"] = matrix(answer, [](const NetworkEdge& edge) { return edge.l_history; });
    document["l_tau"] = matrix(answer, [](const NetworkEdge& edge) { return edge.l_tau; });
    document["samples_by_pair"] =
        matrix(answer, [](const NetworkEdge& edge) { return edge.estimate.samples; });
  }
  return document;
}

std::string network_csv(const NetworkAnswer& answer) {
  std::string out = "source,target,te_nats,samples";
  if (tested(answer)) out += ",p_value,effective_te_nats,significant";
  if (answer.options.confidence > 0) out += ",ci_low,ci_high";
  out += '\n';
  for (const NetworkEdge& edge : answer.network.edges) {
    out +=
        fmt::format("{},{},{},{}", quoted_field(name_at(answer, edge.source)),
                    quoted_field(name_at(answer, edge.target)), edge.estimate.value, edge.estimate.samples);
    if (tested(answer)) {
      out += fmt::format(",{},{},{}", edge.estimate.surrogates->p_value, edge.estimate.surrogates->effective,
                         edge.significant ? 1 : 0);
    }
    if (edge.interval) out += fmt::format(",{},{}", edge.interval->low, edge.interval->high);
    out += '\n';
  }
  return out;
}

std::string network_graphml(const NetworkAnswer& answer) {
  std::string out = R"(<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="name" for="node" attr.name="name" attr.type="string"/>
  <key id="te_nats" for="edge" attr.name="te_nats" attr.type="double"/>
  <key id="p_value" for="edge" attr.name="p_value" attr.type="double"/>
  <key id="effective_te_nats" for="edge" attr.name="effective_te_nats" attr.type="double"/>
  <graph id="transfer_entropy" edgedefault="directed">
)";
  for (const std::int64_t column : answer.network.columns) {
    out += fmt::format("    <node id=\"n{}\"><data key=\"name\">{}</data></node>\n", column,
                       xml_text(name_at(answer, column)));
  }
  for (const NetworkEdge& edge : answer.network.edges) {
    if (tested(answer) && !edge.significant) continue;
    out += fmt::format("    <edge source=\"n{}\" target=\"n{}\"><data key=\"te_nats\">{}</data>", edge.source,
                       edge.target, edge.estimate.value);
    if (tested(answer)) {
      out += fmt::format("<data key=\"p_value\">{}</data><data key=\"effective_te_nats\">{}</data>",
                         edge.estimate.surrogates->p_value, edge.estimate.surrogates->effective);
    }
    out += "</edge>\n";
  }
  return out + "  </graph>\n</graphml>\n";
}

Tensor network_matrix(const NetworkAnswer& answer) {
  const std::size_t count = answer.network.columns.size();
  const auto extent = static_cast<std::int64_t>(count);
  Tensor values(DType::f64, {extent, extent});
  const auto cells = values.as<double>();
  for (std::size_t source = 0; source < count; ++source) {
    for (std::size_t target = 0; target < count; ++target) {
      cells[source * count + target] = source == target ? std::numeric_limits<double>::quiet_NaN()
                                                        : answer.network.edge(source, target).estimate.value;
    }
  }
  return values;
}

std::string network_text(const NetworkAnswer& answer) {
  std::vector<const NetworkEdge*> edges;
  for (const NetworkEdge& edge : answer.network.edges) edges.push_back(&edge);
  std::stable_sort(edges.begin(), edges.end(), [](const NetworkEdge* a, const NetworkEdge* b) {
    if (a->significant != b->significant) return a->significant;
    return a->estimate.value > b->estimate.value;
  });
  const auto found =
      std::count_if(edges.begin(), edges.end(), [](const NetworkEdge* e) { return e->significant; });
  std::string out = fmt::format(
      "transfer entropy of {} ordered pairs of {} columns, k = {}, algorithm {}, on {} ({}), {:.1f} ms\n",
      edges.size(), answer.network.columns.size(), answer.options.estimation.k,
      answer.options.estimation.algorithm, answer.backend, answer.device, answer.elapsed_ms);
  if (tested(answer)) {
    out += fmt::format("{} of them significant at a false discovery rate of {} ({} surrogates each)\n", found,
                       answer.options.fdr, answer.options.surrogates.count);
    const double least = 1.0 / static_cast<double>(answer.options.surrogates.count + 1);
    if (found == 0 && least > answer.options.fdr / static_cast<double>(edges.size())) {
      out += fmt::format(
          "no p-value can be below {:.4g} with so few surrogates; the strictest step of the test asks for "
          "{:.4g}\n",
          least, answer.options.fdr / static_cast<double>(edges.size()));
    }
  } else {
    out += "which of them differ from zero is told by surrogates: --surrogates 200\n";
  }
  constexpr std::size_t most_shown = 40;
  const std::size_t shown =
      std::min<std::size_t>(edges.size(), std::max<std::size_t>(most_shown, static_cast<std::size_t>(found)));
  for (std::size_t i = 0; i < shown; ++i) {
    const NetworkEdge& edge = *edges[i];
    out += fmt::format("  {:>12} -> {:<12} {:>10.6f} nats", name_at(answer, edge.source),
                       name_at(answer, edge.target), edge.estimate.value);
    if (edge.interval) out += fmt::format("  [{:.6f}, {:.6f}]", edge.interval->low, edge.interval->high);
    if (tested(answer)) {
      out += fmt::format("  p = {:<8.4g} {}", edge.estimate.surrogates->p_value,
                         edge.significant ? "significant" : "");
    }
    while (out.back() == ' ') out.pop_back();
    out += '\n';
  }
  if (shown < edges.size())
    out += fmt::format("  and {} weaker ones (--format csv has all)\n", edges.size() - shown);
  return out;
}

}  // namespace assay::program
