#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "ci/program/network_html/colours.hpp"
#include "ci/program/network_html/packed_matrix.hpp"
#include "ci/program/network_html/sections.hpp"
#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/html/elements.hpp"

namespace assay::program::network_html {
namespace {

namespace html = reports::html;

constexpr std::size_t most_drawn = 150;           // columns that have cells of their own in the SVG
constexpr std::size_t most_packed = 1500;         // rows of the packed matrix
constexpr std::size_t label_columns = 20;         // of text
constexpr std::size_t embedded_columns = 240000;  // of text, of all names that the script shows

/// Where things lie in the SVG, in its units.
struct Frame {
  explicit Frame(const View& view) {
    std::size_t widest = 1;
    for (const std::string& name : view.names)
      widest = std::max(widest, std::min(label_columns, text_columns(name)));
    const double columns = static_cast<double>(view.count());
    cell = std::clamp(900 / columns, 8.5, 36.0);
    letters = std::min(12.5, cell);
    names = static_cast<double>(widest) * letters * 0.6 + 12;
    side = cell * columns;
    tree = view.count() > 2 ? std::clamp(side / 4, 50.0, 110.0) : 0;
  }
  double width() const { return names + side + 6 + tree; }
  double height() const { return names + side; }

  double cell = 0, letters = 0, names = 0, side = 0, tree = 0;
};

/// All cells of a level in one path: a cell is a row of it, "M column row h.." where its size is 1.
std::string cells(const View& view) {
  const auto& order = view.clustering.order;
  const bool apart = view.count() <= 40;  // a little air between large cells
  std::map<int, std::string> paths;
  std::string low_marks, high_marks;
  for (std::size_t row = 0; row < order.size(); ++row) {
    for (std::size_t column = 0; column < order.size(); ++column) {
      const double value = view.te(order[row], order[column]);
      if (!std::isfinite(value)) continue;
      const int level = level_of(value, view.scale_end);
      paths[level] += apart ? fmt::format("M{}.03 {}.03h.94v.94h-.94z", column, row)
                            : fmt::format("M{} {}h1v1h-1z", column, row);
      if (view.significant(order[row], order[column])) {
        std::string& marks = 2 * std::abs(level) > most_level ? high_marks : low_marks;
        marks += fmt::format("M{}.5 {}.5h0", column, row);
      }
    }
  }
  std::string out = fmt::format("<rect class=\"void\" width=\"{0}\" height=\"{0}\"/>\n", order.size());
  for (const auto& [level, path] : paths)
    out +=
        fmt::format("<path class=\"cell\" style=\"fill:var({})\" d=\"{}\"/>\n", level_variable(level), path);
  if (!low_marks.empty()) out += fmt::format("<path class=\"mark low\" d=\"{}\"/>\n", low_marks);
  if (!high_marks.empty()) out += fmt::format("<path class=\"mark high\" d=\"{}\"/>\n", high_marks);
  return out;
}

std::string names_of(const View& view, const Frame& frame) {
  std::string out = fmt::format("<g style=\"font-size:{:.1f}px\" class=\"names\">\n", frame.letters);
  for (std::size_t i = 0; i < view.count(); ++i) {
    const std::size_t leaf = view.clustering.order[i];
    const double middle = frame.names + (static_cast<double>(i) + 0.5) * frame.cell;
    const std::string shown = label(view, leaf, label_columns), whole = label(view, leaf, 200);
    const std::string title = shown == whole ? "" : "<title>" + whole + "</title>";
    out += fmt::format("<text data-row=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}{}</text>\n", i,
                       frame.names - 6, middle + frame.letters * 0.35, shown, title);
    out += fmt::format(
        "<text data-column=\"{}\" transform=\"translate({:.1f} {:.1f}) rotate(-90)\">{}{}</text>\n", i,
        middle + frame.letters * 0.35, frame.names - 6, shown, title);
  }
  return out + "</g>\n";
}

/// The tree beside the rows. Its depth is the step from the tree's top, not the similarity itself: the
/// similarities of a network crowd at 0, where nothing could be told apart.
std::string tree(const View& view, const Frame& frame) {
  if (frame.tree == 0) return {};
  const auto& merges = view.clustering.merges;
  std::vector<double> place(view.count() + merges.size());
  std::vector<int> height(place.size());
  for (std::size_t i = 0; i < view.count(); ++i)
    place[view.clustering.order[i]] = frame.names + (static_cast<double>(i) + 0.5) * frame.cell;
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const auto& [first, second, similarity] = merges[i];
    place[view.count() + i] = (place[first] + place[second]) / 2;
    height[view.count() + i] = 1 + std::max(height[first], height[second]);
  }
  const double left = frame.names + frame.side + 6, step = (frame.tree - 8) / height.back();
  std::string path;
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const std::size_t first = merges[i].first, second = merges[i].second;
    path += fmt::format("M{:.1f} {:.1f}H{:.1f}V{:.1f}H{:.1f}", left + step * height[first], place[first],
                        left + step * height[view.count() + i], place[second], left + step * height[second]);
  }
  return fmt::format("<path class=\"tree\" d=\"{}\"/>\n", path);
}

