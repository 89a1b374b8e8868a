#include "engine/io/json_tree.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

namespace assay::io {
namespace {

/// Reads the document and leaves in `*place` how far the parser has come: nlohmann's events do not say it.
class TrackedByte {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedByte(const char* at, const char** place) : at_(at), place_(place) {}
  reference operator*() const { return *at_; }
  TrackedByte& operator++() {
    *place_ = ++at_;
    return *this;
  }
  TrackedByte operator++(int) {
    TrackedByte before = *this;
    ++*this;
    return before;
  }
  bool operator==(const TrackedByte& other) const { return at_ == other.at_; }
  bool operator!=(const TrackedByte& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** place_;
};

}  // namespace

/// Takes the parser's events and keeps the first thing that is wrong.
class JsonTreeBuilder {
 public:
  JsonTreeBuilder(const std::string& name, std::string_view bytes)
      : name_(name), begin_(bytes.data()), place_(bytes.data()) {
    // Texts only become shorter when their escapes are resolved, so this memory is never moved.
    tree_.texts_.reserve(bytes.size());
  }
  const char** place() { return &place_; }
  Result<JsonTree> finish(bool accepted) {
    if (error_) return *std::move(error_);
    if (!accepted) return refusal("is no JSON", begin_ == place_ ? 0 : offset());
    return std::move(tree_);
  }

  bool null() { return add(JsonKind::null) != nullptr; }
  bool boolean(bool value) {
    add(JsonKind::boolean)->number = value ? 1 : 0;
    return true;
  }
  bool number_integer(std::int64_t value) { return add_number(static_cast<double>(value)); }
  bool number_unsigned(std::uint64_t value) { return add_number(static_cast<double>(value)); }
  bool number_float(double value, const std::string&) { return add_number(value); }
  bool string(std::string& value) {
    const auto at = static_cast<std::uint32_t>(tree_.texts_.size());
    tree_.texts_ += value;
    JsonTree::Stored* const made = add(JsonKind::text);
    made->text = at;
    made->text_size = static_cast<std::uint32_t>(value.size());
    return true;
  }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool key(std::string& value) {
    key_ = static_cast<std::uint32_t>(tree_.texts_.size());
    key_size_ = static_cast<std::uint32_t>(value.size());
    tree_.texts_ += value;
    return true;
  }
  bool start_object(std::size_t) { return open(JsonKind::object); }
  bool start_array(std::size_t) { return open(JsonKind::array); }
  bool end_array() {
    close();
    return true;
  }
  bool end_object() {
    const std::uint32_t index = open_.back();
    close();
    return keys_differ(index);
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& fault) {
    // Its message names its own line and column; the part that says what was met begins after that.
    const std::string_view said = fault.what();
    const std::size_t at = said.find("syntax error");
    fail("is no JSON: " + std::string(at == std::string_view::npos ? said : said.substr(at)));
    return false;
  }

 private:
  std::uint64_t offset() const { return static_cast<std::uint64_t>(place_ - begin_); }
  InputError refusal(const std::string& what, std::uint64_t at) const {
    std::string line = name_ + ": byte " + std::to_string(at) + ": " + what;
    // What a file says may hold anything; the message is one line.
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
    return InputError{InputError::Code::malformed, line, at, {}, {}};
  }
  void fail(const std::string& what) {
    if (!error_) error_ = refusal(what, offset());
  }
  JsonTree::Stored* add(JsonKind kind) {
    JsonTree::Stored& made = tree_.nodes_.emplace_back();
    made.kind = kind;
    made.offset = static_cast<std::uint32_t>(offset());
    made.key = key_;
    made.key_size = key_size_;
    made.end = static_cast<std::uint32_t>(tree_.nodes_.size());
    key_ = key_size_ = 0;
    return &made;
  }
  bool add_number(double value) {
    add(JsonKind::number)->number = value;
    return true;
  }
  bool open(JsonKind kind) {
    add(kind);
    open_.push_back(static_cast<std::uint32_t>(tree_.nodes_.size() - 1));
    if (open_.size() <= JsonTree::max_depth) return true;
    fail("nests deeper than " + std::to_string(JsonTree::max_depth) + " values");
    return false;
  }
  void close() {
    tree_.nodes_[open_.back()].end = static_cast<std::uint32_t>(tree_.nodes_.size());
    open_.pop_back();
  }
  bool keys_differ(std::uint32_t object) {
    std::vector<std::uint32_t> members;
    for (std::uint32_t at = object + 1; at < tree_.nodes_[object].end; at = tree_.nodes_[at].end)
      members.push_back(at);
    const auto key_of = [&](std::uint32_t at) {
      return std::string_view(tree_.texts_).substr(tree_.nodes_[at].key, tree_.nodes_[at].key_size);
    };
    std::sort(members.begin(), members.end(),
              [&](std::uint32_t a, std::uint32_t b) { return key_of(a) < key_of(b); });
    const auto twice =
        std::adjacent_find(members.begin(), members.end(),
                           [&](std::uint32_t a, std::uint32_t b) { return key_of(a) == key_of(b); });
    if (twice == members.end()) return true;
    fail("an object has the key \"" + std::string(key_of(*twice).substr(0, 64)) + "\" twice");
    return false;
  }

