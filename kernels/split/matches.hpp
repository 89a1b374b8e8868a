#pragma once

#include "engine/runtime/mutant.hpp"
#include "engine/vocabulary/specification.hpp"
#include "engine/vocabulary/split_patterns.hpp"
#include "kernels/split/characters.hpp"
#include "kernels/split/pattern_class.hpp"

/// The patterns that match here and there: where the match ends that begins at a place. What lies between two
/// matches is a piece too (split.cpp). None looks further than its match and one character, so that trying
/// every place of a text takes linear time.
namespace assay::kernels::split {

inline constexpr PatternClass<128> deepseek_llm_letters{pattern_of(SplitStep::deepseek_llm_letters)};
inline constexpr PatternClass<8> deepseek_llm_punctuation{pattern_of(SplitStep::deepseek_llm_punctuation)};
inline constexpr PatternClass<4> deepseek_cjk{pattern_of(SplitStep::deepseek_cjk)};

/// The end of the run of characters that `is(code_point, properties)` is true for.
template <typename Is>
Place run_while(Place at, Place end, const Is& is) {
  while (at < end) {
    const unicode::Character c = unicode::character_at(at, end);
    if (!is(c.code_point, unicode::properties_of(c.code_point))) break;
    at += c.length;
  }
  return at;
}

/// \s?[..]+
template <typename Is>
Place run_behind_space(Place at, Place end, const Is& is) {
  const Seen seen = seen_at(at, end);
  const Place from = seen.properties & unicode::white_space ? at + seen.length : at;
  const Place stop = run_while(from, end, is);
  // A class may hold white space itself (U+3000), which then may be all that it matches.
  if (mutant("tokenizer.pretokenize.space_of_the_class")) return stop != from ? stop : at;
  return stop != from ? stop : run_while(at, end, is);
}

/// [\p{P}$+<=>^~|`], with the backtick where the pattern has it.
template <bool Backtick>
bool punctuation_or_symbol(std::uint32_t c, std::uint8_t properties) {
  if (properties & unicode::punctuation) return true;
  return c < 0x80 && std::string_view("$+<=>^~|").find(static_cast<char>(c)) != std::string_view::npos
             ? true
             : (Backtick || mutant("tokenizer.pretokenize.backtick_everywhere")) && c == '`';
}

/// The end of the match of a step's pattern at `at`, which is below `end`; `at` where there is none.
template <SplitStep Step>
Place match_end(Place at, Place end) {
  using namespace unicode;
  if constexpr (Step == SplitStep::number) return numbers_end(at, end, 1);
  if constexpr (Step == SplitStep::numbers) return run_end(at, end, number);
  if constexpr (Step == SplitStep::digit_triple) {
    const auto digit = [](std::uint8_t byte) { return byte >= '0' && byte <= '9'; };
    return end - at >= 3 && digit(at[0]) && digit(at[1]) && digit(at[2]) ? at + 3 : at;
  }
  if constexpr (Step == SplitStep::punctuation) {
    const Character c = character_at(at, end);
    return punctuation_or_symbol<true>(c.code_point, properties_of(c.code_point)) ? at + c.length : at;
  }
  if constexpr (Step == SplitStep::punctuation_run) return run_while(at, end, punctuation_or_symbol<true>);
  if constexpr (Step == SplitStep::punctuation_run_default)
    return run_while(at, end, punctuation_or_symbol<false>);
  if constexpr (Step == SplitStep::line_break) return line_break(*at) ? at + 1 : at;
  if constexpr (Step == SplitStep::deepseek_coder_letters)
    return run_behind_space(at, end, [](std::uint32_t, std::uint8_t has) { return (has & letter) != 0; });
  if constexpr (Step == SplitStep::deepseek_coder_punctuation)
    return run_behind_space(at, end,
                            [](std::uint32_t, std::uint8_t has) { return (has & punctuation) != 0; });
  if constexpr (Step == SplitStep::deepseek_cjk)
    return run_while(at, end, [](std::uint32_t c, std::uint8_t) { return deepseek_cjk.has(c); });
  if constexpr (Step == SplitStep::deepseek_llm_letters)
    return run_behind_space(at, end,
                            [](std::uint32_t c, std::uint8_t) { return deepseek_llm_letters.has(c); });
  if constexpr (Step == SplitStep::deepseek_llm_punctuation)
    return run_behind_space(at, end,
                            [](std::uint32_t c, std::uint8_t) { return deepseek_llm_punctuation.has(c); });
}

/// Where the white space begins that a text ends with: \s+$. Looked for from the end, since a run that
/// something follows would be walked once from each of its places.
inline Place trailing_space(Place begin, Place end) {
  while (end > begin) {
    const Place last = unicode::character_before(begin, end);
    if (!(seen_at(last, end).properties & unicode::white_space)) break;
    end = last;
  }
  return end;
}

}  // namespace assay::kernels::split
