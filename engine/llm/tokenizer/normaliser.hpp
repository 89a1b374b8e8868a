#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/llm/tokenizer/text_map.hpp"
#include "engine/vocabulary/specification.hpp"

namespace assay::tokenizer {

/// What a segment becomes before it is split: NFC, U+2581 as the space that it stands for, a space in front.
class Normaliser {
 public:
  explicit Normaliser(const Specification& specification) : specification_(specification) {}

  /// The normalised segment: the segment itself where nothing changes, else a view of `made`. `first`:
  /// whether it begins the text. `map`, where given, leads back from it. Valid UTF-8 of less than 2^31 bytes.
  std::string_view operator()(std::string_view segment, bool first, std::string& made, TextMap* map) const;

 private:
  bool takes_prefix(std::string_view segment, bool first) const;

  const Specification& specification_;
};

}  // namespace assay::tokenizer
