#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "engine/runtime/mutant.hpp"
#include "kernels/unicode/properties.hpp"
#include "kernels/unicode/utf8.hpp"

/// What scanners are made of. Every function takes places in one text, never reads at or behind `end`, and
/// takes time linear in the bytes that it passes.
namespace assay::kernels::split {

using Place = const std::uint8_t*;

/// The properties of the character at a place, and its length in bytes.
struct Seen {
  std::uint8_t properties;
  std::uint32_t length;
};

inline Seen seen_at(Place at, Place end) {
  if (*at < 0x80) return {unicode::property_bytes[*at], 1};  // block 0 of the trie is ASCII
  const unicode::Character c = unicode::character_at(at, end);
  return {unicode::properties_of(c.code_point), c.length};
}

/// The place in memory of the first byte of a word that has its top bit set.
inline int first_byte_of(std::uint64_t tops) {
  return (std::endian::native == std::endian::little ? std::countr_zero(tops) : std::countl_zero(tops)) / 8;
}

inline bool line_break(std::uint8_t byte) {
  return byte == '\n' || byte == '\r';
}

/// The end of the run of letters of ASCII from First to Last, eight at a time while there are as many bytes.
/// A word is found from one load rather than by a loop over bytes because the end of a word is what a branch
/// predictor gets wrong.
template <char First, char Last, bool EitherCase>
Place ascii_run_end(Place at, Place end) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = 0x80 * ones;
  for (; end - at >= 8; at += 8) {
    std::uint64_t bytes;
    std::memcpy(&bytes, at, 8);
    // The seven low bits of each byte, so that no addition below carries into the next.
    const std::uint64_t low = (bytes & ~tops) | (EitherCase ? 0x20 * ones : 0);
    const std::uint64_t from_first = low + (0x80 - First) * ones;
    const std::uint64_t behind_last =
        low + (0x7F - Last - (mutant("tokenizer.pretokenize.brace_is_a_letter") ? 1 : 0)) * ones;
    const std::uint64_t others = (~from_first | behind_last | bytes) & tops;
    if (others != 0) return at + first_byte_of(others);
    if (mutant("tokenizer.pretokenize.words_of_eight")) return at + 8;
  }
  for (; at < end; ++at) {
    const auto byte = static_cast<std::uint8_t>(EitherCase ? *at | 0x20 : *at);
    if (static_cast<std::uint8_t>(byte - First) > Last - First) break;
  }
  return at;
}

/// The end of the run of characters that have one of the properties.
inline Place run_end(Place at, Place end, std::uint8_t any_of) {
  while (at < end) {
    const Seen seen = seen_at(at, end);
    if (!(seen.properties & any_of)) break;
    at += seen.length;
  }
  return at;
}

/// The end of \p{L}*.
inline Place letters_end(Place at, Place end) {
  for (;;) {
    at = ascii_run_end<'a', 'z', true>(at, end);
    if (at == end || *at < 0x80) return at;
    while (at < end && *at >= 0x80) {
      const Seen seen = seen_at(at, end);
      if (!(seen.properties & unicode::letter)) return at;
      at += seen.length;
    }
  }
}

/// The end of [^\s\p{L}\p{N}]*.
inline Place symbols_end(Place at, Place end) {
  while (at < end) {
    const Seen seen = seen_at(at, end);
    if (seen.properties & (unicode::letter | unicode::number | unicode::white_space)) break;
    at += seen.length;
  }
  return at;
}

/// The end of \p{N}{0,most}.
inline Place numbers_end(Place at, Place end, int most) {
  if (mutant("tokenizer.pretokenize.numbers_too_long")) ++most;
  for (; most > 0 && at < end; --most) {
    const Seen seen = seen_at(at, end);
    if (!(seen.properties & unicode::number)) break;
    at += seen.length;
  }
  return at;
}

/// Where white space that begins at `at` is cut by `\s+(?!\S)|\s+`: all of it before the end of the text;
/// else its last character goes with what follows, unless it is alone. With `breaks`, `\s*[\r\n]+` goes
/// first: all up to the last line break.
template <bool Breaks>
Place white_space_end(Place at, Place end) {
  Place after_break = nullptr;
  Place last = at;
  Place stop = at;
  while (stop < end) {
    const Seen seen = seen_at(stop, end);
    if (!(seen.properties & unicode::white_space)) break;
    last = stop;
    stop += seen.length;
    if (Breaks && line_break(*last) && !(after_break && mutant("tokenizer.pretokenize.first_line_break")))
      after_break = stop;
  }
  if (after_break) return after_break;
  if (mutant("tokenizer.pretokenize.last_space_kept")) return stop;
  return stop == end || last == at ? stop : last;
}

/// The end of (?i:'s|'t|'re|'ve|'m|'ll|'d) at an apostrophe, or null. Where letters of either case are meant,
/// U+017F (long s) is an s: regular expressions compare by Unicode's simple case folding.
template <bool EitherCase>
Place contraction_end(Place at, Place end) {
  if (end - at < 2) return nullptr;
  const auto lowered = [](std::uint8_t byte) {
    const bool upper = EitherCase && byte >= 'A' && byte <= 'Z';
    return static_cast<char>(upper && !mutant("tokenizer.pretokenize.upper_case_contraction") ? byte | 0x20
                                                                                              : byte);
  };
  const char first = lowered(at[1]);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
  if (end - at < 3) return nullptr;
  if (EitherCase && at[1] == 0xC5 && at[2] == 0xBF && !mutant("tokenizer.pretokenize.long_s")) return at + 3;
  const char second = lowered(at[2]);
  if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') ||
      (first == 'l' && second == 'l' && !mutant("tokenizer.pretokenize.will_missed")))
    return at + 3;
  return nullptr;
}

}  // namespace assay::kernels::split
