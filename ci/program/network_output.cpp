#include "ci/program/network_output.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "fmt/format.h"

namespace assay::program {
namespace {

using nlohmann::ordered_json;

bool tested(const NetworkAnswer& answer) {
  return answer.network.tested();
}

const std::string& name_of_column(const NetworkAnswer& answer, std::int64_t column) {
  return answer.table.names.at(static_cast<std::size_t>(column));
}

const std::string& name_at(const NetworkAnswer& answer, std::size_t place) {
  return name_of_column(answer, answer.network.columns[place]);
}

/// Calls visit(source, target) for every ordered pair, source by source.
template <typename Visit>
void each_pair(const NetworkAnswer& answer, const Visit& visit) {
  const std::size_t width = answer.network.width();
  for (std::size_t source = 0; source < width; ++source)
    for (std::size_t target = 0; target < width; ++target)
      if (source != target) visit(source, target);
}

/// Members of one JSON object, in the order they are added.
class Members {
 public:
  explicit Members(const io::Sink& put) : put_(put) { put_("{"); }
  ~Members() = default;
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  void add(const char* key, const ordered_json& value) {
    begin(key);
    put_(value.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  }
  /// A matrix of cell(source, target).
  template <typename Cell>
  void matrix(const char* key, std::size_t width, const Cell& cell) {
    begin(key);
    std::string row;
    for (std::size_t source = 0; source < width; ++source) {
      row = source == 0 ? "[[" : ",[";
      for (std::size_t target = 0; target < width; ++target) {
        if (target > 0) row += ',';
        row += source == target ? std::string("null") : ordered_json(cell(source, target)).dump();
      }
      put_(row += ']');
    }
    put_("]");
  }
  void end() { put_("}\n"); }

 private:
  void begin(const char* key) {
    put_(fmt::format("{}\"{}\":", first_ ? "" : ",", key));
    first_ = false;
  }
  const io::Sink& put_;
  bool first_ = true;
};

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

void write_network_json(const NetworkAnswer& answer, const io::Sink& put) {
  const analysis::Network& network = answer.network;
  const std::size_t width = network.width();
  Members document(put);
  std::vector<std::string> names;
  for (const std::int64_t column : network.columns) names.push_back(name_of_column(answer, column));
  const auto cells = [&](const char* key, const auto& matrix) {
    document.matrix(key, width, [&](std::size_t s, std::size_t t) { return matrix(s, t); });
  };
  document.add("measure", "transfer entropy");
  document.add("columns", names);
  cells("te_nats", network.te);
  document.add("samples", network.least_samples);
  document.add("k", answer.options.estimation.k);
  document.add("algorithm", answer.options.estimation.algorithm);
  document.add("backend", answer.backend);
  document.add("device", answer.device);
  document.add("elapsed_ms", answer.elapsed_ms);
  document.add("seed", answer.options.estimation.seed);
  if (tested(answer)) {
    document.add("surrogates", network.surrogates);
    document.add("fdr", answer.options.fdr);
    document.matrix("p_value", width, [&](std::size_t s, std::size_t t) { return network.p_value(s, t); });
    document.matrix("effective_te_nats", width,
                    [&](std::size_t s, std::size_t t) { return network.effective(s, t); });
    document.matrix("significant", width,
                    [&](std::size_t s, std::size_t t) { return network.significant(s, t) != 0; });
  }
  if (!network.ci_low.empty()) {
    document.add("ci", answer.options.interval.confidence);
    cells("ci_low", network.ci_low);
    cells("ci_high", network.ci_high);
  }
  if (!network.delay.empty()) {
    document.add("delays", answer.options.delays);
    cells("delay", network.delay);
  }
  if (answer.options.embed) {
    cells("k_history", network.k_history);
    cells("k_tau", network.k_tau);
    cells("l_history", network.l_history);
    cells("l_tau", network.l_tau);
    cells("samples_by_pair", network.samples);
  }
  document.end();
}

void write_network_csv(const NetworkAnswer& answer, const io::Sink& put) {
  const analysis::Network& network = answer.network;
  std::string line = "source,target,te_nats,samples";
  if (tested(answer)) line += ",p_value,effective_te_nats,significant";
  if (!network.ci_low.empty()) line += ",ci_low,ci_high";
  if (!network.delay.empty()) line += ",delay";
  put(line += '\n');
  each_pair(answer, [&](std::size_t source, std::size_t target) {
    line.clear();
    auto out = std::back_inserter(line);
    fmt::format_to(out, "{},{},{},{}", quoted_field(name_at(answer, source)),
                   quoted_field(name_at(answer, target)), network.te(source, target),
                   network.samples_of(source, target));
    if (tested(answer))
      fmt::format_to(out, ",{},{},{}", network.p_value(source, target), network.effective(source, target),
                     network.significant(source, target));
    if (!network.ci_low.empty())
      fmt::format_to(out, ",{},{}", network.ci_low(source, target), network.ci_high(source, target));
    if (!network.delay.empty()) fmt::format_to(out, ",{}", network.delay(source, target));
    put(line += '\n');
  });
}

void write_network_graphml(const NetworkAnswer& answer, const io::Sink& put) {
  const analysis::Network& network = answer.network;
  put(R"(<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="name" for="node" attr.name="name" attr.type="string"/>
  <key id="te_nats" for="edge" attr.name="te_nats" attr.type="double"/>
  <key id="p_value" for="edge" attr.name="p_value" attr.type="double"/>
  <key id="effective_te_nats" for="edge" attr.name="effective_te_nats" attr.type="double"/>
)");
  if (!network.delay.empty())
    put("  <key id=\"delay\" for=\"edge\" attr.name=\"delay\" attr.type=\"int\"/>\n");
  put("  <graph id=\"transfer_entropy\" edgedefault=\"directed\">\n");
  for (const std::int64_t column : network.columns)
    put(fmt::format("    <node id=\"n{}\"><data key=\"name\">{}</data></node>\n", column,
                    xml_text(name_of_column(answer, column))));
  each_pair(answer, [&](std::size_t source, std::size_t target) {
    if (tested(answer) && network.significant(source, target) == 0) return;
    std::string line =
        fmt::format("    <edge source=\"n{}\" target=\"n{}\"><data key=\"te_nats\">{}</data>",
                    network.columns[source], network.columns[target], network.te(source, target));
    if (tested(answer))
      line += fmt::format("<data key=\"p_value\">{}</data><data key=\"effective_te_nats\">{}</data>",
                          network.p_value(source, target), network.effective(source, target));
    if (!network.delay.empty())
      line += fmt::format("<data key=\"delay\">{}</data>", network.delay(source, target));
    put(line += "</edge>\n");
  });
  put("  </graph>\n</graphml>\n");
}

ConstTensorView network_matrix(const NetworkAnswer& answer) {
  const auto extent = static_cast<std::int64_t>(answer.network.width());
  return view_of(answer.network.te.cells().data(), Shape{extent, extent});
}

namespace {

struct Edge {
  std::size_t source, target;
};

/// The first `most` edges, significant ones before others, stronger before weaker; of 10^8 no more are held.
std::vector<Edge> strongest(const NetworkAnswer& answer, std::size_t most) {
  const analysis::Network& network = answer.network;
  const auto before = [&](const Edge& a, const Edge& b) {
    if (tested(answer)) {
      const auto first = network.significant(a.source, a.target),
                 second = network.significant(b.source, b.target);
      if (first != second) return first > second;
    }
    const double first = network.te(a.source, a.target), second = network.te(b.source, b.target);
    if (first != second) return first > second;
    return a.source != b.source ? a.source < b.source : a.target < b.target;
  };
  std::vector<Edge> kept;  // a heap: the last of those kept on top
  each_pair(answer, [&](std::size_t source, std::size_t target) {
    const Edge edge{source, target};
    if (kept.size() == most) {
      if (!before(edge, kept.front())) return;
      std::pop_heap(kept.begin(), kept.end(), before);
      kept.pop_back();
    }
    kept.push_back(edge);
    std::push_heap(kept.begin(), kept.end(), before);
  });
  std::sort_heap(kept.begin(), kept.end(), before);
  return kept;
}

}  // namespace

std::string network_text(const NetworkAnswer& answer) {
  const analysis::Network& network = answer.network;
  const std::size_t pairs = network.width() * (network.width() - 1);
  const auto marks = network.significant.cells();
  const auto found = static_cast<std::size_t>(std::count(marks.begin(), marks.end(), 1));
  std::string out = fmt::format(
      "transfer entropy of {} ordered pairs of {} columns, k = {}, algorithm {}, on {} ({}), {:.1f} ms\n",
      pairs, network.width(), answer.options.estimation.k, answer.options.estimation.algorithm,
      answer.backend, answer.device, answer.elapsed_ms);
  if (!network.delay.empty())
    out += fmt::format("the largest of {} delays each; p-values are corrected for the search\n",
                       answer.options.delays.size());
  if (tested(answer)) {
    out += fmt::format("{} of them significant at a false discovery rate of {} ({} surrogates each)\n", found,
                       answer.options.fdr, network.surrogates);
    const double least = 1.0 / static_cast<double>(network.surrogates + 1);
    if (found == 0 && least > answer.options.fdr / static_cast<double>(pairs)) {
      out += fmt::format(
          "no p-value can be below {:.4g} with so few surrogates; the strictest step of the test asks for "
          "{:.4g}\n",
          least, answer.options.fdr / static_cast<double>(pairs));
    }
  } else {
    out += "which of them differ from zero is told by surrogates: --surrogates 200\n";
  }
  constexpr std::size_t least_shown = 40, most_shown = 1000;
  const std::vector<Edge> edges = strongest(answer, std::clamp(found, least_shown, most_shown));
  for (const auto& [source, target] : edges) {
    out += fmt::format("  {:>12} -> {:<12} {:>10.6f} nats", name_at(answer, source), name_at(answer, target),
                       network.te(source, target));
    if (!network.delay.empty()) out += fmt::format("  delay {:<4}", network.delay(source, target));
    if (!network.ci_low.empty())
      out +=
          fmt::format("  [{:.6f}, {:.6f}]", network.ci_low(source, target), network.ci_high(source, target));
    if (tested(answer)) {
      out += fmt::format("  p = {:<8.4g} {}", network.p_value(source, target),
                         network.significant(source, target) != 0 ? "significant" : "");
    }
    while (out.back() == ' ') out.pop_back();
    out += '\n';
  }
  if (edges.size() < pairs)
    out += fmt::format("  and {} weaker ones (--format csv has all)\n", pairs - edges.size());
  return out;
}

}  // namespace assay::program
