#include "ci/program/gguf_text.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "ci/program/gguf_json.hpp"
#include "engine/io/bytes.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

using Put = std::function<void(std::string_view)>;

constexpr std::size_t shown_elements = 4;  ///< of an array
constexpr std::size_t shown_text = 60;     ///< characters of a value

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  std::string_view unit;
  for (const std::string_view next : {"KiB", "MiB", "GiB", "TiB", "PiB"}) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return fmt::format("{:.1f} {}", value, unit);
}

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

/// Bytes of the UTF-8 character that text begins with and that a terminal shows as it is; 0 for anything
/// else: what is no UTF-8, control characters, and those that turn the direction of writing.
std::size_t shown_character(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  if (byte(0) < 0x80) return byte(0) >= 0x20 && byte(0) != 0x7f ? 1 : 0;
  const std::size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < length) return 0;
  std::uint32_t point = byte(0) & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    point = point << 6 | (byte(i) & 0x3f);
  }
  static constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool legal = point >= least[length] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
  const bool turns = (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
                     (point >= 0x2066 && point <= 0x2069);
  return legal && point >= 0xa0 && !turns ? length : 0;
}

/// Text for a terminal, cut after about `limit` bytes.
std::string shown(std::string_view text, std::size_t limit) {
  std::string out;
  while (!text.empty()) {
    if (out.size() >= limit) return out + "...";
    const std::size_t length = shown_character(text);
    out += length != 0 ? std::string(text.substr(0, length)) : io::printable(text.substr(0, 1));
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string shape_text(const gguf::TensorEntry& tensor) {
  if (tensor.rank == 0) return "scalar";
  std::string text;
  for (std::uint32_t axis = 0; axis < tensor.rank; ++axis) {
    text += (axis == 0 ? "" : " x ") + std::to_string(tensor.shape[axis]);
  }
  return text;
}

std::string value_text(const gguf::Value& value) {
  if (const auto text = value.as_text()) return "\"" + shown(*text, shown_text) + "\"";
  if (value.type != gguf::ValueType::array) return gguf_scalar_json(value);
  std::string text = "[";
  gguf::Elements elements(value);
  for (std::size_t i = 0; i < shown_elements; ++i) {
    const std::optional<gguf::Value> element = elements.next();
    if (!element) break;
    if (i != 0) text += ", ";
    // Of an array in an array its length is enough.
    text += element->type == gguf::ValueType::array ? fmt::format("[{} elements]", element->count)
                                                    : value_text(*element);
  }
  return text + (value.count > shown_elements ? ", ...]" : "]");
}

/// The name with numbers between dots as "*": blk.7.attn_q.weight and blk.8.attn_q.weight are of one kind.
std::string kind_of(std::string_view name) {
  std::string kind;
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    const std::string_view word = name.substr(begin, end - begin);
    const bool number =
        !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
    kind += (begin == 0 ? "" : ".");
    kind += number ? std::string_view("*") : word;
    begin = end + 1;
  }
  return kind;
}

/// Rows of cells in columns as wide as their widest cell; numbers stand to the right.
class Table {
 public:
  explicit Table(std::string alignments)
      : alignments_(std::move(alignments)), widths_(alignments_.size(), 0) {}
  void row(std::vector<std::string> cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], cells[i].size());
    rows_.push_back(std::move(cells));
  }
  void print(const Put& put) const {
    for (const std::vector<std::string>& cells : rows_) {
      std::string line = " ";
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string gap(widths_[i] - cells[i].size(), ' ');
        line += " " + (alignments_[i] == 'r' ? gap + cells[i] : cells[i] + gap) + " ";
      }
      line.erase(line.find_last_not_of(' ') + 1);
      put(line + "\n");
    }
  }

 private:
  std::string alignments_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

void put_model(const gguf::ModelDescription& model, const Put& put) {
  put(fmt::format(
      "  {}{}: {} layers, embedding {}, {} heads ({} for keys and values) of {}, context {}, vocabulary {}\n",
      gguf::name_of(model.architecture), model.name.empty() ? "" : " \"" + model.name + "\"",
      model.num_layers, model.embedding_length, model.num_heads, model.num_kv_heads, model.key_length,
      model.context_length, model.vocabulary));
  std::string line =
      model.feed_forward_length == 0 ? "" : fmt::format("feed-forward {}, ", model.feed_forward_length);
  if (model.experts.count != 0) {
    line += fmt::format("{} of {} experts of {}, ", model.experts.used, model.experts.count,
                        model.experts.feed_forward_length);
  }
  if (model.sliding_window != 0) line += fmt::format("sliding window {}, ", model.sliding_window);
  line += fmt::format("{} (epsilon {:g})",
                      model.normalisation == gguf::Normalisation::layer_norm ? "layer norm" : "RMS norm",
                      model.norm_epsilon);
  line += model.rope ? fmt::format(", RoPE over {} of theta {:g}", model.rope->dimensions, model.rope->theta)
                     : std::string(", learnt positions");
  put("  " + line + (model.tied_output ? ", output tied to the embedding" : "") + "\n");
}

