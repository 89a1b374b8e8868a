#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "engine/tensors/block_format.hpp"

namespace assay::kernels::blocks {

template <BlockFormat Format>
using FormatTag = std::integral_constant<BlockFormat, Format>;

/// Calls body(FormatTag<format>()), for bodies that are compiled once for each format.
template <typename Body>
void with_format(BlockFormat format, const Body& body) {
  [&]<std::size_t... At>(std::index_sequence<At...>) {
    (void)((format == block_layouts[At].format && (body(FormatTag<block_layouts[At].format>()), true)) ||
           ...);
  }
  (std::make_index_sequence<block_layouts.size()>());
}

}  // namespace assay::kernels::blocks
