#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/vocabulary/specification.hpp"

namespace assay::reference {

/// The pre-tokenizer as its patterns say (split_patterns.hpp), by PCRE2. \s stands for the property
/// White_Space, as in Oniguruma and Rust's regex; PCRE2's own takes U+180E besides.
class Split {
 public:
  explicit Split(std::span<const SplitStep> steps);
  ~Split();
  Split(const Split&) = delete;
  Split& operator=(const Split&) = delete;

  /// The pieces of valid UTF-8, in order; together they are the text. Throws std::runtime_error where PCRE2
  /// gives up.
  std::vector<std::string_view> operator()(std::string_view text) const;

 private:
  class Pattern;
  std::vector<std::unique_ptr<Pattern>> patterns_;
};

}  // namespace assay::reference
