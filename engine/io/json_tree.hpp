#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime/result.hpp"

namespace assay::io {

enum class JsonKind : std::uint8_t { null, boolean, number, text, array, object };

/// "null", "a boolean", "a number", "a string", "an array", "an object".
std::string_view name_of(JsonKind kind);

class JsonNode;

/// A JSON document (RFC 8259) in flat arrays, for files of a hundred megabytes: 32 bytes a value beside its
/// text. Every value knows its byte offset. Refused, with the offset: what is no JSON, keys that stand twice
/// in an object, nesting beyond `max_depth`, documents of 2^31 bytes or more.
class JsonTree {
 public:
  static constexpr std::size_t max_depth = 64;

  /// `name` stands for the file in messages.
  static Result<JsonTree> parse(const std::string& name, std::string_view bytes);
  /// The outermost value. Nodes stay valid while the tree (or what it was moved to) lives where it is.
  JsonNode root() const;

 private:
  friend class JsonNode;
  friend class JsonTreeBuilder;

  struct Stored {
    JsonKind kind = JsonKind::null;
    std::uint32_t offset = 0;    ///< in the document, bytes, just after the value began
    std::uint32_t key = 0;       ///< in texts_
    std::uint32_t key_size = 0;  ///< bytes
    std::uint32_t end = 0;       ///< index behind the last value inside this one
    union {
      double number = 0;
      struct {
        std::uint32_t text, text_size;
      };
    };
  };

  std::vector<Stored> nodes_;  ///< each followed by what is inside it
  std::string texts_;
};

/// A value of a tree, or none: every question to none has the answer none, so that paths may be walked.
class JsonNode {
 public:
  JsonNode() = default;

  explicit operator bool() const { return tree_ != nullptr; }
  bool is(JsonKind kind) const { return *this && stored().kind == kind; }
  bool is_null() const { return is(JsonKind::null); }
  /// Of none: null.
  JsonKind kind() const { return *this ? stored().kind : JsonKind::null; }
  std::uint64_t offset() const { return *this ? stored().offset : 0; }
  std::string_view key() const;
  std::optional<std::string_view> text() const;
  std::optional<bool> flag() const;
  std::optional<double> number() const;
  /// A number that is a whole one from 0 to 2^53.
  std::optional<std::uint64_t> whole() const;

  /// The first value inside an array or object, and the next one in the same.
  JsonNode first() const;
  JsonNode next() const;
  /// Values directly inside; a walk over them.
  std::size_t count() const;
  /// The value of a key of an object; a walk over them.
  JsonNode find(std::string_view key) const;

 private:
  friend class JsonTree;
  JsonNode(const JsonTree* tree, std::uint32_t index, std::uint32_t parent_end)
      : tree_(tree), index_(index), parent_end_(parent_end) {}
  const JsonTree::Stored& stored() const { return tree_->nodes_[index_]; }

  const JsonTree* tree_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint32_t parent_end_ = 0;
};

}  // namespace assay::io
