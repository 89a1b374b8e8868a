#include "engine/llm/gguf/tensor_values.hpp"

#include <algorithm>
#include <vector>

#include "engine/llm/gguf/plain_values.hpp"
#include "engine/tensors/block_format.hpp"

namespace assay::gguf {
namespace {

void read_plain(const TensorEntry& tensor, const ReceiveValues& receive) {
  const std::uint64_t size = info_of(tensor.type).block_bytes;
  std::vector<float> values(std::min(piece_elements, tensor.elements));
  for (std::uint64_t done = 0; done < tensor.elements; done += values.size()) {
    values.resize(std::min<std::uint64_t>(values.size(), tensor.elements - done));
    convert_plain(tensor.type, tensor.data.substr(done * size, values.size() * size), values);
    receive(values);
  }
}

/// Blocks of all rows follow each other, so that any number of them is a row to decode.
void read_blocks(const TensorEntry& tensor, BlockFormat format, const RunOperation& run,
                 const ReceiveValues& receive) {
  const Operation& operation = *find_operation("quant.dequantize");
  const BlockLayout& layout = layout_of(format);
  const auto length = static_cast<std::uint64_t>(layout.length),
             bytes = static_cast<std::uint64_t>(layout.bytes);
  for (std::uint64_t done = 0; done < tensor.elements; done += piece_elements) {
    const std::uint64_t count = std::min(piece_elements, tensor.elements - done);
    const std::string_view blocks = tensor.data.substr(done / length * bytes, count / length * bytes);
    Arguments arguments;
    arguments.inputs.emplace("blocks", view_of(reinterpret_cast<const std::uint8_t*>(blocks.data()),
                                               {1, static_cast<std::int64_t>(blocks.size())}));
    arguments.parameters.emplace("format", std::string(layout.name));
    arguments.parameters.emplace("columns", static_cast<std::int64_t>(count));
    const std::map<std::string, Tensor> outputs = run(operation, arguments);
    const ConstTensorView values = outputs.at("values").view();
    if (values.dtype == DType::f32) {
      receive(values.as<float>());
      continue;
    }
    const auto exact = values.as<double>();  // the reference's: floats, widened
    receive(std::vector<float>(exact.begin(), exact.end()));
  }
}

}  // namespace

void read_values(const TensorEntry& tensor, const RunOperation& run, const ReceiveValues& receive) {
  const std::optional<BlockFormat> format = block_format_of_ggml(static_cast<std::uint32_t>(tensor.type));
  // The operation converts 16-bit numbers by all threads; floats need no conversion.
  if (run && format && tensor.type != TensorType::f32)
    read_blocks(tensor, *format, run, receive);
  else
    read_plain(tensor, receive);
}

}  // namespace assay::gguf
