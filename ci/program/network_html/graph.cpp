#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "ci/program/network_html/layout.hpp"
#include "ci/program/network_html/sections.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"

namespace assay::program::network_html {
namespace {

namespace html = reports::html;

constexpr double letter = 6.9, letter_height = 13;  // pixels of a text of 12.5 px
constexpr std::size_t label_columns = 18;

struct Node {
  std::size_t column = 0;  // of the network
  Place place;
  int outgoing = 0, incoming = 0;
  double radius = 0;
};

struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
  bool holds(const Place& point) const {
    return left < point.x && point.x < right && top < point.y && point.y < bottom;
  }
  bool meets(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

class Drawing {
 public:
  explicit Drawing(const View& view) : view_(view) {
    // In leaf order, so that neighbours of the matrix begin as neighbours here.
    std::vector<bool> touched(view.count());
    for (const Pair& edge : view.edges) touched[edge.source] = touched[edge.target] = true;
    for (const std::size_t column : view.clustering.order) {
      if (!touched[column]) continue;
      node_of_[column] = nodes_.size();
      nodes_.emplace_back().column = column;
    }
    const double size = std::clamp(150 * std::sqrt(static_cast<double>(nodes_.size())), 460.0, 1130.0);
    width_ = size;
    height_ = std::round(size * 0.74);
    place();
  }

  std::size_t nodes() const { return nodes_.size(); }

  std::string svg() const {
    std::string out = fmt::format(
        "<div class=\"scroll\"><svg id=\"graph-plot\" class=\"network\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
        "style=\"width:{0:.0f}px;min-width:{2:.0f}px\" role=\"group\" aria-label=\"Graph of {3} columns and "
        "{4} "
        "influences\">\n",
        width_, height_, std::min(width_, std::max(330.0, width_ * 0.72)), nodes_.size(), view_.edges.size());
    // The strongest last: on top.
    for (auto edge = view_.edges.rbegin(); edge != view_.edges.rend(); ++edge) out += arrow(*edge);
    for (std::size_t i = 0; i < nodes_.size(); ++i) out += node(i);
    return out + "</svg></div>\n";
  }

 private:
  void place() {
    std::vector<std::pair<std::size_t, std::size_t>> edges;
    for (const Pair& edge : view_.edges) {
      const std::size_t a = node_of_.at(edge.source), b = node_of_.at(edge.target);
      edges.emplace_back(a, b);
      directed_.emplace(a, b);
      ++nodes_[a].outgoing;
      ++nodes_[b].incoming;
    }
    constexpr double sides = 60, ends = 22;  // room for names and circles
    const auto places = force_layout(nodes_.size(), edges, width_ - 2 * sides, height_ - 2 * ends);
    int most = 1;
    for (const Node& node : nodes_) most = std::max(most, node.outgoing);
    const double largest = nodes_.size() > 150 ? 5 : 9;
    const double least = nodes_.size() > 150 ? 2.6 : 3.5;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i].place = {places[i].x + sides, places[i].y + ends};
      nodes_[i].radius =
          least + (largest - least) * std::sqrt(static_cast<double>(nodes_[i].outgoing) / most);
    }
    place_names();
  }

