#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/record.hpp"

/// The small pieces of the page. What is called `html` is markup already; all other texts are escaped here.
namespace assay::reports::html {

/// A coloured word for a verdict. The colour repeats the word and never stands for it.
/// Tones: good, bad, warn, quiet.
std::string badge(std::string_view word, std::string_view tone);
std::string_view tone_of(Verdict verdict);
std::string badge(Verdict verdict);

/// One cell: what is shown, and by what it is sorted (its text where empty). Numbers sort as numbers.
struct Cell {
  std::string html;
  std::string sort = {};
  bool number = false;
};

Cell text_cell(std::string_view text);
Cell code_cell(std::string_view text);
Cell number_cell(double value, const std::string& shown);  // NaN sorts last
Cell number_cell(const std::optional<double>& value);
Cell count_cell(long long value);
Cell time_cell(double nanoseconds);

struct Grid {
  std::string caption;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  bool wide = false;   // keeps its columns at their natural width and scrolls
  bool stack = false;  // on a narrow screen its cells stand below each other
};

/// A table whose columns can be sorted and whose rows the page's filter box hides. Without script it is a
/// plain table in the order given. More rows than `fold_after` are put behind a fold (0: never).
std::string table(const Grid& grid, std::size_t fold_after = 0);

/// <section> with its heading and an anchor.
std::string section(std::string_view id, std::string_view title, const std::string& html);

/// <details>, closed unless `open`.
std::string fold(std::string_view summary, const std::string& html, bool open = false);

std::string paragraph(std::string_view text, std::string_view css_class = "");

/// The message of a check: its first line; where a picture of differences follows (validation's difference
/// maps), the picture drawn as a grid of cells with a legend; other lines behind a fold.
std::string message_html(const std::string& message);

/// A horizontal share of a whole, 0 to 1, with its text beside it.
std::string meter(double share, std::string_view text, std::string_view tone = "plain");

/// The share of its roofline that a benchmark reached: the bar ends at the roof, and a share beyond it is
/// named for what it is ("in cache", or "above the ceiling").
Cell roofline_share(const Benchmark& benchmark);

}  // namespace assay::reports::html
