#include "kernels/unicode/normalize.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "engine/runtime/mutant.hpp"
#include "kernels/unicode/properties.hpp"
#include "kernels/unicode/utf8.hpp"

// Text is normalised apart between two boundaries (Unicode Standard Annex 15, section 9), so only what lies
// around marks and what decomposes is touched: decomposed, its marks put in order, composed again.

namespace assay::kernels::unicode {
namespace {

/// Hangul syllables are composed of their parts by arithmetic (The Unicode Standard, section 3.12).
constexpr std::uint32_t hangul_first = 0xAC00, hangul_l = 0x1100, hangul_v = 0x1161, hangul_t = 0x11A7;
constexpr std::uint32_t hangul_vowels = 21, hangul_tails = 28, hangul_count = 11172;

struct Mark {
  std::uint32_t code_point;
  std::uint8_t combining_class;
};

void append_decomposed(std::vector<Mark>& marks, std::uint32_t c) {
  if (c - hangul_first < hangul_count) {
    const std::uint32_t syllable = c - hangul_first;
    const std::uint32_t tail = syllable % hangul_tails;
    marks.push_back({hangul_l + syllable / (hangul_vowels * hangul_tails), 0});
    marks.push_back({hangul_v + syllable / hangul_tails % hangul_vowels, 0});
    if (tail != 0 && !mutant("tokenizer.encode.nfc_hangul_tail")) marks.push_back({hangul_t + tail, 0});
    return;
  }
  if (!(properties_of(c) & decomposes)) {
    marks.push_back({c, combining_class_of(c)});
    return;
  }
  const auto place = std::lower_bound(decomposed, decomposed + decomposed_count, c) - decomposed;
  for (std::uint32_t at = decomposition_starts[place]; at < decomposition_starts[place + 1]; ++at)
    marks.push_back({decomposition_parts[at], combining_class_of(decomposition_parts[at])});
}

/// Puts each run of marks in the order of their classes, equal ones as they came. Long runs by counting:
/// sorting by insertion, as is usual, takes quadratic time on a text of marks of falling class.
void order_marks(std::vector<Mark>& marks, std::vector<Mark>& spare) {
  const auto starter = [](const Mark& mark) { return mark.combining_class == 0; };
  if (mutant("tokenizer.encode.nfc_marks_as_they_came")) return;
  for (auto first = marks.begin(); first != marks.end();) {
    if (starter(*first)) {
      ++first;
      continue;
    }
    const auto last = std::find_if(first, marks.end(), starter);
    if (last - first > 16 && mutant("tokenizer.encode.nfc_long_runs_unordered")) {
      first = last;
      continue;
    }
    if (last - first <= 16) {
      for (auto at = first + 1; at < last; ++at)
        for (auto back = at; back != first && (back - 1)->combining_class > back->combining_class; --back)
          std::iter_swap(back, back - 1);
    } else {
      std::array<std::uint32_t, 257> places{};
      for (auto at = first; at != last; ++at) ++places[at->combining_class + 1];
      for (std::size_t c = 1; c < places.size(); ++c) places[c] += places[c - 1];
      spare.assign(first, last);
      for (const Mark& mark : spare) first[places[mark.combining_class]++] = mark;
    }
    first = last;
  }
}

/// What two characters compose to, 0 for nothing.
std::uint32_t composed_of(std::uint32_t first, std::uint32_t second) {
  if (first - hangul_l < 19 && second - hangul_v < hangul_vowels)
    return hangul_first + ((first - hangul_l) * hangul_vowels + (second - hangul_v)) * hangul_tails;
  if (first - hangul_first < hangul_count && (first - hangul_first) % hangul_tails == 0 &&
      second - hangul_t - 1 < hangul_tails - 1)
    return first + (second - hangul_t);
  const Composition* end = compositions + composition_count;
  const Composition* found = std::lower_bound(
      compositions, end, std::pair(first, second),
      [](const Composition& one, const auto& pair) { return std::pair(one.first, one.second) < pair; });
  return found != end && found->first == first && found->second == second ? found->composed : 0;
}

/// Composes in place: each character with the last starter, unless a mark between them of the same class or a
/// higher one, or another starter, blocks it.
void compose(std::vector<Mark>& marks) {
  std::size_t kept = 0;
  std::size_t starter = marks.size();  // none yet
  for (std::size_t at = 0; at < marks.size(); ++at) {
    const Mark mark = marks[at];
    if (starter < kept) {
      const bool next_to_it = starter + 1 == kept;
      const bool blocked = !next_to_it && (mutant("tokenizer.encode.nfc_blocking")
                                               ? marks[kept - 1].combining_class > mark.combining_class
                                               : marks[kept - 1].combining_class >= mark.combining_class);
      if (!blocked)
        if (const std::uint32_t composed = composed_of(marks[starter].code_point, mark.code_point)) {
          marks[starter].code_point = composed;
          continue;
        }
    }
    if (mark.combining_class == 0) starter = kept;
    marks[kept++] = mark;
  }
  marks.resize(kept);
}

bool boundary(std::uint32_t c) {
  return (properties_of(c) & nfc_boundary) != 0;
}

using Place = const std::uint8_t*;

/// The first character that is no boundary, or `end`; `before` is then where the character before it begins,
/// or itself.
Place next_inner(Place at, Place end, Place& before) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = 0x80 * ones;
  before = at;
  while (at < end) {
    // Characters below U+0300 are boundaries: their bytes are below 0xCC.
    if (end - at >= 8) {
      std::uint64_t bytes;
      std::memcpy(&bytes, at, 8);
      if ((((bytes & ~tops) + (0x80 - 0x4C) * ones) & bytes & tops) == 0) {
        at += 8;
        // Not into the middle of a character, of which there are two bytes at most here.
        if (at < end && (*at & 0xC0) == 0x80 && !mutant("tokenizer.encode.nfc_inside_a_character")) --at;
        before = at - 1;
        if (at > before && (*before & 0xC0) == 0x80) --before;
        continue;
      }
    }
    const Character c = character_at(at, end);
    if (!boundary(c.code_point) && !(c.length == 4 && mutant("tokenizer.encode.nfc_one_plane"))) return at;
    before = at;
    at += c.length;
  }
  return end;
}

}  // namespace

