#include "benchmarks/blocks/matrix.hpp"

#include <algorithm>
#include <cstring>

#include "engine/tensors/half.hpp"

namespace assay::benchmarks::blocks {

namespace {

constexpr std::size_t drawn_blocks = 4096 + 13;

void fill_block(const BlockLayout& layout, std::uint8_t* block, Philox& random) {
  for (int i = 0; i < layout.bytes; ++i) block[i] = static_cast<std::uint8_t>(random.below(256));
  const auto scale = [&] { return 0x1p-10f * (1 + 15 * random.uniform_float()); };
  const auto put_half = [&](int at) {
    const std::uint16_t bits = to_half(scale()).bits;
    std::memcpy(block + at, &bits, sizeof bits);
  };
  if (layout.format == BlockFormat::f16) put_half(0);
  if (layout.scale == BlockScale::binary16) put_half(layout.scale_at);
  if (layout.minimum_at >= 0) put_half(layout.minimum_at);
  if (layout.scale == BlockScale::exponent)
    block[layout.scale_at] = static_cast<std::uint8_t>(117 + random.below(5));
}

}  // namespace

Tensor matrix(BlockFormat format, std::int64_t rows, std::int64_t columns, Philox& random) {
  const BlockLayout& layout = layout_of(format);
  Tensor made(DType::u8, {rows, columns / layout.length * layout.bytes});
  const std::span<std::uint8_t> bytes = made.as<std::uint8_t>();
  const std::size_t drawn = std::min(bytes.size(), drawn_blocks * static_cast<std::size_t>(layout.bytes));
  for (std::size_t at = 0; at < drawn; at += static_cast<std::size_t>(layout.bytes))
    fill_block(layout, bytes.data() + at, random);
  for (std::size_t at = drawn; at < bytes.size(); ++at) bytes[at] = bytes[at - drawn];
  return made;
}

}  // namespace assay::benchmarks::blocks
