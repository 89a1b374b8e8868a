#include "reports/html/elements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/escape.hpp"
#include "reports/format.hpp"
#include "reports/operation_state.hpp"

namespace assay::reports::html {
namespace {

std::string row_html(const std::vector<Cell>& row) {
  std::string out = "<tr>";
  for (const Cell& cell : row) {
    out += cell.number ? "<td class=\"n\"" : "<td";
    if (!cell.sort.empty()) out += " data-sort=\"" + escape_html(cell.sort) + "\"";
    out += '>' + cell.html + "</td>";
  }
  return out + "</tr>\n";
}

bool column_of_numbers(const Grid& grid, std::size_t column) {
  return !grid.rows.empty() &&
         std::all_of(grid.rows.begin(), grid.rows.end(),
                     [&](const std::vector<Cell>& row) { return column < row.size() && row[column].number; });
}

}  // namespace

std::string badge(std::string_view word, std::string_view tone) {
  return fmt::format("<span class=\"badge {}\">{}</span>", escape_html(tone), escape_html(word));
}

std::string_view tone_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "good";
    case Verdict::fail:
    case Verdict::xpass:
    case Verdict::crashed:
    case Verdict::timeout:
      return "bad";
    case Verdict::vacuous:
    case Verdict::xfail:
      return "warn";
    case Verdict::unsupported:
    case Verdict::not_executed:
      break;
  }
  return "quiet";
}

std::string badge(Verdict verdict) {
  std::string word(to_string(verdict));
  std::replace(word.begin(), word.end(), '_', ' ');
  return badge(word, tone_of(verdict));
}

Cell text_cell(std::string_view text) {
  return {escape_html(text)};
}

Cell code_cell(std::string_view text) {
  if (text.empty()) return {"–"};
  std::string html;
  for (const char c : escape_html(text)) {
    html += c;
    if (c == '/' || c == ',') html += "<wbr>";  // where a key may be broken on a narrow screen
  }
  return {"<code class=\"key\">" + html + "</code>", std::string(text)};
}

Cell number_cell(double value, const std::string& shown) {
  return {escape_html(shown), std::isnan(value) ? "nan" : fmt::format("{}", value), true};
}

Cell number_cell(const std::optional<double>& value) {
  return number_cell(value.value_or(std::nan("")), format_number(value));
}

Cell count_cell(long long value) {
  return {fmt::format("{}", value), "", true};
}

Cell time_cell(double nanoseconds) {
  return number_cell(nanoseconds > 0.0 ? nanoseconds : std::nan(""), format_time(nanoseconds));
}

std::string table(const Grid& grid, std::size_t fold_after) {
  if (grid.rows.empty()) return {};
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table{1}>"
      "<caption>{0}</caption>\n<thead><tr>",
      escape_html(grid.caption),
      grid.wide    ? " class=\"wide\""
      : grid.stack ? " class=\"stack\""
                   : "");
  for (std::size_t i = 0; i < grid.columns.size(); ++i)
    out += fmt::format("<th scope=\"col\"{}>{}</th>", column_of_numbers(grid, i) ? " class=\"n\"" : "",
                       escape_html(grid.columns[i]));
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : grid.rows) out += row_html(row);
  out += "</tbody></table></div>\n";
  if (fold_after == 0 || grid.rows.size() <= fold_after) return out;
  return fold(fmt::format("{} ({})", grid.caption, grid.rows.size()), out);
}

std::string section(std::string_view id, std::string_view title, const std::string& html) {
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-title\">\n<h2 id=\"{0}-title\">{1}</h2>\n{2}</section>\n",
      escape_html(id), escape_html(title), html);
}

std::string fold(std::string_view summary, const std::string& html, bool open) {
  return fmt::format("<details{}><summary>{}</summary>\n{}</details>\n", open ? " open" : "",
                     escape_html(summary), html);
}

std::string paragraph(std::string_view text, std::string_view css_class) {
  const std::string attribute = css_class.empty() ? "" : fmt::format(" class=\"{}\"", escape_html(css_class));
  return fmt::format("<p{}>{}</p>\n", attribute, escape_html(text));
}

std::string meter(double share, std::string_view text, std::string_view tone) {
  const double width = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) * 100.0 : 0.0;
  return fmt::format(
      "<span class=\"share\"><span class=\"meter {}\"><span class=\"bar\" style=\"width:{:.1f}%\">"
      "</span></span>{}</span>",
      escape_html(tone), width, escape_html(text));
}

Cell roofline_share(const Benchmark& benchmark) {
  if (!benchmark.roofline_share) return {"–", "nan"};
  const double share = *benchmark.roofline_share;
  Cell out{meter(share, format_percent(share)), fmt::format("{}", share)};
  if (ran_in_cache(benchmark))
    out.html +=
        " <span class=\"badge quiet\" title=\"the data came out of a cache; the ceiling is that of "
        "main memory\">in cache</span>";
  else if (share > 1.0)
    out.html += " " + badge("above the ceiling", "warn");
  return out;
}

}  // namespace assay::reports::html
