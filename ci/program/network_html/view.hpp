#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ci/program/network_html/clustering.hpp"
#include "ci/program/network_page.hpp"

/// The parts of the page of a network; ci/program/network_page.hpp is what the program calls.
namespace assay::program::network_html {

struct Pair {
  std::size_t source = 0, target = 0;
  double strength = 0;  ///< nats
};

/// What the sections share: the input with what is found in it once.
struct View {
  /// Throws std::invalid_argument as network_page does.
  explicit View(const NetworkPageInput& from);

  std::size_t count() const { return input.names.size(); }
  std::size_t pairs() const { return count() * (count() - 1); }
  bool tested() const { return static_cast<bool>(input.p_value); }
  /// NaN on the diagonal and where there is no value.
  double te(std::size_t source, std::size_t target) const;
  /// Nats: the effective value where there are surrogates, else te. What edges are ordered and drawn by.
  double strength(std::size_t source, std::size_t target) const;
  bool significant(std::size_t source, std::size_t target) const;

  const NetworkPageInput& input;
  std::vector<std::string> names;  ///< well-formed UTF-8, none empty

  std::size_t values = 0;    ///< finite ones
  std::size_t negative = 0;  ///< values below 0
  std::size_t survivors = 0;
  double lowest = 0, highest = 0;  ///< of the values, nats
  double scale_end = 1;            ///< nats at which the colours end: see colours.hpp

  std::vector<Pair> edges;  ///< the graph's: survivors, or without surrogates the strongest; strongest first
  std::size_t edge_total = 0;   ///< how many there are to choose from
  std::vector<Pair> strongest;  ///< the table's: survivors first
  Clustering clustering;
};

/// At most `most` columns of text: what is longer loses its middle. Wide letters count as two.
std::string shortened(const std::string& name, std::size_t most);
/// Columns of text that it takes.
std::size_t text_columns(std::string_view name);

/// The name for a place in HTML or SVG: shortened and escaped.
std::string label(const View& view, std::size_t index, std::size_t most = 60);

}  // namespace assay::program::network_html
