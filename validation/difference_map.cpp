#include "validation/difference_map.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace assay::validation {

namespace {

struct Grid {
  std::int64_t rows = 1, columns = 1;
};

Grid grid_of(const Shape& shape) {
  Grid grid;
  if (!shape.empty()) grid.columns = shape.back();
  for (std::size_t d = 0; d + 1 < shape.size(); ++d) grid.rows *= shape[d];
  return grid;
}

/// "3, 7 to 9 and 12"; a long list is cut.
std::string list_of(const std::vector<std::int64_t>& rising) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < rising.size();) {
    std::size_t j = i;
    while (j + 1 < rising.size() && rising[j + 1] == rising[j] + 1) ++j;
    parts.push_back(i == j ? std::to_string(rising[i]) : fmt::format("{} to {}", rising[i], rising[j]));
    i = j + 1;
  }
  constexpr std::size_t most = 6;
  const bool cut = parts.size() > most;
  if (cut) parts.resize(most);
  return fmt::format("{}{}", fmt::join(parts, ", "), cut ? ", ..." : "");
}

bool is_run(const std::vector<std::int64_t>& rising) {
  return rising.back() - rising.front() + 1 == static_cast<std::int64_t>(rising.size());
}

std::string ordinal(std::int64_t n) {
  const std::int64_t tens = n % 100, ones = n % 10;
  const bool teen = tens >= 11 && tens <= 13;
  return fmt::format("{}{}", n, teen ? "th" : ones == 1 ? "st" : ones == 2 ? "nd" : ones == 3 ? "rd" : "th");
}

/// "columns 3 to 5", "the last 12 of 200 columns", "every 32nd column from 5 on".
std::string name_lines(const std::vector<std::int64_t>& lines, std::int64_t all, const char* what) {
  const auto many = static_cast<std::int64_t>(lines.size());
  const char* plural = many == 1 ? "" : "s";
  if (is_run(lines)) {
    if (lines.back() == all - 1)
      return many == 1 ? fmt::format("the last of {} {}s", all, what)
                       : fmt::format("the last {} of {} {}s", many, all, what);
    if (lines.front() == 0)
      return many == 1 ? fmt::format("the first of {} {}s", all, what)
                       : fmt::format("the first {} of {} {}s", many, all, what);
  }
  if (many >= 3 && !is_run(lines)) {
    const std::int64_t step = lines[1] - lines[0];
    bool regular = true;
    for (std::size_t i = 1; i < lines.size(); ++i) regular = regular && lines[i] - lines[i - 1] == step;
    if (regular) {
      const std::string first = fmt::format("every {} {}", step == 2 ? "other" : ordinal(step), what);
      return lines.back() + step >= all ? fmt::format("{} from {} on", first, lines.front())
                                        : fmt::format("{} from {} to {}", first, lines.front(), lines.back());
    }
  }
  return fmt::format("{}{} {}", what, plural, list_of(lines));
}

std::string where_of(const Grid& grid, std::span<const std::int64_t> wrong) {
  const std::int64_t elements = grid.rows * grid.columns;
  const auto many = static_cast<std::int64_t>(wrong.size());
  if (many == elements) return elements == 1 ? "its one element" : "everywhere";
  std::vector<std::int64_t> rows, columns;
  for (const std::int64_t index : wrong) {
    if (rows.empty() || rows.back() != index / grid.columns) rows.push_back(index / grid.columns);
    columns.push_back(index % grid.columns);
  }
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  // Some columns in each of some rows: all that is wrong, and nothing else there is right.
  if (static_cast<std::int64_t>(rows.size()) * static_cast<std::int64_t>(columns.size()) == many) {
    if (grid.rows == 1) return name_lines(columns, grid.columns, "element");
    if (static_cast<std::int64_t>(columns.size()) == grid.columns)
      return name_lines(rows, grid.rows, "row") + ", whole";
    if (static_cast<std::int64_t>(rows.size()) == grid.rows)
      return name_lines(columns, grid.columns, "column") + ", in every row";
    return fmt::format("{} of {}", name_lines(columns, grid.columns, "column"),
                       name_lines(rows, grid.rows, "row"));
  }
  if (grid.rows == 1) return fmt::format("scattered, from element {} to {}", columns.front(), columns.back());
  return fmt::format("scattered over {} of {} rows ({} to {}) and {} of {} columns ({} to {})", rows.size(),
                     grid.rows, rows.front(), rows.back(), columns.size(), grid.columns, columns.front(),
                     columns.back());
}

/// The bin that an index of `all` falls into, of `bins`.
std::int64_t bin_of(std::int64_t index, std::int64_t all, std::int64_t bins) {
  return index * bins / all;
}

std::string picture_of(const Grid& grid, std::span<const std::int64_t> wrong) {
  constexpr std::int64_t most_down = 16, most_across = 64;
  const std::int64_t down = std::min(grid.rows, most_down), across = std::min(grid.columns, most_across);
  std::vector<std::int64_t> held(static_cast<std::size_t>(down * across), 0);
  const auto cell = [&](std::int64_t row, std::int64_t column) {
    return static_cast<std::size_t>(bin_of(row, grid.rows, down) * across +
                                    bin_of(column, grid.columns, across));
  };
  for (const std::int64_t index : wrong) ++held[cell(index / grid.columns, index % grid.columns)];
  // How many indices fall into a bin: those i with i * bins / all == b.
  const auto width = [](std::int64_t b, std::int64_t all, std::int64_t bins) {
    return ((b + 1) * all + bins - 1) / bins - (b * all + bins - 1) / bins;
  };
  const std::string size = grid.rows == 1 ? fmt::format("{} elements", grid.columns)
                                          : fmt::format("{} rows x {} columns", grid.rows, grid.columns);
  std::string text = fmt::format("{}, a cell up to {} x {}: '.' some are wrong, '+' half or more, '#' all\n",
                                 size, (grid.rows + down - 1) / down, (grid.columns + across - 1) / across);
  for (std::int64_t r = 0; r < down; ++r) {
    text += fmt::format("{:>8} |", (r * grid.rows + down - 1) / down);
    for (std::int64_t c = 0; c < across; ++c) {
      const std::int64_t bad = held[static_cast<std::size_t>(r * across + c)],
                         all = width(r, grid.rows, down) * width(c, grid.columns, across);
      text += bad == 0 ? ' ' : bad == all ? '#' : 2 * bad >= all ? '+' : '.';
    }
    text += r + 1 < down ? "|\n" : "|";
  }
  return text;
}

}  // namespace

DifferenceMap map_differences(const Shape& shape, std::span<const std::int64_t> wrong) {
  const Grid grid = grid_of(shape);
  // Where one line says it all there is nothing to look at.
  constexpr std::int64_t few = 16;
  const std::int64_t elements = grid.rows * grid.columns;
  const bool plain = elements < few || static_cast<std::int64_t>(wrong.size()) == elements;
  return {where_of(grid, wrong), plain ? "" : picture_of(grid, wrong)};
}

}  // namespace assay::validation