  /// A name stands beside its circle where it meets no other name and no circle, and as few edges as can be;
  /// those with the most edges choose first. Where there is no such place, it shows when its node is pointed
  /// at.
  void place_names() {
    std::vector<std::size_t> by_degree(nodes_.size());
    for (std::size_t i = 0; i < by_degree.size(); ++i) by_degree[i] = i;
    std::stable_sort(by_degree.begin(), by_degree.end(), [&](std::size_t a, std::size_t b) {
      return nodes_[a].outgoing + nodes_[a].incoming > nodes_[b].outgoing + nodes_[b].incoming;
    });
    std::vector<Box> taken;
    for (const Node& node : nodes_) {
      const auto& [x, y] = node.place;
      taken.push_back({x - node.radius, y - node.radius, x + node.radius, y + node.radius});
    }
    const std::vector<Place> on_edges = points_on_edges();
    names_.resize(nodes_.size());
    for (const std::size_t i : by_degree) {
      const Node& node = nodes_[i];
      const double length =
          letter * static_cast<double>(text_columns(shortened(view_.names[node.column], label_columns)));
      const double gap = node.radius + 4;
      const auto& [x, y] = node.place;
      const Name ways[] = {{x + gap, y + 4.2, "start"},
                           {x - gap, y + 4.2, "end"},
                           {x, y - gap, "middle"},
                           {x, y + gap + 9, "middle"}};
      names_[i] = ways[x + gap + length < width_ ? 0 : 1];
      names_[i].hidden = true;
      std::ptrdiff_t fewest = std::numeric_limits<std::ptrdiff_t>::max();
      Box chosen;
      for (const Name& way : ways) {
        const double left = way.anchor == "start" ? way.x
                            : way.anchor == "end" ? way.x - length
                                                  : way.x - length / 2;
        const Box box{left, way.y - letter_height + 3, left + length, way.y + 3};
        if (box.left < 0 || box.right > width_ || box.top < 0 || box.bottom > height_) continue;
        if (std::any_of(taken.begin(), taken.end(), [&](const Box& one) { return box.meets(one); })) continue;
        const auto crossed = std::count_if(on_edges.begin(), on_edges.end(),
                                           [&](const Place& point) { return box.holds(point); });
        if (crossed >= fewest) continue;
        fewest = crossed;
        names_[i] = way;
        chosen = box;
      }
      if (!names_[i].hidden) taken.push_back(chosen);
    }
  }

  /// Close enough together that no edge slips through a name.
  std::vector<Place> points_on_edges() const {
    std::vector<Place> out;
    for (const auto& [from, to] : directed_) {
      const Place a = nodes_[from].place, b = nodes_[to].place;
      const int steps = 1 + static_cast<int>(std::hypot(b.x - a.x, b.y - a.y) / 8);
      for (int step = 0; step <= steps; ++step) {
        const double share = static_cast<double>(step) / steps;
        out.push_back({a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)});
      }
    }
    return out;
  }

  double share(const Pair& edge) const {
    const double most = view_.edges.front().strength;
    return most > 0 ? std::max(0.0, edge.strength / most) : 1;
  }

  std::string arrow(const Pair& edge) const {
    const std::size_t from = node_of_.at(edge.source), to = node_of_.at(edge.target);
    const Place a = nodes_[from].place, b = nodes_[to].place;
    const double length = std::max(std::hypot(b.x - a.x, b.y - a.y), 1e-6);
    // Two edges between the same two nodes bend apart.
    const double bend = directed_.count({to, from}) ? 0.14 * length : 0;
    const Place normal{-(b.y - a.y) / length, (b.x - a.x) / length};
    const Place control{(a.x + b.x) / 2 + normal.x * bend, (a.y + b.y) / 2 + normal.y * bend};
    const double reach = std::max(std::hypot(b.x - control.x, b.y - control.y), 1e-6);
    const Place along{(b.x - control.x) / reach, (b.y - control.y) / reach};
    const double wide = 0.9 + 3.6 * share(edge), head = std::min(5 + 1.7 * wide, length / 2);
    const double tip = nodes_[to].radius + 1.5;
    const Place point{b.x - along.x * tip, b.y - along.y * tip};
    const Place back{point.x - along.x * head, point.y - along.y * head};
    const double half = 2.2 + wide * 0.75;
    return fmt::format(
        "<g class=\"edge\" data-from=\"{}\" data-to=\"{}\"><title>{}</title><path class=\"line\" "
        "style=\"stroke-width:{:.2f}\" d=\"M{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}\"/><path "
        "class=\"head\" "
        "d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}L{:.1f} {:.1f}z\"/></g>\n",
        from, to, title(edge), wide, a.x, a.y, control.x, control.y, back.x, back.y, point.x, point.y,
        back.x - along.y * half, back.y + along.x * half, back.x + along.y * half, back.y - along.x * half);
  }