  const std::string& name_;
  const char* begin_;
  const char* place_;
  JsonTree tree_;
  std::vector<std::uint32_t> open_;
  std::uint32_t key_ = 0;
  std::uint32_t key_size_ = 0;
  std::optional<InputError> error_;
};

std::string_view name_of(JsonKind kind) {
  switch (kind) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return "a boolean";
    case JsonKind::number:
      return "a number";
    case JsonKind::text:
      return "a string";
    case JsonKind::array:
      return "an array";
    case JsonKind::object:
      return "an object";
  }
  return "?";
}

Result<JsonTree> JsonTree::parse(const std::string& name, std::string_view bytes) {
  if (bytes.size() >= std::size_t{1} << 31)
    return InputError{
        InputError::Code::too_large,
        name + ": has " + std::to_string(bytes.size()) + " bytes, expected a JSON document below 2^31",
        {},
        {},
        {}};
  JsonTreeBuilder builder(name, bytes);
  const bool accepted =
      nlohmann::json::sax_parse(TrackedByte(bytes.data(), builder.place()),
                                TrackedByte(bytes.data() + bytes.size(), builder.place()), &builder);
  return builder.finish(accepted);
}

JsonNode JsonTree::root() const {
  return nodes_.empty() ? JsonNode() : JsonNode(this, 0, static_cast<std::uint32_t>(nodes_.size()));
}

std::string_view JsonNode::key() const {
  if (!*this) return {};
  return std::string_view(tree_->texts_).substr(stored().key, stored().key_size);
}

std::optional<std::string_view> JsonNode::text() const {
  if (!is(JsonKind::text)) return std::nullopt;
  return std::string_view(tree_->texts_).substr(stored().text, stored().text_size);
}

std::optional<bool> JsonNode::flag() const {
  if (!is(JsonKind::boolean)) return std::nullopt;
  return stored().number != 0;
}

std::optional<double> JsonNode::number() const {
  if (!is(JsonKind::number)) return std::nullopt;
  return stored().number;
}

std::optional<std::uint64_t> JsonNode::whole() const {
  const std::optional<double> value = number();
  if (!value || *value < 0 || *value > 0x1p53 || std::floor(*value) != *value) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

JsonNode JsonNode::first() const {
  if (!*this || stored().end == index_ + 1) return {};
  return {tree_, index_ + 1, stored().end};
}

JsonNode JsonNode::next() const {
  if (!*this || stored().end >= parent_end_) return {};
  return {tree_, stored().end, parent_end_};
}

std::size_t JsonNode::count() const {
  std::size_t inside = 0;
  for (JsonNode node = first(); node; node = node.next()) ++inside;
  return inside;
}

JsonNode JsonNode::find(std::string_view key) const {
  if (!is(JsonKind::object)) return {};
  for (JsonNode node = first(); node; node = node.next())
    if (node.key() == key) return node;
  return {};
}

}  // namespace assay::io