/// With the room of the matrix in it, for the pointer, in shares of its width and height.
std::string drawn(const View& view) {
  const Frame frame(view);
  std::string out = fmt::format(
      "<div class=\"matrix\" tabindex=\"0\" style=\"width:{0:.0f}px;min-width:{1:.0f}px\" "
      "data-box=\"{2:.5f} {3:.5f} {4:.5f} {5:.5f}\" aria-label=\"Matrix; arrow keys move over its cells\">\n"
      "<svg viewBox=\"0 0 {0:.0f} {6:.0f}\" role=\"img\" aria-label=\"Matrix of transfer entropies: rows are "
      "sources, columns are targets\">\n",
      frame.width(), std::min(frame.width(), frame.width() * std::clamp(7.5 / frame.letters, 0.6, 1.0)),
      frame.names / frame.width(), frame.names / frame.height(), frame.side / frame.width(),
      frame.side / frame.height(), frame.height());
  out += names_of(view, frame);
  out += fmt::format("<g transform=\"translate({0:.1f} {0:.1f}) scale({1:.4f})\">\n{2}</g>\n", frame.names,
                     frame.cell, cells(view));
  out += tree(view, frame);
  return out + "</svg>\n<div class=\"cursor\" hidden></div>\n</div>\n";
}

std::string painted(const View& view, const PackedMatrix& packed) {
  std::string out;
  if (view.survivors > 0)
    out +=
        "<p class=\"small\"><label><input type=\"checkbox\" id=\"fade\" checked> fade what does not survive "
        "the false discovery rate</label></p>\n";
  out += fmt::format(
      "<noscript><p class=\"note\">A matrix of {0} rows is painted by a script, which does not run here. The "
      "graph and the table below do without.</p></noscript>\n"
      "<div class=\"matrix whole\" tabindex=\"0\" data-box=\"0 0 1 1\" aria-label=\"Matrix; arrow keys move "
      "over "
      "its cells\"><canvas role=\"img\" aria-label=\"Matrix of transfer entropies: rows are sources, columns "
      "are targets\"></canvas><div class=\"cursor\" hidden></div></div>\n",
      packed.count);
  return out;
}

/// What the script needs, as JSON. All matrices in leaf order.
std::string data(const View& view, const PackedMatrix* packed) {
  const auto& order = view.clustering.order;
  nlohmann::ordered_json head;
  std::vector<std::string> names;
  const std::size_t room = std::clamp<std::size_t>(embedded_columns / view.count(), 16, 60);
  for (const std::size_t leaf : order) names.push_back(shortened(view.names[leaf], room));
  head["count"] = view.count();
  head["end"] = packed != nullptr ? packed->scale_end : view.scale_end;
  head["levels"] = most_level;
  head["tested"] = view.tested();
  head["names"] = names;
  if (packed != nullptr) {
    head["block"] = packed->block;
    head["rows"] = packed->count;
    head["largest"] = packed->largest;
    head["codes"] = base64(packed->codes);
    head["marks"] = base64(packed->marks);
    return head.dump();
  }
  std::string out = head.dump();
  out.pop_back();
  const auto add = [&](const char* name, const auto& text) {
    out += fmt::format(",\"{}\":[", name);
    for (const std::size_t source : order)
      for (const std::size_t target : order) out += (source == target ? "null" : text(source, target)) + ',';
    out.back() = ']';
  };
  const auto number = [](double value) {
    return std::isfinite(value) ? fmt::format("{:.4g}", value) : std::string("null");
  };
  const NetworkPageInput& in = view.input;
  add("te", [&](std::size_t i, std::size_t j) { return number(in.te(i, j)); });
  if (view.tested()) {
    add("effective", [&](std::size_t i, std::size_t j) { return number(in.effective(i, j)); });
    add("p", [&](std::size_t i, std::size_t j) { return number(in.p_value(i, j)); });
    add("significant",
        [&](std::size_t i, std::size_t j) { return std::string(in.significant(i, j) ? "1" : "0"); });
  }
  if (in.delay) add("delay", [&](std::size_t i, std::size_t j) { return fmt::format("{}", in.delay(i, j)); });
  return out + "}";
}