  std::string title(const Pair& edge) const {
    const NetworkPageInput& in = view_.input;
    const auto [from, to, strength] = edge;
    std::string out = fmt::format("{} → {}: {} nats", label(view_, from), label(view_, to),
                                  reports::format_number(in.te(from, to)));
    if (view_.tested())
      out += fmt::format(", effective {}, p = {}", reports::format_number(strength),
                         reports::format_number(in.p_value(from, to)));
    if (in.delay) out += fmt::format(", delay {}", in.delay(from, to));
    return out;
  }

  std::string node(std::size_t i) const {
    const Node& node = nodes_[i];
    const Name& name = names_[i];
    return fmt::format(
        "<g class=\"node\" tabindex=\"0\" data-node=\"{}\"><title>{}: {} outgoing, {} "
        "incoming</title><circle "
        "cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/><text{} x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"{}\">{}</text></g>\n",
        i, label(view_, node.column, 120), node.outgoing, node.incoming, node.place.x, node.place.y,
        node.radius, name.hidden ? " class=\"late\"" : "", name.x, name.y, name.anchor,
        label(view_, node.column, label_columns));
  }

  struct Name {
    double x = 0, y = 0;
    std::string_view anchor = "start";
    bool hidden = false;
  };

  const View& view_;
  std::vector<Node> nodes_;
  std::map<std::size_t, std::size_t> node_of_;  // by column
  std::set<std::pair<std::size_t, std::size_t>> directed_;
  std::vector<Name> names_;
  double width_ = 0, height_ = 0;
};

std::string without_edges(const View& view, std::size_t nodes) {
  if (nodes == view.count()) return {};
  constexpr std::size_t most_named = 24;
  std::vector<bool> touched(view.count());
  for (const Pair& edge : view.edges) touched[edge.source] = touched[edge.target] = true;
  const std::size_t missing = view.count() - nodes;
  std::string out = reports::format_count(static_cast<long long>(missing), "column") +
                    (missing == 1 ? " has" : " have") + " no edge in the graph";
  if (missing > most_named) return out + ".";
  out += ": ";
  for (std::size_t i = 0; i < view.count(); ++i)
    if (!touched[i]) out += shortened(view.names[i], 40) + ", ";
  return out.substr(0, out.size() - 2) + ".";
}

}  // namespace

std::string graph(const View& view) {
  const std::string title =
      view.tested() ? "Graph of the edges that survive" : "Graph of the strongest edges";
  if (view.edges.empty()) {
    return html::section(
        "graph", title,
        html::paragraph(view.tested() ? "No edge survives the false discovery rate." : "No value is above 0.",
                        "none"));
  }
  const std::size_t shown = view.edges.size(), all = view.edge_total;
  std::string text;
  if (!view.tested())
    text = fmt::format(
        "The {} strongest of {} positive values. Without surrogates nothing says which of them differ from "
        "zero: "
        "these are not findings. ",
        shown, all);
  else if (shown < all)
    text = fmt::format("The {} strongest of {} edges that survive; {} weaker ones are left out. ", shown, all,
                       all - shown);
  else
    text = fmt::format(
        "{}. ", shown == 1 ? "The one edge that survives" : fmt::format("All {} edges that survive", shown));
  text += fmt::format(
      "An arrow runs from source to target and is as wide as its {}transfer entropy is large; a circle is as "
      "large "
      "as it has outgoing edges. Point at a circle to see its edges alone.",
      view.tested() ? "effective " : "");
  const Drawing drawing(view);
  std::string body =
      html::paragraph(text) + drawing.svg() +
      "<ul class=\"legend\"><li class=\"s0\"><span class=\"key\"></span>outgoing of the circle "
      "pointed at</li><li class=\"s1\"><span class=\"key\"></span>incoming</li></ul>\n";
  const std::string rest = without_edges(view, drawing.nodes());
  if (!rest.empty()) body += html::paragraph(rest, "small");
  return html::section("graph", title, body);
}

}  // namespace assay::program::network_html
