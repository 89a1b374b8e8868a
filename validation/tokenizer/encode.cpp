#include <rapidcheck.h>

#include "engine/llm/tokenizer/normaliser.hpp"
#include "engine/tokenizers/arguments.hpp"
#include "reference/text/normal_form.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"
#include "validation/tokens/texts.hpp"
#include "validation/tokens/vocabularies.hpp"
#include "validation/tokens/whole_texts.hpp"

namespace assay::validation::tokenizer {

namespace {

using tokens::Recipe;
using tokens::Text;
constexpr const char* operation = "tokenizer.encode";

HostArguments arguments_of(const TokenizerDescription& tokenizer, std::string_view text) {
  HostArguments made = assay::tokenizers::arguments_of(tokenizer);
  made.inputs.emplace("text", tokens::tensor_of(text));
  return made;
}

void matches_the_loop(Probe& probe) {
  const Recipe recipe = *tokens::recipes(60);
  const Text text = *tokens::texts(30);
  probe.expect_reference(operation, arguments_of(recipe.description(), text.bytes()));
}

/// Few kinds of symbols: pairs meet, overlap and tie.
void matches_the_loop_where_merges_meet(Probe& probe) {
  const Recipe recipe = *tokens::recipes(120);
  const Text text = *tokens::texts(24, true, 8);
  probe.expect_reference(operation, arguments_of(recipe.description(), text.bytes()));
}

/// Long pieces take other ways than short ones: around the sizes where they part.
void matches_the_loop_on_long_pieces(Probe& probe) {
  Recipe recipe = *tokens::recipes(120);
  recipe.split = 10;  // none: a segment is one piece
  const Text text = *tokens::texts(12, true, 150);
  probe.expect_reference(operation, arguments_of(recipe.description(), text.bytes()));
}

/// Ranks in no sensible order, some pairs listed twice: what no training makes and any file may hold.
void matches_the_loop_of_any_ranks(Probe& probe) {
  Recipe recipe = *tokens::recipes(60);
  recipe.shuffled = true;
  recipe.ignore_merges = false;
  recipe.split = 10;  // none
  const Text text = *tokens::texts(24, true, 4);
  HostArguments arguments = arguments_of(recipe.description(), text.bytes());
  const auto merges = arguments.inputs.find("merges");  // of a rule by pairs
  if (merges == arguments.inputs.end()) {
    probe.expect_reference(operation, arguments);
    return;
  }
  const auto once = merges->second.as<std::int32_t>();
  std::vector<std::int32_t> twice(once.begin(), once.end());
  // Every third again, the last one first.
  for (std::size_t at = once.size(); at >= 3; at -= std::min<std::size_t>(at, 9))
    twice.insert(twice.end(), once.begin() + static_cast<std::ptrdiff_t>(at) - 3,
                 once.begin() + static_cast<std::ptrdiff_t>(at));
  merges->second = Tensor::from(twice, {static_cast<std::int64_t>(twice.size() / 3), 3});
  probe.expect_reference(operation, arguments);
}

/// "aba" is made by a merge that ranks before the one of its part "ab": alone it is one token, but before an
/// x the merge of "ax" comes in between.
void merges_before_those_of_their_parts(Probe& probe) {
  VocabularyBuilder builder;
  for (int byte = 0; byte < 256; ++byte)
    builder.add(std::string(1, static_cast<char>(byte)), TokenKind::normal);
  const TokenId ab = 256, aba = 257, ax = 258;
  for (const char* token : {"ab", "aba", "ax"}) builder.add(token, TokenKind::normal);
  builder.index();
  builder.set_merges({{ab, 'a', aba}, {'a', 'x', ax}, {'a', 'b', ab}});
  const TokenizerDescription tokenizer{builder.build(), {}};
  for (const char* text : {"aba", "abax", "abaabax", "axabab"})
    probe.expect_reference(operation, arguments_of(tokenizer, text));
}

/// What no merge rule has a part in: the bytes of the tokens are those of the text.
void compare_bytes(Probe& probe, const std::string& text, const std::string& encoded) {
  const TokenizerDescription tokenizer = Recipe{.tokens = 60, .split = 0}.description();
  const auto outputs = probe.run(operation, arguments_of(tokenizer, encoded));
  std::string bytes;
  std::size_t count = 0;
  for (const std::int32_t id : outputs.at("ids").as<std::int32_t>()) {
    if (id < 0) break;
    bytes += tokenizer.vocabulary.bytes_of(static_cast<TokenId>(id));
    probe.expect(outputs.at("ends").as<std::int32_t>()[count++] == std::ssize(bytes),
                 "each token ends where its bytes do");
  }
  probe.expect(bytes == text, "the tokens' bytes are the text");
}

void tokens_are_the_text(Probe& probe) {
  const Text text = *tokens::texts(60, false, 4);
  compare_bytes(probe, text.bytes(), text.bytes());
}

void tokens_are_another_text(Probe& probe) {
  compare_bytes(probe, "the", "tha");
}

/// Characters around which normalisation has something to do: letters, what they decompose to, marks of many
/// classes, Hangul and its parts, beyond the first plane too.
const std::vector<char32_t>& composing() {
  static const std::vector<char32_t> all = [] {
    std::vector<char32_t> made;
    const std::pair<char32_t, char32_t> ranges[] = {{'a', 'z'},         {0x300, 0x36F},    {0xC0, 0x17F},
                                                    {0x915, 0x94D},     {0x958, 0x95F},    {0x1100, 0x11C2},
                                                    {0xAC00, 0xAC3F},   {0x1E00, 0x1FFC},  {0x1D157, 0x1D1C0},
                                                    {0x11099, 0x110BA}, {0x2F800, 0x2F810}};
    for (const auto& [first, last] : ranges)
      for (char32_t c = first; c <= last; ++c) made.push_back(c);
    return made;
  }();
  return all;
}

std::string normal_form_of(const std::string& text) {
  Specification specification;
  specification.nfc = true;
  std::string made;
  return std::string(assay::tokenizer::Normaliser(specification)(text, true, made, nullptr));
}

void normal_form_c(Probe& probe) {
  // Letters of one byte in front, so that what follows begins at any place of a word of eight; runs of marks,
  // so that some are long.
  const auto letters = *rc::gen::inRange(0, 12).as("letters in front");
  const bool marks = *rc::gen::arbitrary<bool>().as("marks alone");
  const auto last = marks ? 26 + 0x70 : static_cast<int>(composing().size());
  const auto places =
      *rc::gen::container<std::vector<int>>(rc::gen::inRange(marks ? 26 : 0, last)).as("characters");
  std::string text(static_cast<std::size_t>(letters), 'x');
  for (const int place : places) text += reference::utf8_of(composing()[static_cast<std::size_t>(place)]);
  probe.expect(normal_form_of(text) == reference::nfc(text), "the text in form C");
}

void another_normal_form(Probe& probe) {
  probe.expect(normal_form_of("e\u0301") == reference::nfc("e\u0300"), "the text in form C");
}

void refuses_what_does_not_fit(Probe& probe) {
  const TokenizerDescription tokenizer = Recipe{.tokens = 20}.description();
  const auto with = [&](const char* input, Tensor tensor) {
    HostArguments made = arguments_of(tokenizer, "a");
    made.inputs.erase(input);
    made.inputs.emplace(input, std::move(tensor));
    return made;
  };
  const auto count = static_cast<std::int64_t>(tokenizer.vocabulary.size());
  expect_refused(probe, operation, with("token_ends", Tensor(DType::i32, {0})), "token_ends", "no tokens");
  expect_refused(probe, operation, with("token_ends", Tensor::from(std::vector<std::int32_t>{2, 1}, {2})),
                 "token_kinds", "fewer ends than kinds");
  expect_refused(probe, operation,
                 with("token_kinds",
                      Tensor::from(std::vector<std::uint8_t>(static_cast<std::size_t>(count), 7), {count})),
                 "token_kinds", "a kind that is none");
  expect_refused(
      probe, operation,
      with("merges", Tensor::from(std::vector<std::int32_t>{0, 1, static_cast<std::int32_t>(count)}, {1, 3})),
      "merges", "an id that is none");
  expect_refused(probe, operation, with("merges", Tensor::from(std::vector<std::int32_t>{0, 1, 2}, {1, 3})),
                 "merges", "a result of other bytes");
  expect_refused(probe, operation, with("text", tokens::tensor_of("\xC0\x80")), "text", "no UTF-8");
  HostArguments unknown = arguments_of(tokenizer, "a");
  unknown.parameters["unknown"] = count;
  expect_refused(probe, operation, unknown, "unknown", "an unknown token that is none");
}

void what_fits_is_refused(Probe& probe) {
  expect_refused(probe, operation, arguments_of(Recipe{.tokens = 20}.description(), "a"), "text",
                 "what fits");
}

}  // namespace

void describe_encode(Suite& suite) {
  suite.calls([] {
    const Recipe recipe = *tokens::recipes(20);
    const Text text = *tokens::texts(20);
    return arguments_of(recipe.description(), text.bytes());
  });
  suite.property(
      {.name = "matches_the_loop",
       .summary = "Any small tokenizer gives the ids of the literal merge loop, and where they end.",
       .body = matches_the_loop,
       .cases = 400});
  suite.property({.name = "matches_the_loop_where_merges_meet",
                  .summary = "So on texts of few kinds of symbols, where merges overlap and tie.",
                  .body = matches_the_loop_where_merges_meet,
                  .cases = 400});
  suite.property({.name = "matches_the_loop_on_long_pieces",
                  .summary = "So on single pieces of up to some thousand bytes.",
                  .body = matches_the_loop_on_long_pieces,
                  .cases = 100});
  suite.property({.name = "matches_the_loop_of_any_ranks",
                  .summary = "So where merges stand in no sensible order and some of them twice.",
                  .body = matches_the_loop_of_any_ranks,
                  .cases = 1000});
  suite.property({.name = "merges_before_those_of_their_parts",
                  .summary = "So where a merge ranks before the one that makes its part.",
                  .body = merges_before_those_of_their_parts,
                  .cases = 1});
  suite.property({.name = "whole_texts_match",
                  .summary = "Texts with added tokens, normalisation and spaces in front have the ids that "
                             "the definitions give.",
                  .body = tokens::whole_texts_match,
                  .cases = 400,
                  .backends = {Backend::cpu},
                  .negative_control = tokens::other_texts_match});
  suite.property({.name = "spans_are_the_tokens",
                  .summary = "The part of the text that a token comes from, normalised, is its bytes.",
                  .body = tokens::spans_are_the_tokens,
                  .cases = 200,
                  .backends = {Backend::cpu},
                  .negative_control = tokens::other_spans_are_the_tokens});
  suite.property(
      {.name = "ten_million_strings_come_back",
       .summary =
           "Ten million random strings, encoded and decoded by a byte-level tokenizer, are what they were.",
       .body = tokens::ten_million_strings_come_back,
       .cases = 1,
       .backends = {Backend::cpu},
       .negative_control = tokens::another_string_comes_back,
       .long_running = true});
  suite.property({.name = "tokens_are_the_text",
                  .summary = "The bytes of the tokens, put together, are the text.",
                  .body = tokens_are_the_text,
                  .cases = 100,
                  .negative_control = tokens_are_another_text});
  suite.property(
      {.name = "normal_form_c",
       .summary = "Where a tokenizer asks for it, text is brought to form C as another library brings it.",
       .body = normal_form_c,
       .cases = 2000,
       .negative_control = another_normal_form});
  suite.property({.name = "refuses_what_does_not_fit",
                  .summary = "Arrays that are no tokenizer, and text that is no UTF-8, are refused.",
                  .body = refuses_what_does_not_fit,
                  .cases = 1,
                  .negative_control = what_fits_is_refused});
  const auto fault = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant({.id = std::string("tokenizer.encode.") + id, .fault_class = fault_class, .what = what});
  };
  fault("greedy", "missing guard", "the longest token is taken whatever stands before it");
  fault("unreachable_token_taken", "missing guard",
        "a piece that is a token is taken whole though no merges lead to it");
  fault("rightmost_of_equals", "< for <=", "of equal priorities the rightmost goes first");
  fault("heap_rightmost_of_equals", "< for <=", "so where the heap merges");
  fault("left_neighbour_not_joined", "stale state", "the pair to the left of a merge is not looked up again");
  fault("equal_priority_across_border",
        "< for <=", "a merge across a border as early as the one to its right is not seen");
  fault("falling_taken_apart", "missing guard",
        "tokens made by merges out of order are compared as if in order");
  fault("first_of_equal_pairs", "wrong order", "of a pair that is listed twice the first counts");
  fault("merge_not_in_filter", "lost element", "one merge is not in the filter before the table");
  fault("equal_scores_by_token", "wrong order",
        "of equal scores the lower token goes first, not the leftmost");
  fault("cut_inside_tokens", "missing guard", "text is cut at spaces that tokens have inside");
  fault("cache_key_without_length", "stale cache", "pieces that differ in zeros at their end are one");
  fault("cache_keeps_three_of_four", "off by one",
        "the cache keeps pieces of more tokens than it has room for");
  fault("cache_keeps_what_was_left_out", "stale cache",
        "pieces of which bytes were left out are kept without them");
  fault("no_byte_fallback", "missing case",
        "characters without a token are unknown though bytes have tokens");
  fault("unknown_always_fused", "missing case",
        "adjacent unknown characters are one where they should not be");
  fault("fused_unknown_ends_early", "off by one", "unknown characters that are one end where the first does");
  fault("ends_without_what_was_left_out", "off by one",
        "ends are counted without the bytes that were left out");
  fault("full_buffer_dropped", "lost tile", "ids that wait when the buffer is full are lost");
  fault("added_shortest", "wrong order", "the shortest added token is taken in place of the longest");
  fault("added_special_always", "missing guard", "special tokens are taken where they are text");
  fault("added_rstrip_ignored", "missing step", "white space behind an added token is left");
  fault("added_lstrip_ignored", "missing step", "white space before an added token is left");
  fault("added_single_word_ignored", "missing guard", "an added token is taken inside a word");
  fault("added_end_lost", "unhandled tail", "text behind the last added token is lost");
  fault("prefix_first_only", "missing case", "a space is put in front of the first segment alone");
  fault("mark_kept", "missing step", "U+2581 is not taken as a space");
  fault("span_of_a_part", "off by one", "a replaced part of the text ends where it begins");
  fault("span_one_too_far", "off by one", "what was kept ends a byte later in the text");
  fault("nfc_blocking", "< for <=", "a mark composes over another one of its class");
  fault("nfc_hangul_tail", "missing case", "the last part of a decomposed syllable is lost");
  fault("nfc_marks_as_they_came", "missing step", "marks are not put in order");
  fault("nfc_long_runs_unordered", "missing case", "long runs of marks are not put in order");
  fault("nfc_inside_a_character", "off by one", "the quick check goes on inside a character");
  fault("nfc_one_plane", "missing case", "characters beyond the first plane are taken as normal");
}

}  // namespace assay::validation::tokenizer
