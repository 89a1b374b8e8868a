#include "reference/text/split.hpp"

#include <stdexcept>
#include <string>

#include "engine/vocabulary/split_patterns.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace assay::reference {
namespace {

/// The characters of the property White_Space (Unicode 15), as the inside of a class.
constexpr std::string_view white_space =
    R"(\t-\r\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

std::string with_white_space(std::string_view pattern) {
  std::string spelt;
  bool in_class = false;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const char letter = pattern[at];
    if (letter == '\\') {
      const char escaped = pattern[++at];
      if (escaped == 's')
        spelt += in_class ? std::string(white_space) : "[" + std::string(white_space) + "]";
      else if (escaped == 'S')  // stands in no class of these patterns
        spelt += "[^" + std::string(white_space) + "]";
      else
        spelt += {letter, escaped};
      continue;
    }
    if (letter == '[') in_class = true;
    if (letter == ']') in_class = false;
    spelt += letter;
  }
  return spelt;
}

}  // namespace

class Split::Pattern {
 public:
  explicit Pattern(SplitStep step) {
    const std::string text = with_white_space(pattern_of(step));
    int fault = 0;
    PCRE2_SIZE at = 0;
    code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                          PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY, &fault, &at, nullptr);
    if (code_ == nullptr)
      throw std::runtime_error("PCRE2 does not take the pattern " + text + " at " + std::to_string(at));
    context_ = pcre2_match_context_create(nullptr);
    // A text of a megabyte that is one match takes as many steps.
    pcre2_set_match_limit(context_, 1u << 31);
    pcre2_set_heap_limit(context_, 1u << 22);
  }
  ~Pattern() {
    pcre2_match_context_free(context_);
    pcre2_code_free(code_);
  }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  /// Appends the matches in a text and what lies between them.
  void split(std::string_view text, std::vector<std::string_view>& pieces) const {
    const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
        pcre2_match_data_create_from_pattern(code_, nullptr), &pcre2_match_data_free);
    std::size_t done = 0;
    while (done < text.size()) {
      const int found = pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), done,
                                    PCRE2_NO_UTF_CHECK, match.get(), context_);
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found < 0) throw std::runtime_error("PCRE2 gives up: error " + std::to_string(found));
      const PCRE2_SIZE* const range = pcre2_get_ovector_pointer(match.get());
      if (range[0] > done) pieces.push_back(text.substr(done, range[0] - done));
      pieces.push_back(text.substr(range[0], range[1] - range[0]));
      done = range[1];
    }
    if (done < text.size()) pieces.push_back(text.substr(done));
  }

 private:
  pcre2_code* code_ = nullptr;
  pcre2_match_context* context_ = nullptr;
};

Split::Split(std::span<const SplitStep> steps) {
  for (const SplitStep step : steps) patterns_.push_back(std::make_unique<Pattern>(step));
}

Split::~Split() = default;

std::vector<std::string_view> Split::operator()(std::string_view text) const {
  std::vector<std::string_view> pieces;
  if (!text.empty()) pieces.push_back(text);
  for (const auto& pattern : patterns_) {
    std::vector<std::string_view> finer;
    for (const std::string_view piece : pieces) pattern->split(piece, finer);
    pieces = std::move(finer);
  }
  return pieces;
}

}  // namespace assay::reference
