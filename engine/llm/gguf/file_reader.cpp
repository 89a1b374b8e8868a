#include "engine/llm/gguf/file_reader.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "engine/io/bytes.hpp"
#include "engine/llm/gguf/read_value.hpp"

namespace assay::gguf {
namespace {

constexpr std::uint64_t most_elements = std::numeric_limits<std::int64_t>::max();
/// The least that an entry takes in a file. Metadata: length of the key, one byte of it, type, one byte.
constexpr std::uint64_t least_metadata_bytes = 8 + 1 + 4 + 1;
/// Length of the name, one byte of it, number of dimensions, type, offset.
constexpr std::uint64_t least_tensor_bytes = 8 + 1 + 4 + 4 + 8;

std::string quoted(std::string_view name) {
  return "'" + io::printable(name, max_tensor_name_bytes) + "'";
}

/// The product, or nothing where it is above `most_elements`.
std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
  if (b != 0 && a > most_elements / b) return std::nullopt;
  return a * b;
}

/// The indices of `count` items by rising name; equal names by rising index.
template <typename NameOf>
std::vector<std::size_t> sorted_by_name(std::size_t count, const NameOf& name_of) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int difference = name_of(a).compare(name_of(b));
    return difference != 0 ? difference < 0 : a < b;
  });
  return order;
}

/// The first item in the order of the file whose name an earlier one has.
template <typename NameOf>
std::optional<std::size_t> first_repeated(const std::vector<std::size_t>& order, const NameOf& name_of) {
  std::optional<std::size_t> first;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (name_of(order[i]) == name_of(order[i - 1])) first = std::min(first.value_or(order[i]), order[i]);
  }
  return first;
}

}  // namespace

bool FileReader::fail(std::uint64_t offset, const std::string& what) {
  error_ = InputError{InputError::Code::malformed, file_.path_ + ": " + what, offset, {}, {}};
  return false;
}

bool FileReader::refuse(const std::string& field, const std::string& value, std::uint64_t offset,
                        const std::string& expected) {
  return fail(offset,
              field + " is " + value + " at byte " + std::to_string(offset) + ", expected " + expected);
}

template <typename T>
bool FileReader::take(T& value, const std::string& field) {
  if (cursor_.take(value)) return true;
  return fail(cursor_.at(), "the file ends at byte " + std::to_string(file_.bytes_.size()) + " inside " +
                                field + ", which begins at byte " + std::to_string(cursor_.at()));
}

bool FileReader::take_name(std::string_view& name, std::uint64_t most, const std::string& field) {
  const std::uint64_t at = cursor_.at();
  std::uint64_t length = 0;
  if (!take(length, field + " length")) return false;
  if (length == 0 || length > most)
    return refuse(field + " length", length, at, "1 to " + std::to_string(most));
  if (cursor_.take(length, name)) return true;
  return refuse(field + " length", length, at,
                "at most " + std::to_string(cursor_.remaining()) + ", the bytes that are left");
}

bool FileReader::read() {
  return read_header() && read_metadata() && index_metadata() && read_alignment() && read_tensors() &&
         index_tensors() && place_tensors();
}

bool FileReader::read_header() {
  std::string_view magic;
  if (file_.bytes_.empty()) return fail(0, "is empty, expected a GGUF file");
  if (!cursor_.take(4, magic)) {
    return fail(0, "has " + std::to_string(file_.bytes_.size()) + " bytes, expected a GGUF file");
  }
  if (magic != "GGUF") {
    const bool older = magic == "lmgg" || magic == "fmgg" || magic == "tjgg" || magic == "algg";
    return refuse("magic", quoted(magic), 0,
                  older ? "'GGUF': this is an older format of ggml, which is not read" : "'GGUF'");
  }
  std::uint32_t version = 0;
  if (!take(version, "version")) return false;
  if (version != 0 && (version & 0xFFFF) == 0) {
    return refuse("version", version, 4, "2 or 3: the file is big-endian, only little-endian ones are read");
  }
  if (version != 2 && version != 3) {
    return refuse("version", version, 4,
                  version == 1 ? "2 or 3: version 1 has another layout and is not read" : "2 or 3");
  }
  file_.version_ = version;
  if (!take(tensor_count_, "tensor count") || !take(metadata_count_, "metadata count")) return false;
  const std::uint64_t most_tensors = cursor_.remaining() / least_tensor_bytes;
  if (tensor_count_ > most_tensors) {
    return refuse("tensor count", tensor_count_, 8,
                  "at most " + std::to_string(most_tensors) + ", for which bytes are left");
  }
  const std::uint64_t most_metadata = cursor_.remaining() / least_metadata_bytes;
  if (metadata_count_ > most_metadata) {
    return refuse("metadata count", metadata_count_, 16,
                  "at most " + std::to_string(most_metadata) + ", for which bytes are left");
  }
  return true;
}

