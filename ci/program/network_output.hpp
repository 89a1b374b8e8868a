#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "engine/analysis/network.hpp"
#include "engine/tensors/tensor.hpp"

namespace assay::program {

/// A network with what it came from.
struct NetworkAnswer {
  const analysis::SeriesTable& table;
  const analysis::NetworkOptions& options;
  analysis::Network network;
  std::string backend;
  std::string device;
  double elapsed_ms = 0;
};

/// Matrices are arrays of rows: row the source, column the target, null on the diagonal.
nlohmann::ordered_json network_json(const NetworkAnswer& answer);
/// One line an ordered pair.
std::string network_csv(const NetworkAnswer& answer);
/// A directed graph: with surrogates the edges that survive the false discovery rate, else all.
std::string network_graphml(const NetworkAnswer& answer);
/// (columns, columns) f64: te_nats, NaN on the diagonal.
Tensor network_matrix(const NetworkAnswer& answer);
/// The strongest edges for people.
std::string network_text(const NetworkAnswer& answer);

}  // namespace assay::program
