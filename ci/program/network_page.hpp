#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace assay::program {

/// What the page of a network is made from. A number of a pair is asked for by the places of its source and
/// its target among the names, never of a column with itself; what there is none of is left empty.
struct NetworkPageInput {
  template <typename Number>
  using OfPair = std::function<Number(std::size_t source, std::size_t target)>;

  std::vector<std::string> names;  ///< of the columns; any bytes
  OfPair<double> te;               ///< nats; NaN where there is no value

  // With surrogates: all three.
  OfPair<double> p_value = {};
  OfPair<double> effective = {};    ///< nats: te less the mean of its surrogates
  OfPair<bool> significant = {};    ///< survives the false discovery rate
  OfPair<std::int64_t> delay = {};  ///< where delays were scanned: the one at which te was found

  std::string data;          ///< where the series came from
  std::int64_t samples = 0;  ///< observations of a pair
  std::int64_t k = 4;
  std::int64_t algorithm = 1;
  std::int64_t surrogates = 0;  ///< of each pair; 0: none
  std::string surrogate_method = {};
  double fdr = 0.05;
  std::string backend;
  std::string device;
  double elapsed_ms = 0;
  std::uint64_t seed = 0;
};

/// One self-contained HTML page: summary, clustered matrix, graph, p-values, strongest pairs, delays. No
/// network access; the same input gives the same bytes. Below 5 MB up to 10,000 columns: above 150 the matrix
/// is kept in 8 bits a cell, above 1,500 in blocks of cells, and the page says so. Throws
/// std::invalid_argument without te, or with a p_value that lacks the other two.
std::string network_page(const NetworkPageInput& input);

}  // namespace assay::program