bool surely_nfc(std::string_view text) {
  const auto* begin = reinterpret_cast<Place>(text.data());
  Place before = begin;
  return next_inner(begin, begin + text.size(), before) == begin + text.size();
}

void to_nfc(std::string_view text, std::string& made, std::vector<Change>* changes) {
  made.clear();
  if (changes) changes->clear();
  const auto* begin = reinterpret_cast<Place>(text.data());
  const Place end = begin + text.size();
  std::vector<Mark> marks, spare;
  Place copied = begin;
  while (copied < end) {
    Place from = copied;
    const Place inner = next_inner(copied, end, from);
    if (inner == end) from = end;
    made.append(reinterpret_cast<const char*>(copied), static_cast<std::size_t>(from - copied));
    copied = from;
    if (from == end) break;
    marks.clear();
    Place stop = from;
    while (stop < end) {
      const Character c = character_at(stop, end);
      if (stop > inner && boundary(c.code_point)) break;
      append_decomposed(marks, c.code_point);
      stop += c.length;
    }
    order_marks(marks, spare);
    compose(marks);
    const std::size_t made_begin = made.size();
    for (const Mark& mark : marks) append(made, mark.code_point);
    if (changes)
      changes->push_back({static_cast<std::uint32_t>(from - begin), static_cast<std::uint32_t>(stop - begin),
                          static_cast<std::uint32_t>(made_begin), static_cast<std::uint32_t>(made.size())});
    copied = stop;
  }
}

}  // namespace assay::kernels::unicode
