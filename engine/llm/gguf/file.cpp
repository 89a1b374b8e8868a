#include "engine/llm/gguf/file.hpp"

#include <algorithm>
#include <new>

#include "engine/llm/gguf/file_reader.hpp"

namespace assay::gguf {

Result<File> File::open(const std::string& path) {
  Result<io::MappedFile> mapping = io::MappedFile::open(path);
  if (!mapping) return mapping.error();
  const std::string_view bytes = mapping.value().view();
  Result<File> file = parse(path, bytes);
  if (file) file.value().mapping_ = std::move(mapping).value();
  return file;
}

Result<File> File::parse(const std::string& name, std::string_view bytes) {
  try {
    File file;
    file.path_ = name;
    file.bytes_ = bytes;
    FileReader reader(file);
    if (!reader.read()) return reader.take_error();
    return file;
  } catch (const std::bad_alloc&) {
    return InputError{
        InputError::Code::too_large, name + ": the header does not fit into memory", {}, {}, {}};
  }
}

std::string_view File::tensor_data() const {
  std::uint64_t end = 0;
  for (const TensorEntry& tensor : tensors_) end = std::max(end, tensor.offset + tensor.data.size());
  return end == 0 ? std::string_view() : bytes_.substr(data_offset_, end);
}

std::string_view File::stored(const Metadata& entry) const {
  return bytes_.substr(entry.offset, entry.value.offset + entry.value.bytes.size() - entry.offset);
}

const Value* File::find(std::string_view key) const {
  const auto at = std::ranges::lower_bound(by_key_, key, {}, [&](std::size_t i) { return metadata_[i].key; });
  return at != by_key_.end() && metadata_[*at].key == key ? &metadata_[*at].value : nullptr;
}

const TensorEntry* File::find_tensor(std::string_view name) const {
  const auto at =
      std::ranges::lower_bound(by_name_, name, {}, [&](std::size_t i) { return tensors_[i].name; });
  return at != by_name_.end() && tensors_[*at].name == name ? &tensors_[*at] : nullptr;
}

}  // namespace assay::gguf
