#define PCRE2_CODE_UNIT_WIDTH 8
#include "kernels/split/split.hpp"

#include <gtest/gtest.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime/philox.hpp"
#include "engine/vocabulary/split_patterns.hpp"
#include "kernels/unicode/properties.hpp"
#include "kernels/unicode/utf8.hpp"

namespace assay::kernels::split {
namespace {

constexpr std::array all_steps = {SplitStep::gpt2,
                                  SplitStep::llama3,
                                  SplitStep::qwen2,
                                  SplitStep::gpt4o,
                                  SplitStep::number,
                                  SplitStep::numbers,
                                  SplitStep::digit_triple,
                                  SplitStep::punctuation,
                                  SplitStep::punctuation_run,
                                  SplitStep::punctuation_run_default,
                                  SplitStep::line_break,
                                  SplitStep::deepseek_coder_letters,
                                  SplitStep::deepseek_coder_punctuation,
                                  SplitStep::deepseek_cjk,
                                  SplitStep::deepseek_llm_letters,
                                  SplitStep::deepseek_llm_punctuation,
                                  SplitStep::deepseek_llm_trailing_space};

/// A pattern as PCRE2 compiles it: what the scanners replace.
class Pattern {
 public:
  explicit Pattern(std::string text) {
    // Under UCP, PCRE2 10.42 counts U+180E as \s, which it is not since Unicode 6.3, nor in the libraries
    // that the patterns were published for.
    const std::string inside =
        R"(\t-\r\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
    replace(text, R"([^\s\p{L}\p{N}])", "[^" + inside + R"(\p{L}\p{N}])");
    replace(text, R"(\s)", "[" + inside + "]");
    replace(text, R"(\S)", "[^" + inside + "]");
    int error = 0;
    std::size_t offset = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), PCRE2_UTF | PCRE2_UCP,
                              &error, &offset, nullptr));
    EXPECT_TRUE(code_) << text << " at " << offset;
    data_.reset(pcre2_match_data_create_from_pattern(code_.get(), nullptr));
  }

  std::vector<std::uint32_t> split(std::string_view text) const {
    std::vector<std::uint32_t> ends;
    std::size_t at = 0, piece = 0;
    while (at < text.size() && pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()),
                                           text.size(), at, 0, data_.get(), nullptr) > 0) {
      const std::size_t* found = pcre2_get_ovector_pointer(data_.get());
      if (found[0] != piece) ends.push_back(static_cast<std::uint32_t>(found[0]));
      ends.push_back(static_cast<std::uint32_t>(found[1]));
      at = piece = found[1];
    }
    if (piece != text.size()) ends.push_back(static_cast<std::uint32_t>(text.size()));
    return ends;
  }

 private:
  static void replace(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  }
  struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  };
  std::unique_ptr<pcre2_code, Free> code_;
  std::unique_ptr<pcre2_match_data, Free> data_;
};

/// PCRE2 10.42 has the data of Unicode 14; a character that it does not know cannot be compared.
bool known_to_pcre2(std::uint32_t c) {
  static const std::vector<bool> known = [] {
    std::vector<bool> made(0x110000);
    const Pattern pattern(R"(\P{Cn}+)");
    for (std::uint32_t code = 0; code < 0x110000; ++code) {
      if (code >= 0xD800 && code < 0xE000) continue;
      std::string text = "a";
      unicode::append(text, code);
      made[code] = pattern.split(text).size() == 1;
    }
    return made;
  }();
  return known[c];
}

std::string shown(std::string_view text) {
  std::string made;
  for (const char byte : text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    if (byte >= ' ' && byte <= '~' && byte != '\\')
      made += byte;
    else
      made += std::string("\\x") + digits[static_cast<std::uint8_t>(byte) >> 4] + digits[byte & 15];
  }
  return made;
}

void expect_split(SplitStep step, const Pattern& pattern, std::string_view text) {
  std::vector<std::uint32_t> ends;
  // At its exact size, so that sanitizers see a scanner that reads behind the end.
  const std::vector<char> exact(text.begin(), text.end());
  split({&step, 1}, {exact.data(), exact.size()}, ends);
  ASSERT_EQ(ends, pattern.split(text)) << "step " << static_cast<int>(step) << " of " << shown(text);
}

