#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/io/json_tree.hpp"
#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// The parts of a tokenizer.json beside its model: normalizer, pre_tokenizer, post_processor and decoder.
/// Taken are those whose meaning the specification can say; every other one is refused by its name and place:
///   normalizer      null, NFC, Prepend and Replace of a space by U+2581, Sequence of these
///   pre_tokenizer   null, Split by a published pattern, ByteLevel, Digits, Punctuation, Metaspace that does
///   not split,
///                   Sequence of these
///   post_processor  null, ByteLevel, TemplateProcessing, Sequence of these
///   decoder         null, ByteLevel, Metaspace, Sequence of Replace, ByteFallback, Fuse, Strip, ByteLevel
class JsonComponents {
 public:
  /// Reads into `specification`: split, nfc, space_prefix, before, after, strip_first_space.
  JsonComponents(const std::string& file, Specification& specification)
      : file_(file), specification_(specification) {}

  /// All four parts of the document. Returns what is wrong, or nothing.
  std::optional<InputError> read(const io::JsonNode& document);

  bool is_byte_level() const { return byte_level_; }
  /// Spaces are U+2581 in the model's tokens.
  bool marks_spaces() const { return marks_spaces_; }

 private:
  using Node = io::JsonNode;

  void read_normalizer(const Node& node, const std::string& path);
  void read_pre_tokenizer(const Node& node, const std::string& path);
  void read_split(const Node& node, const std::string& path);
  void read_byte_level(const Node& node, const std::string& path);
  void read_punctuation(const Node& node, const std::string& path);
  void read_metaspace(const Node& node, const std::string& path);
  void read_post_processor(const Node& node, const std::string& path);
  void read_template(const Node& node, const std::string& path);
  void read_decoder(const Node& node, const std::string& path);

  /// Calls `each(node, path)` for what a Sequence holds under `key`.
  template <typename Each>
  void for_each(const Node& node, const std::string& path, std::string_view key, Each each);
  /// A boolean below a node; `fallback` where it is absent.
  bool flag(const Node& node, const std::string& path, std::string_view key, bool fallback);
  std::string_view text(const Node& node, std::string_view key) const;
  void refuse(const Node& node, const std::string& path, const std::string& what);
  void refuse_type(const Node& node, const std::string& path, std::string_view expected);

  const std::string& file_;
  Specification& specification_;
  std::optional<InputError> error_;
  bool byte_level_ = false;
  bool marks_spaces_ = false;
};

}  // namespace assay::tokenizer