/// From where to where the colours go, nats.
struct Scale {
  double lowest = 0, highest = 0, end = 1;
  bool is_exceeded() const { return highest > end || -lowest > end; }
};

std::string legend(const Scale& scale) {
  const int lowest = std::min(0, level_of(scale.lowest, scale.end));
  const double levels = most_level - lowest + 1;
  std::string bar;
  for (int level = lowest; level <= most_level; ++level)
    bar += fmt::format("<i style=\"background:var({})\"></i>", level_variable(level));
  // The number of the low end only where it does not run into the 0.
  const double zero = (0.5 - lowest) / levels * 100;
  std::string low;
  if (zero > 22)
    low = fmt::format("<span class=\"first\">{}{}</span>", -scale.lowest > scale.end ? "≤ " : "",
                      reports::format_number(std::max(scale.lowest, -scale.end)));
  return fmt::format(
      "<div class=\"scale\"><div class=\"bar\">{}</div><div class=\"ticks\">{}<span "
      "style=\"left:{:.1f}%\">0</span><span class=\"last\">{}{} nats</span></div></div>\n",
      bar, low, zero, scale.highest > scale.end ? "≥ " : "", reports::format_number(scale.end));
}

std::string note(const View& view, const Scale& scale, const PackedMatrix* packed) {
  std::string text =
      "Rows are sources, columns are targets: the cell says what its row tells about its column's next "
      "value. Blue is positive, orange negative. ";
  if (view.survivors > 0)
    text += packed == nullptr ? "A dot marks what survives the false discovery rate. "
                              : "What does not survive the false discovery rate is faded. ";
  text += fmt::format(
      "Rows and columns have the same order, in which columns that tell each other much lie together: "
      "average linkage of the mean of both directions{}, negative values taken as 0.",
      view.tested() ? " (effective values)" : "");
  if (scale.is_exceeded())
    text += fmt::format(" The colours end at {} nats, which one cell in a thousand exceeds.",
                        reports::format_number(scale.end));
  std::string out = html::paragraph(text);
  if (packed == nullptr) return out;
  std::string kept = "The page keeps 8 bits of each value";
  if (packed->block > 1)
    kept = fmt::format(
        "Each cell shown stands for {0} x {0} neighbours and has their largest value; the page keeps 8 bits "
        "of it",
        packed->block);
  kept += fmt::format(
      ", within {} nats near the largest value and {} near 0. The other formats have all of every value.",
      reports::format_number(packed->largest / 127),
      reports::format_number(packed->largest / (4 * 127 * 127)));
  return out + html::paragraph(kept, "note");
}

}  // namespace

std::string matrix(const View& view) {
  if (view.values == 0)
    return html::section("matrix", "Matrix", html::paragraph("No pair has a value.", "none"));
  std::string body, embedded;
  if (view.count() <= most_drawn) {
    const Scale scale{view.lowest, view.highest, view.scale_end};
    body = note(view, scale, nullptr) + legend(scale) + "<div class=\"scroll\">\n" + drawn(view) + "</div>\n";
    embedded = data(view, nullptr);
  } else {
    const PackedMatrix packed = packed_matrix(view, most_packed);
    const Scale scale{packed.lowest, packed.highest, packed.scale_end};
    body = note(view, scale, &packed) + legend(scale) + painted(view, packed);
    embedded = data(view, &packed);
  }
  return html::section("matrix", "Matrix",
                       body + "<script type=\"application/json\" id=\"matrix-data\">" +
                           reports::escape_script_json(embedded) + "</script>\n");
}

}  // namespace assay::program::network_html
