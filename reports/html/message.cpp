#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "reports/escape.hpp"
#include "reports/html/elements.hpp"

namespace assay::reports::html {
namespace {

/// One row of a picture of differences, as checks write it: "      16 |##. |", the row it begins at before
/// it.
struct PictureRow {
  std::string label;
  std::string cells;
};

std::optional<PictureRow> picture_row(const std::string& line) {
  const std::size_t bar = line.find(" |");
  if (bar == std::string::npos || line.size() < bar + 3 || line.back() != '|') return std::nullopt;
  const std::size_t digits = line.find_first_not_of(' ');
  const std::string label = line.substr(std::min(digits, bar), bar - std::min(digits, bar));
  const std::string cells = line.substr(bar + 2, line.size() - bar - 3);
  if (label.empty() || label.find_first_not_of("0123456789") != std::string::npos ||
      cells.find_first_not_of(" .+#") != std::string::npos)
    return std::nullopt;
  return PictureRow{label, cells};
}

/// The picture as a grid of cells, light to full by how much of each is wrong; its words are in `title`.
std::string picture_svg(const std::string& title, const std::vector<PictureRow>& rows) {
  std::size_t across = 1, letters = 1;
  for (const PictureRow& row : rows) {
    across = std::max(across, row.cells.size());
    letters = std::max(letters, row.label.size());
  }
  const std::size_t cell = 12, left = 8 * letters + 8;
  std::string out = fmt::format(
      "<svg class=\"differences\" role=\"img\" viewBox=\"0 0 {0} {1}\" style=\"max-width:{0}px\">"
      "<title>{2}</title>",
      left + across * cell, rows.size() * cell, escape_html(title));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>", left - 6, r * cell + cell - 2,
                       escape_html(rows[r].label));
    for (std::size_t c = 0; c < across; ++c) {
      const char mark = c < rows[r].cells.size() ? rows[r].cells[c] : ' ';
      const char* tone = mark == '#' ? "all" : mark == '+' ? "half" : mark == '.' ? "some" : "none";
      out += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>", tone,
                         left + c * cell, r * cell, cell - 1, cell - 1);
    }
  }
  return out + "</svg>";
}

constexpr std::string_view legend =
    "<span class=\"differences-legend\"><b class=\"none\"></b> right <b class=\"some\"></b> some wrong "
    "<b class=\"half\"></b> half or more <b class=\"all\"></b> all wrong</span>";

}  // namespace

std::string message_html(const std::string& message) {
  std::istringstream lines(message);
  std::string first, line;
  std::getline(lines, first);
  std::string before, after, text = escape_html(first);
  std::vector<PictureRow> rows;
  while (std::getline(lines, line)) {
    if (auto row = picture_row(line))
      rows.push_back(std::move(*row));
    else
      (rows.empty() ? before : after) += line + "\n";
  }
  if (rows.empty()) {
    if (before.empty()) return text;
    return "<details><summary>" + text + "</summary><pre>" + escape_html(message) + "</pre></details>";
  }
  // "12 rows x 40 columns, a cell up to 1 x 1: '.' some ...": the legend says the rest.
  const std::string head = before.substr(0, std::min(before.find(": '"), before.find('\n')));
  text += fmt::format("<figure class=\"differences\"><figcaption>{}</figcaption>{}{}</figure>",
                      escape_html("Where it differs: " + head), picture_svg(head, rows), legend);
  if (!after.empty()) text += "<pre>" + escape_html(after) + "</pre>";
  return text;
}

}  // namespace assay::reports::html