void put_metadata(const gguf::File& file, const Put& put) {
  put(fmt::format("\nMetadata: {} keys\n", file.metadata().size()));
  Table table("lll");
  for (const gguf::Metadata& entry : file.metadata()) {
    const std::string type = entry.value.type == gguf::ValueType::array
                                 ? fmt::format("{} {}", entry.value.count, gguf::name_of(entry.value.element))
                                 : std::string(gguf::name_of(entry.value.type));
    table.row({io::printable(entry.key, 80), type, value_text(entry.value)});
  }
  table.print(put);
}

struct Sum {
  std::uint64_t tensors = 0, elements = 0, bytes = 0;
  void add(const gguf::TensorEntry& tensor) {
    ++tensors;
    elements += tensor.elements;
    bytes += tensor.data.size();
  }
};

/// Each tensor of each part.
template <typename Visit>
void for_each_tensor(const gguf::ModelFiles& files, const Visit& visit) {
  for (const gguf::File& part : files.parts()) {
    for (const gguf::TensorEntry& tensor : part.tensors()) visit(tensor);
  }
}

void put_types(const gguf::ModelFiles& files, const Sum& all, const Put& put) {
  std::map<gguf::TensorType, Sum> types;
  for_each_tensor(files, [&](const gguf::TensorEntry& tensor) { types[tensor.type].add(tensor); });
  put("\nSizes by type\n");
  Table table("lrrrr");
  table.row({"type", "tensors", "elements", "size", "share"});
  std::vector<std::pair<gguf::TensorType, Sum>> ordered(types.begin(), types.end());
  std::ranges::stable_sort(ordered, std::greater{}, [](const auto& item) { return item.second.bytes; });
  for (const auto& [type, sum] : ordered) {
    table.row(
        {std::string(gguf::info_of(type).name), grouped(sum.tensors), grouped(sum.elements),
         size_text(sum.bytes),
         fmt::format("{:.1f} %", 100.0 * static_cast<double>(sum.bytes) / static_cast<double>(all.bytes))});
  }
  table.print(put);
}

void put_kinds(const gguf::ModelFiles& files, const Put& put) {
  using Key = std::tuple<std::string, std::string, gguf::TensorType>;
  std::map<Key, std::size_t> place;
  std::vector<std::pair<Key, Sum>> kinds;  // in the order of the file
  for_each_tensor(files, [&](const gguf::TensorEntry& tensor) {
    Key key{kind_of(tensor.name), shape_text(tensor), tensor.type};
    const auto [at, fresh] = place.try_emplace(key, kinds.size());
    if (fresh) kinds.emplace_back(std::move(key), Sum{});
    kinds[at->second].second.add(tensor);
  });
  put("\nTensors by kind (* stands for a number)\n");
  Table table("lrllr");
  table.row({"kind", "tensors", "type", "shape", "size"});
  for (const auto& [key, sum] : kinds) {
    table.row({io::printable(std::get<0>(key), 80), grouped(sum.tensors),
               std::string(gguf::info_of(std::get<2>(key)).name), std::get<1>(key), size_text(sum.bytes)});
  }
  table.print(put);
}

void put_each(const gguf::ModelFiles& files, const Put& put) {
  put("\nTensors\n");
  Table table("lllrr");
  table.row({"name", "type", "shape", "offset", "bytes"});
  for_each_tensor(files, [&](const gguf::TensorEntry& tensor) {
    table.row({io::printable(tensor.name, 80), std::string(gguf::info_of(tensor.type).name),
               shape_text(tensor), std::to_string(tensor.offset), std::to_string(tensor.data.size())});
  });
  table.print(put);
}

}  // namespace

void write_gguf_text(const GgufInput& input, const Result<gguf::ModelDescription>& model, bool each_tensor,
                     const Put& put) {
  const gguf::File& first = input.files.parts().front();
  std::uint64_t bytes = 0;
  for (const gguf::File& part : input.files.parts()) bytes += part.bytes();
  Sum all;
  for_each_tensor(input.files, [&](const gguf::TensorEntry& tensor) { all.add(tensor); });

  put(fmt::format(
      "{}: GGUF version {}, {}{}, alignment {}\n", first.path(), first.version(), size_text(bytes),
      input.files.parts().size() == 1 ? "" : fmt::format(" in {} parts", input.files.parts().size()),
      first.alignment()));
  if (model)
    put_model(model.value(), put);
  else
    put("  no model: " +
        model.error().message.substr(std::min(first.path().size() + 2, model.error().message.size())) + "\n");
  if (all.tensors == 0) {
    put("  no tensors\n");
  } else {
    put(fmt::format("  {} elements in {} tensors, {:.2f} bits each on average\n", grouped(all.elements),
                    grouped(all.tensors),
                    8.0 * static_cast<double>(all.bytes) / static_cast<double>(all.elements)));
  }
  put_metadata(first, put);
  if (all.tensors == 0) return;
  put_types(input.files, all, put);
  if (each_tensor)
    put_each(input.files, put);
  else
    put_kinds(input.files, put);
}

}  // namespace assay::program
