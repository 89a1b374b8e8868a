#include <algorithm>

#include "benchmarks/suite.hpp"
#include "engine/runtime/philox.hpp"
#include "engine/tensors/block_format.hpp"

namespace assay::benchmarks::quant {

namespace {

/// Normal numbers of the size of trained weights. Repeated after so many, a number that shares no factor with
/// a block: a draw of all would outlast the measurement.
constexpr std::size_t drawn_values = 1048573;

HostArguments arguments(BlockFormat format, std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Tensor tensor(DType::f32, {rows, columns});
  const std::span<float> values = tensor.as<float>();
  const std::size_t drawn = std::min(values.size(), drawn_values);
  Philox random(seed);
  for (std::size_t i = 0; i < drawn; ++i) values[i] = 0.02f * static_cast<float>(random.normal());
  for (std::size_t i = drawn; i < values.size(); ++i) values[i] = values[i - drawn];
  HostArguments made;
  made.inputs.emplace("values", std::move(tensor));
  made.parameters.emplace("format", std::string(layout_of(format).name));
  return made;
}

void add(Suite& suite, BlockFormat format, std::int64_t rows, std::int64_t columns, bool quick) {
  Case item;
  item.label = "rows=" + std::to_string(rows) + ",columns=" + std::to_string(columns) + "," +
               std::string(layout_of(format).name);
  item.size = static_cast<double>(rows * columns);
  item.size_name = "elements";
  item.make = [=](std::uint64_t seed) { return arguments(format, rows, columns, seed); };
  // The reference encodes single blocks, alike and apart: a few rows stand for all.
  item.check_with = [=](std::uint64_t seed) { return arguments(format, 3, columns, seed); };
  item.quick = quick;
  suite.add(std::move(item));
}

}  // namespace

void describe_quantize(Suite& suite) {
  for (const BlockFormat format : encoded_formats) {
    const bool is_long = layout_of(format).length == 256;
    // A feed-forward matrix of Llama 3 8B. The searches of the long formats take a second of it.
    add(suite, format, 4096, 14336, !is_long);
    // An expert's matrices of GPT-OSS are 2880 wide, which no block of 256 fills: rows of 11 blocks instead.
    add(suite, format, 5760, is_long ? 2816 : 2880, false);
  }
}

}  // namespace assay::benchmarks::quant
