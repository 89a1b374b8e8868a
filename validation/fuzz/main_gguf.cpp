/// libFuzzer's target for the reader of GGUF files (`ci/fuzz`): what is refused has a message of one line,
/// what is accepted lies within the file and can be walked to its end.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/llm/gguf/model.hpp"

namespace {

using namespace assay;

/// Ends the run: libFuzzer keeps the input.
void require(bool holds) {
  if (!holds) std::abort();
}

bool within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_refusal(const InputError& error) {
  require(error.message.starts_with("fuzz.gguf: "));
  require(error.message.find('\n') == std::string::npos);
  require(error.message.size() < 1000);  // what a file says is quoted in part
}

/// Walks everything below a value; its elements are as many as it says.
std::uint64_t walk(const gguf::Value& value, std::string_view file, int depth) {
  require(depth <= gguf::max_array_depth);
  require(within(value.bytes, file));
  if (!value.bytes.empty()) require(value.bytes.data() == file.data() + value.offset);
  if (value.type != gguf::ValueType::array) {
    return value.as_unsigned().value_or(value.as_signed().value_or(0)) + value.as_text().value_or("").size();
  }
  std::uint64_t count = 0, sum = 0;
  for (gguf::Elements elements(value);; ++count) {
    const std::optional<gguf::Value> element = elements.next();
    if (!element) break;
    require(element->type == value.element);
    sum += walk(*element, file, depth + 1);
  }
  require(count == value.count);
  return sum;
}

void check_tensor(const gguf::File& file, const gguf::TensorEntry& tensor, std::string_view bytes) {
  const gguf::TensorTypeInfo& type = gguf::info_of(tensor.type);
  require(tensor.rank <= gguf::max_rank && tensor.elements != 0);
  require(tensor.shape[0] % type.block_length == 0);
  require(tensor.data.size() == tensor.elements / type.block_length * type.block_bytes);
  require(within(tensor.data, bytes));
  require(tensor.data.data() == bytes.data() + file.data_offset() + tensor.offset);
  require(tensor.offset % file.alignment() == 0);
  require(file.find_tensor(tensor.name) == &tensor);
  for (const gguf::TensorEntry& other : file.tensors()) {
    require(&other == &tensor || other.offset >= tensor.offset + tensor.data.size() ||
            tensor.offset >= other.offset + other.data.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Result<gguf::File> read = gguf::File::parse("fuzz.gguf", bytes);
  if (!read) {
    check_refusal(read.error());
    require(read.error().byte_offset && *read.error().byte_offset <= size);
    return 0;
  }
  const gguf::File& file = read.value();
  for (const gguf::Metadata& entry : file.metadata()) {
    require(file.find(entry.key) == &entry.value);
    walk(entry.value, bytes, 0);
  }
  for (const gguf::TensorEntry& tensor : file.tensors()) check_tensor(file, tensor, bytes);
  if (const auto part = gguf::split_part_of(file); !part) check_refusal(part.error());
  const Result<gguf::ModelDescription> model =
      gguf::describe_model(gguf::ModelFiles::alone(std::move(read).value()));
  if (!model) {
    check_refusal(model.error());
    return 0;
  }
  require(model.value().num_heads % model.value().num_kv_heads == 0);
  require(model.value().key_length != 0 && model.value().vocabulary != 0);
  return 0;
}
