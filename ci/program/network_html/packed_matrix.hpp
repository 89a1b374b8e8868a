#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ci/program/network_html/view.hpp"

namespace assay::program::network_html {

/// A matrix in leaf order small enough to travel in a page: a byte a block of cells, and a bit.
struct PackedMatrix {
  std::size_t block = 1;            ///< columns of the network a row or column of this matrix stands for
  std::size_t count = 0;            ///< rows and columns
  double largest = 1;               ///< nats: the |value| of codes 0 and 254
  double lowest = 0, highest = 0;   ///< of the blocks, nats
  double scale_end = 1;             ///< as a View's, but of the blocks: the largest of many is larger
  std::vector<std::uint8_t> codes;  ///< (count, count): the largest value of the block, or 255: it has none
  std::vector<std::uint8_t>
      marks;  ///< bit i % 8 of byte i / 8: a cell of block i survives the discovery rate
};

/// Blocks are as small as leaves at most `most` rows.
PackedMatrix packed_matrix(const View& view, std::size_t most);

/// 127 for 0; the root of |value| is kept in steps, so that small values are told apart too. Codes rise with
/// values. Error: at most (sqrt(|value| largest) + largest / 508) / 127.
std::uint8_t code_of(double value, double largest);
double value_of(std::uint8_t code, double largest);

/// RFC 4648.
std::string base64(const std::vector<std::uint8_t>& bytes);

}  // namespace assay::program::network_html
