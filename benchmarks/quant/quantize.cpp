#include <algorithm>

#include "benchmarks/blocks/element_cases.hpp"
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

}  // namespace

void describe_quantize(Suite& suite) {
  for (const BlockFormat format : encoded_formats) {
    const bool searches = layout_of(format).length == 256;  // for a second in the first matrix
    blocks::add_element_cases(suite, format, 3, !searches, arguments);
  }
}

}  // namespace assay::benchmarks::quant