bool FileReader::read_metadata() {
  for (std::uint64_t i = 0; i < metadata_count_; ++i) {
    if (!read_entry(file_.metadata_.emplace_back(), i)) return false;
  }
  return true;
}

bool FileReader::read_entry(Metadata& entry, std::uint64_t index) {
  entry.offset = cursor_.at();
  const std::string number = "key " + std::to_string(index);
  if (!take_name(entry.key, max_key_bytes, number)) return false;
  const std::string field = "key " + quoted(entry.key);
  const std::uint64_t type_at = cursor_.at();
  std::uint32_t type = 0;
  if (!take(type, field + ": value type")) return false;
  if (type >= value_type_count) return refuse(field + ": value type", type, type_at, "0 to 12");
  const ValueProblem problem = read_value(cursor_, type, entry.value);
  return problem.text.empty() || fail(problem.offset, field + ": " + problem.text);
}

bool FileReader::index_metadata() {
  const auto key_of = [&](std::size_t i) { return file_.metadata_[i].key; };
  file_.by_key_ = sorted_by_name(file_.metadata_.size(), key_of);
  const std::optional<std::size_t> repeated = first_repeated(file_.by_key_, key_of);
  if (!repeated) return true;
  const Metadata& entry = file_.metadata_[*repeated];
  return refuse("key " + std::to_string(*repeated), quoted(entry.key), entry.offset,
                "a key that the file does not have already");
}

bool FileReader::read_alignment() {
  const Value* value = file_.find("general.alignment");
  if (value == nullptr) return true;
  const std::string field = "general.alignment";
  if (value->type != ValueType::uint32) {
    return refuse(field, "of type " + std::string(name_of(value->type)), value->offset, "a uint32");
  }
  const std::uint64_t alignment = *value->as_unsigned();
  if (!std::has_single_bit(alignment)) return refuse(field, alignment, value->offset, "a power of two");
  file_.alignment_ = alignment;
  return true;
}

bool FileReader::read_tensors() {
  const std::uint64_t most = cursor_.remaining() / least_tensor_bytes;
  if (tensor_count_ > most) {
    return refuse("tensor count", tensor_count_, 8,
                  "at most " + std::to_string(most) + ", for which bytes are left after the metadata");
  }
  for (std::uint64_t i = 0; i < tensor_count_; ++i) {
    if (!read_tensor(file_.tensors_.emplace_back(), i)) return false;
  }
  return true;
}

bool FileReader::read_tensor(TensorEntry& tensor, std::uint64_t index) {
  tensor_at_.push_back(cursor_.at());
  if (!take_name(tensor.name, max_tensor_name_bytes, "tensor " + std::to_string(index) + ": name"))
    return false;
  const std::string field = "tensor " + quoted(tensor.name);
  const std::uint64_t shape_at = cursor_.at() + sizeof tensor.rank;
  if (!read_shape(tensor, field)) return false;

  const std::uint64_t type_at = cursor_.at();
  std::uint32_t number = 0;
  if (!take(number, field + ": type")) return false;
  const TensorTypeInfo* info = find_tensor_type(number);
  if (info == nullptr) {
    return refuse(field + ": type",
                  std::to_string(number) + " (" + std::string(refused_tensor_type(number)) + ")", type_at,
                  "the number of one of ggml's types");
  }
  tensor.type = info->type;
  if (tensor.shape[0] % info->block_length != 0) {
    return refuse(field + ": row length", tensor.shape[0], shape_at,
                  "a multiple of " + std::to_string(info->block_length) + ", the block length of " +
                      std::string(info->name));
  }
  const std::optional<std::uint64_t> bytes = product(tensor.elements / info->block_length, info->block_bytes);
  if (!bytes) {
    return refuse(field + ": size",
                  std::to_string(tensor.elements) + " elements of " + std::string(info->name), shape_at,
                  "at most 2^63 - 1 bytes");
  }
  tensor_bytes_.push_back(*bytes);
  tensor_offset_at_.push_back(cursor_.at());
  return take(tensor.offset, field + ": offset");
}

