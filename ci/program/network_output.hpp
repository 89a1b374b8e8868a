#pragma once

#include <string>

#include "engine/analysis/network.hpp"
#include "engine/io/atomic_write.hpp"
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

/// The documents are handed on piece by piece: those of a large network are longer than what memory holds
/// beside it.
///
/// JSON: matrices are arrays of rows, row the source, column the target, null on the diagonal.
void write_network_json(const NetworkAnswer& answer, const io::Sink& put);
/// CSV: one line an ordered pair.
void write_network_csv(const NetworkAnswer& answer, const io::Sink& put);
/// GraphML: a directed graph, with surrogates the edges that survive the false discovery rate, else all.
void write_network_graphml(const NetworkAnswer& answer, const io::Sink& put);
/// (columns, columns) f64: te_nats, NaN on the diagonal. A view of the network's own memory.
ConstTensorView network_matrix(const NetworkAnswer& answer);
/// The strongest edges for people.
std::string network_text(const NetworkAnswer& answer);

}  // namespace assay::program
