#pragma once

#include "engine/runtime/mutant.hpp"
#include "engine/vocabulary/specification.hpp"
#include "kernels/split/characters.hpp"

/// The four patterns that text is cut into words by, each as one function: the end of the piece that begins
/// at a place. They leave nothing between pieces. What a regular expression finds by backtracking is decided
/// here from runs of characters; a comment says why that is the same.
namespace assay::kernels::split {

/// [Upper]*[Lower]+ or [Upper]+[Lower]* of o200k at `at`, with its contraction; `at` where neither matches.
/// Upper is upper_run (Lu Lt Lm Lo M), Lower is lower_run (Ll Lm Lo M): Lm, Lo and M are in both.
///
/// [Upper]* takes all that it can. If a Lower follows, [Lower]+ takes all of those. Otherwise it gives back
/// characters until the one given back is a Lower, which is the last character of the run that is in both;
/// behind it only Lu and Lt follow, so [Lower]+ ends there. Without such a character the second alternative
/// takes the run.
inline Place cased_letters_end(Place at, Place end) {
  using namespace unicode;
  Place stop = at;
  Place after_both = at;
  while (stop < end) {
    const Seen seen = seen_at(stop, end);
    if (!(seen.properties & upper_run)) break;
    stop += seen.length;
    if ((seen.properties & lower_run) && !mutant("tokenizer.pretokenize.nothing_given_back"))
      after_both = stop;
  }
  const Place lower = stop != at && mutant("tokenizer.pretokenize.upper_without_lower")
                          ? stop
                          : run_end(stop, end, lower_run);
  if (lower != stop) {
    stop = lower;
  } else if (after_both != at) {
    stop = after_both;
  }
  if (stop != at && stop < end && *stop == '\'')
    if (const Place contracted = contraction_end<true>(stop, end)) return contracted;
  return stop;
}

/// The same where `at` is a letter of ASCII: words such as "word", "Word" without looking at each letter.
inline Place cased_word_end(Place at, Place end) {
  const Place small = at + (*at < 'a' ? 1 : 0);
  const Place stop = ascii_run_end<'a', 'z', false>(small, end);
  // An upper-case run, and what goes on in other letters, takes the long way.
  if (stop == small && small != at) return cased_letters_end(at, end);
  if (stop == end) return stop;
  if (*stop >= 0x80 && !mutant("tokenizer.pretokenize.word_ends_at_accent"))
    return cased_letters_end(at, end);
  if (*stop == '\'')
    if (const Place contracted = contraction_end<true>(stop, end)) return contracted;
  return stop;
}

inline bool ascii_letter(std::uint8_t byte) {
  return static_cast<std::uint8_t>((byte | 0x20) - 'a') < 26;
}

/// [^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,Digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+, with
/// contractions of either case before it (Llama-3, Qwen2), or with o200k's letters and contractions behind
/// them, and with / beside the line breaks.
template <int Digits, bool Cased>
Place modern_piece_end(Place at, Place end) {
  using namespace unicode;
  const auto word_end = [&](Place from) {
    return Cased ? cased_word_end(from, end) : letters_end(from, end);
  };
  const auto letters_from = [&](Place from) {
    if (*from < 0x80) return ascii_letter(*from) ? word_end(from) : from;
    return Cased ? cased_letters_end(from, end) : letters_end(from, end);
  };
  if (ascii_letter(*at)) return word_end(at);
  const Seen seen = seen_at(at, end);
  const Place next = at + seen.length;
  if (seen.properties & number) return numbers_end(next, end, Digits - 1);
  if (!Cased && *at == '\'')
    if (const Place contracted = contraction_end<true>(at, end)) return contracted;
  if constexpr (Cased) {
    // A mark is both what may stand before letters and one of them. As the first of the letters it gives the
    // same piece wherever it could stand before them, and a piece where it could not.
    const auto letters = static_cast<std::uint8_t>(
        mutant("tokenizer.pretokenize.mark_is_no_letter") ? letter : upper_run | lower_run);
    if (seen.properties & letters) return cased_letters_end(at, end);
  } else if (seen.properties & letter) {
    return letters_end(at, end);
  }
  if (next < end && (!line_break(*at) || mutant("tokenizer.pretokenize.line_break_before_letters")))
    if (const Place stop = letters_from(next); stop != next) return stop;
  // " ?" and one symbol at least.
  const Place symbols = *at == ' ' ? next : at;
  Place stop = symbols_end(symbols, end);
  if (stop != symbols) {
    while (stop < end && (line_break(*stop) ||
                          (Cased && *stop == '/' && !mutant("tokenizer.pretokenize.slash_behind_breaks"))))
      ++stop;
    return stop;
  }
  return white_space_end<true>(at, end);
}

/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
inline Place gpt2_piece_end(Place at, Place end) {
  using namespace unicode;
  if (*at == '\'')
    if (const Place contracted = contraction_end<false>(at, end)) return contracted;
  const Place from = *at == ' ' && end - at > 1 ? at + 1 : at;
  if (ascii_letter(*from)) return letters_end(from, end);
  const Seen seen = seen_at(from, end);
  if (seen.properties & white_space) return white_space_end<false>(at, end);
  if (seen.properties & letter) return letters_end(from, end);
  if (seen.properties & number)
    return mutant("tokenizer.pretokenize.ascii_digits_alone") ? numbers_end(from, end, 1)
                                                              : run_end(from, end, number);
  return symbols_end(from, end);
}

/// The end of the piece that begins at `at`, which is below `end`.
template <SplitStep Step>
Place word_piece_end(Place at, Place end) {
  if constexpr (Step == SplitStep::gpt2) return gpt2_piece_end(at, end);
  if constexpr (Step == SplitStep::llama3) return modern_piece_end<3, false>(at, end);
  if constexpr (Step == SplitStep::qwen2) return modern_piece_end<1, false>(at, end);
  if constexpr (Step == SplitStep::gpt4o) return modern_piece_end<3, true>(at, end);
}

}  // namespace assay::kernels::split