/// Text of characters that patterns tell apart, and of any.
std::string drawn(Philox& random, std::size_t most) {
  static const std::vector<std::string> telling = {"a",
                                                   "b",
                                                   "S",
                                                   "T",
                                                   "s",
                                                   "t",
                                                   "re",
                                                   "VE",
                                                   "ll",
                                                   "d",
                                                   "m",
                                                   "'",
                                                   "'",
                                                   "\xC5\xBF",
                                                   " ",
                                                   " ",
                                                   "\n",
                                                   "\r",
                                                   "\t",
                                                   "  ",
                                                   "0",
                                                   "1",
                                                   "9",
                                                   "12",
                                                   ".",
                                                   "/",
                                                   "$",
                                                   "`",
                                                   "~",
                                                   "_",
                                                   "-",
                                                   "\"",
                                                   "\x1C",
                                                   "\x85",
                                                   "\xC2\x85",
                                                   "\xC2\xA0",
                                                   "\xE3\x80\x80",
                                                   "\xE2\x80\xA8",
                                                   "\xE1\xA0\x8E",
                                                   "\xCC\x81",
                                                   "\xE0\xA4\xBF",
                                                   "\xC7\x85",
                                                   "\xCA\xB0",
                                                   "\xC3\xA9",
                                                   "\xC3\x89",
                                                   "\xE4\xB8\xAD",
                                                   "\xE3\x81\x82",
                                                   "\xEA\xB0\x80",
                                                   "\xD9\xA1",
                                                   "\xC2\xBD",
                                                   "\xF0\x9F\x98\x80",
                                                   "\xE2\x80\x9C",
                                                   "\xEF\xBC\x81",
                                                   "\xE2\x82\xAC",
                                                   "\xF0\x90\x90\x80",
                                                   "\xE2\x85\xA0",
                                                   "the",
                                                   "Word",
                                                   "ABC",
                                                   "1234567",
                                                   "      ",
                                                   "\n\n",
                                                   "...",
                                                   "abcdefghijklmnopqrstuvw",
                                                   "\xE2\x80\x99"};
  std::string text;
  const std::size_t parts = random.below(most) + 1;
  const bool any = random.below(4) == 0;
  for (std::size_t i = 0; i < parts; ++i) {
    if (!any || random.below(2) == 0) {
      const std::string& part = telling[random.below(telling.size())];
      if (part != "\x85") text += part;  // not UTF-8
      if (random.below(8) == 0) text += part == "\x85" ? "" : part;
      continue;
    }
    const std::uint32_t planes[] = {0x80, 0x800, 0x3000, 0x10000, 0x30000, 0x110000};
    const auto c = static_cast<std::uint32_t>(random.below(planes[random.below(6)]));
    if (known_to_pcre2(c)) unicode::append(text, c);
  }
  return text;
}

TEST(Split, PropertiesAreThoseOfPcre2) {
  const std::array<std::pair<const char*, int>, 6> classes = {
      {{R"(\p{L})", unicode::letter},
       {R"(\p{N})", unicode::number},
       {R"(\s)", unicode::white_space},
       {R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])", unicode::upper_run},
       {R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])", unicode::lower_run},
       {R"(\p{P})", unicode::punctuation}}};
  for (const auto& [text, bit] : classes) {
    const Pattern pattern(std::string("x") + text);
    int wrong = 0;
    for (std::uint32_t c = 0; c < 0x110000; ++c) {
      if ((c >= 0xD800 && c < 0xE000) || !known_to_pcre2(c)) continue;
      std::string one = "x";
      unicode::append(one, c);
      const bool has =
          pattern.split(one).size() == 1 && one.size() > 1 && pattern.split(one + "x").front() == one.size();
      if (has != ((unicode::properties_of(c) & bit) != 0)) ++wrong;
    }
    // U+2E5C..: none; characters that got another category after Unicode 14 would stand here.
    EXPECT_EQ(wrong, 0) << text;
  }
}

TEST(Split, PiecesAreThoseOfThePublishedPatterns) {
  for (const SplitStep step : all_steps) {
    const Pattern pattern{std::string(pattern_of(step))};
    Philox random(static_cast<std::uint64_t>(step) + 1);
    for (int i = 0; i < 20000 && !testing::Test::HasFatalFailure(); ++i)
      expect_split(step, pattern, drawn(random, 24));
  }
}

// Every text of up to five of the characters that the word patterns tell apart.
TEST(Split, ShortTextsAreSplitAsPublished) {
  const std::vector<std::string> letters = {"a", "B", "'",        "s",        " ",        "\n",      "\t",
                                            "1", "/", "\xCC\x81", "\xCA\xB0", "\xC7\x85", "\xC3\xA9"};
  for (const SplitStep step : {SplitStep::gpt2, SplitStep::llama3, SplitStep::qwen2, SplitStep::gpt4o}) {
    const Pattern pattern{std::string(pattern_of(step))};
    for (std::size_t length = 1; length <= 5; ++length) {
      std::vector<std::size_t> digits(length);
      for (bool more = true; more && !testing::Test::HasFatalFailure();) {
        std::string text;
        for (const std::size_t digit : digits) text += letters[digit];
        expect_split(step, pattern, text);
        more = false;
        for (std::size_t& digit : digits) {
          if (++digit < letters.size()) {
            more = true;
            break;
          }
          digit = 0;
        }
      }
    }
  }
}

TEST(Split, StepsSplitThePiecesOfTheStepBefore) {
  const std::vector<SplitStep> falcon = {SplitStep::punctuation_run, SplitStep::gpt2,
                                         SplitStep::digit_triple};
  std::vector<std::uint32_t> ends;
  split(falcon, "ab  c!!1234", ends);
  EXPECT_EQ(ends, (std::vector<std::uint32_t>{2, 3, 5, 7, 10, 11}));
  split({}, "ab c", ends);
  EXPECT_EQ(ends, (std::vector<std::uint32_t>{4}));
  split(falcon, "", ends);
  EXPECT_TRUE(ends.empty());
}

// Bytes that are no UTF-8 have no published pieces: all of them must come back, in pieces that are not empty.
TEST(Split, RandomBytesComeBackWhole) {
  Philox random(5);
  for (int i = 0; i < 3000; ++i) {
    std::vector<char> bytes(random.below(80) + 1);
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
    for (const SplitStep step : all_steps) {
      std::vector<std::uint32_t> ends;
      split({&step, 1}, {bytes.data(), bytes.size()}, ends);
      ASSERT_FALSE(ends.empty());
      ASSERT_EQ(ends.back(), bytes.size());
      ASSERT_TRUE(std::is_sorted(ends.begin(), ends.end(), std::less_equal<>()))
          << shown({bytes.data(), bytes.size()});
    }
  }
}

}  // namespace
}  // namespace assay::kernels::split