bool FileReader::read_shape(TensorEntry& tensor, const std::string& field) {
  const std::uint64_t rank_at = cursor_.at();
  if (!take(tensor.rank, field + ": number of dimensions")) return false;
  if (tensor.rank > max_rank) {
    return refuse(field + ": number of dimensions", tensor.rank, rank_at,
                  "at most " + std::to_string(max_rank));
  }
  for (std::uint32_t axis = 0; axis < tensor.rank; ++axis) {
    const std::uint64_t at = cursor_.at();
    const std::string extent = field + ": dimension " + std::to_string(axis);
    if (!take(tensor.shape[axis], extent)) return false;
    if (tensor.shape[axis] == 0 || tensor.shape[axis] > most_elements) {
      return refuse(extent, tensor.shape[axis], at, "1 to 2^63 - 1");
    }
    const std::optional<std::uint64_t> elements = product(tensor.elements, tensor.shape[axis]);
    if (!elements) {
      return refuse(extent, tensor.shape[axis], at,
                    "a product of the dimensions of at most 2^63 - 1 elements");
    }
    tensor.elements = *elements;
  }
  return true;
}

bool FileReader::index_tensors() {
  const auto tensor_name = [&](std::size_t i) { return file_.tensors_[i].name; };
  file_.by_name_ = sorted_by_name(file_.tensors_.size(), tensor_name);
  const std::optional<std::size_t> repeated = first_repeated(file_.by_name_, tensor_name);
  if (!repeated) return true;
  return refuse("tensor " + std::to_string(*repeated) + ": name", quoted(tensor_name(*repeated)),
                tensor_at_[*repeated], "a name that the file does not have already");
}

bool FileReader::place_tensors() {
  const std::uint64_t size = file_.bytes_.size();
  const std::uint64_t step = file_.alignment_;
  // Neither sum can wrap: a file has under 2^63 bytes, and the alignment is a uint32.
  file_.data_offset_ = (cursor_.at() + step - 1) / step * step;
  const std::uint64_t data_bytes = size > file_.data_offset_ ? size - file_.data_offset_ : 0;

  for (std::size_t i = 0; i < file_.tensors_.size(); ++i) {
    TensorEntry& tensor = file_.tensors_[i];
    const std::string field = "tensor " + quoted(tensor.name) + ": offset";
    if (tensor.offset % step != 0) {
      return refuse(field, tensor.offset, tensor_offset_at_[i],
                    "a multiple of the alignment, " + std::to_string(step));
    }
    if (tensor.offset > data_bytes || tensor_bytes_[i] > data_bytes - tensor.offset) {
      return fail(tensor_offset_at_[i], field + " is " + std::to_string(tensor.offset) + " at byte " +
                                            std::to_string(tensor_offset_at_[i]) + ", and " +
                                            std::to_string(tensor_bytes_[i]) +
                                            " bytes from there end after the " + std::to_string(data_bytes) +
                                            " bytes of tensor data in the file");
    }
    tensor.data = file_.bytes_.substr(file_.data_offset_ + tensor.offset, tensor_bytes_[i]);
  }

  std::vector<std::size_t> order(file_.tensors_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(file_.tensors_[i].offset, i); });
  std::uint64_t end = 0;  // of the tensors so far, from the beginning of the data
  for (std::size_t i = 0; i < order.size(); ++i) {
    const TensorEntry& tensor = file_.tensors_[order[i]];
    if (tensor.offset < end) {
      const TensorEntry& before = file_.tensors_[order[i - 1]];
      return refuse("tensor " + quoted(tensor.name) + ": offset", tensor.offset, tensor_offset_at_[order[i]],
                    "at least " + std::to_string(end) + ", where tensor " + quoted(before.name) +
                        " ends: the two overlap");
    }
    end = tensor.offset + tensor.data.size();
  }
  const std::uint64_t padded = (end + step - 1) / step * step;
  file_.trailing_bytes_ = data_bytes > padded ? data_bytes - padded : 0;
  return true;
}

}  // namespace assay::gguf
