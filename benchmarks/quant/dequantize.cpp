#include <algorithm>
#include <cstring>

#include "benchmarks/suite.hpp"
#include "engine/runtime/philox.hpp"
#include "engine/tensors/block_format.hpp"
#include "engine/tensors/half.hpp"

namespace assay::benchmarks::quant {

namespace {

constexpr std::size_t drawn_blocks =
    4096 + 13;  // repeated beyond that: a draw of all would outlast the measurement

/// Random codes and scales as trained weights have them: from 2^-10 to 2^-6.
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

HostArguments arguments(BlockFormat format, std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  const BlockLayout& layout = layout_of(format);
  Tensor blocks(DType::u8, {rows, columns / layout.length * layout.bytes});
  const std::span<std::uint8_t> bytes = blocks.as<std::uint8_t>();
  const std::size_t drawn = std::min(bytes.size(), drawn_blocks * static_cast<std::size_t>(layout.bytes));
  Philox random(seed);
  for (std::size_t at = 0; at < drawn; at += static_cast<std::size_t>(layout.bytes))
    fill_block(layout, bytes.data() + at, random);
  for (std::size_t at = drawn; at < bytes.size(); ++at) bytes[at] = bytes[at - drawn];
  HostArguments made;
  made.inputs.emplace("blocks", std::move(blocks));
  made.parameters.emplace("format", std::string(layout.name));
  made.parameters.emplace("columns", columns);
  return made;
}

void add(Suite& suite, BlockFormat format, std::int64_t rows, std::int64_t columns, bool quick) {
  Case item;
  item.label = "rows=" + std::to_string(rows) + ",columns=" + std::to_string(columns) + "," +
               std::string(layout_of(format).name);
  item.size = static_cast<double>(rows * columns);
  item.size_name = "elements";
  item.make = [=](std::uint64_t seed) { return arguments(format, rows, columns, seed); };
  // The reference decodes single elements. Blocks are decoded alike and apart: a few rows stand for all.
  item.check_with = [=](std::uint64_t seed) { return arguments(format, 7, columns, seed); };
  item.quick = quick;
  suite.add(std::move(item));
}

}  // namespace

void describe_dequantize(Suite& suite) {
  for (const BlockFormat format : {BlockFormat::f16, BlockFormat::q4_0, BlockFormat::q8_0, BlockFormat::q4_k,
                                   BlockFormat::q6_k, BlockFormat::mxfp4}) {
    add(suite, format, 4096, 14336, true);  // a feed-forward matrix of Llama 3 8B
    // An expert's matrices of GPT-OSS are 2880 wide, which no block of 256 fills: rows of 11 blocks instead.
    add(suite, format, 5760, layout_of(format).length == 256 ? 2816 : 2880, false);
  }
}

}  // namespace assay::benchmarks::quant
