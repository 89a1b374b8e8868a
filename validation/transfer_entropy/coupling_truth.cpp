#include "validation/transfer_entropy/coupling_truth.hpp"

#include <string>

#include "engine/analysis/gaussian_truth.hpp"
#include "engine/analysis/specification.hpp"

namespace assay::validation::transfer_entropy {

namespace {

using analysis::GeneratedSystem;
using analysis::SeriesTable;

/// Entry [a * m + b]: variable a is b, or drives it through any number of others.
std::vector<bool> reaches(const GeneratedSystem& system) {
  const auto m = static_cast<std::size_t>(system.table.columns());
  std::vector<bool> reach(m * m);
  for (std::size_t i = 0; i < m; ++i) reach[i * m + i] = true;
  for (const analysis::TrueEdge& edge : system.edges)
    reach[static_cast<std::size_t>(edge.source) * m + static_cast<std::size_t>(edge.target)] = true;
  for (std::size_t via = 0; via < m; ++via)
    for (std::size_t a = 0; a < m; ++a)
      for (std::size_t b = 0; b < m && reach[a * m + via]; ++b)
        if (reach[via * m + b]) reach[a * m + b] = true;
  return reach;
}

std::vector<Link> links_within(const GeneratedSystem& system) {
  const std::int64_t m = system.table.columns();
  const auto width = static_cast<std::size_t>(m);
  std::vector<Link> links(width * width, Link::none);
  if (system.linear) {
    constexpr double rounding = 1e-12;
    const auto lags = analysis::lagged_covariances(*system.linear, 1);
    for (std::int64_t source = 0; source < m; ++source)
      for (std::int64_t target = 0; target < m; ++target) {
        if (source == target) continue;
        const analysis::TeSpec spec{.sources = {source}, .targets = {target}};
        const auto layout = analysis::layout_of(system.table, spec);
        if (analysis::gaussian_information(m, lags, layout.value()) > rounding)
          links[static_cast<std::size_t>(source * m + target)] = Link::indirect;
      }
  } else {
    const std::vector<bool> reach = reaches(system);
    for (std::size_t driver = 0; driver < width; ++driver)
      for (std::size_t a = 0; a < width; ++a)
        for (std::size_t b = 0; b < width && reach[driver * width + a]; ++b)
          if (reach[driver * width + b]) links[a * width + b] = Link::indirect;
  }
  for (const analysis::TrueEdge& edge : system.edges)
    links[static_cast<std::size_t>(edge.source * m + edge.target)] = Link::direct;
  return links;
}

}  // namespace

Coupling::Coupling(std::span<const GeneratedSystem> blocks) {
  for (const GeneratedSystem& block : blocks) variables_ += block.table.columns();
  links_.assign(static_cast<std::size_t>(variables_ * variables_), Link::none);
  std::int64_t first = 0;
  for (const GeneratedSystem& block : blocks) {
    const std::int64_t m = block.table.columns();
    const std::vector<Link> within = links_within(block);
    for (std::int64_t a = 0; a < m; ++a)
      for (std::int64_t b = 0; b < m; ++b)
        links_[static_cast<std::size_t>((first + a) * variables_ + first + b)] =
            within[static_cast<std::size_t>(a * m + b)];
    first += m;
  }
}

SeriesTable side_by_side(std::span<const SeriesTable> tables) {
  std::int64_t columns = 0;
  for (const SeriesTable& table : tables) columns += table.columns();
  const std::int64_t rows = tables.front().rows();
  SeriesTable made;
  made.values = Tensor(DType::f64, {rows, columns});
  const auto to = made.values.as<double>();
  std::int64_t first = 0;
  for (const SeriesTable& table : tables) {
    const std::int64_t width = table.columns();
    const auto from = table.values.as<double>();
    for (std::int64_t column = 0; column < width; ++column) {
      made.names.push_back("v" + std::to_string(first + column));
      for (std::int64_t row = 0; row < rows; ++row)
        to[static_cast<std::size_t>(row * columns + first + column)] =
            from[static_cast<std::size_t>(row * width + column)];
    }
    first += width;
  }
  return made;
}

SeriesTable side_by_side(std::span<const GeneratedSystem> systems) {
  std::vector<SeriesTable> tables;
  for (const GeneratedSystem& system : systems) {
    SeriesTable& table = tables.emplace_back();
    table.names = system.table.names;
    table.values = system.table.values.clone();
  }
  return side_by_side(std::span<const SeriesTable>(tables));
}

SeriesTable part_of_column(const SeriesTable& table, std::int64_t column, std::int64_t first,
                           std::int64_t rows) {
  SeriesTable made;
  made.names = {table.names.at(static_cast<std::size_t>(column))};
  made.values = Tensor(DType::f64, {rows, 1});
  const auto to = made.values.as<double>();
  const auto from = table.values.as<double>();
  for (std::int64_t row = 0; row < rows; ++row)
    to[static_cast<std::size_t>(row)] =
        from[static_cast<std::size_t>((first + row) * table.columns() + column)];
  return made;
}

}  // namespace assay::validation::transfer_entropy
