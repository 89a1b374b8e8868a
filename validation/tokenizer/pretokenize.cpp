#include <rapidcheck.h>

#include "engine/tokenizers/arguments.hpp"
#include "validation/all_of.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"
#include "validation/tokens/texts.hpp"
#include "validation/tokens/vocabularies.hpp"

namespace assay::validation::tokenizer {

namespace {

using tokens::Text;
constexpr const char* operation = "tokenizer.pretokenize";

HostArguments arguments_of(std::string_view text, const std::vector<SplitStep>& split) {
  HostArguments made;
  made.inputs.emplace("text", tokens::tensor_of(text));
  std::vector<std::int64_t> steps;
  for (const SplitStep step : split) steps.push_back(static_cast<std::int64_t>(step));
  made.parameters.emplace("split", steps);
  return made;
}

std::vector<SplitStep> drawn_split() {
  const auto last = static_cast<std::int64_t>(tokens::published_splits().size()) - 1;
  return tokens::published_splits()[static_cast<std::size_t>(*integers(0, last, "split"))];
}

void matches_the_patterns(Probe& probe) {
  const Text text = *tokens::texts(40);
  probe.expect_reference(operation, arguments_of(text.bytes(), drawn_split()));
}

void matches_the_patterns_of_few_kinds(Probe& probe) {
  const Text text = *tokens::texts(30, true, 20);
  probe.expect_reference(operation, arguments_of(text.bytes(), drawn_split()));
}

/// One step alone: no other step hides what it does.
void each_step_matches_its_pattern(Probe& probe) {
  const Text text = *tokens::texts(40);
  const auto last = static_cast<std::int64_t>(SplitStep::deepseek_llm_trailing_space);
  probe.expect_reference(operation,
                         arguments_of(text.bytes(), {static_cast<SplitStep>(*integers(0, last, "step"))}));
}

/// Every text of two atoms between two others.
void every_pair_matches_the_patterns(Probe& probe) {
  const auto count = static_cast<int>(tokens::atoms().size());
  std::vector<Text> rows;
  for (int first = 0; first < count; ++first) {
    Text row;
    for (int second = 0; second < count; ++second) row.parts.insert(row.parts.end(), {first, second});
    rows.push_back(std::move(row));
  }
  const auto halves = [](const Text& text) {
    std::vector<Text> made;
    const auto middle = text.parts.begin() + static_cast<std::ptrdiff_t>(text.parts.size() / 2);
    if (text.parts.size() > 1) made = {{{text.parts.begin(), middle}, 1}, {{middle, text.parts.end()}, 1}};
    return made;
  };
  for (const Text& row : *all_of(std::move(rows), halves).as("text"))
    for (const std::vector<SplitStep>& split : tokens::published_splits())
      probe.expect_reference(operation, arguments_of(row.bytes(), split));
}

void the_last_byte_ends_a_piece(Probe& probe) {
  const Text text = *tokens::texts(40);
  const std::string bytes = text.bytes();
  const auto outputs = probe.run(operation, arguments_of(bytes, drawn_split()));
  const auto ends = outputs.at("ends").as<std::uint8_t>();
  if (bytes.empty()) return;
  probe.expect(ends.back() == 1, "the text's last byte ends a piece");
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i)
    probe.expect(ends[i] == 0 || (bytes[i + 1] & 0xC0) != 0x80, "no piece ends within a character");
}

void a_cut_character_is_seen(Probe& probe) {
  const auto outputs = probe.run(operation, arguments_of("\u00E9", {}));
  probe.expect(outputs.at("ends").as<std::uint8_t>()[0] == 1, "the first byte of two ends a piece");
}

void refuses_what_is_no_utf8(Probe& probe) {
  for (const char* text : {"a\xFF", "\xC3", "\xED\xA0\x80", "\xF4\x90\x80\x80"})
    expect_refused(probe, operation, arguments_of(text, {SplitStep::gpt2}), "text", "no UTF-8");
}

void valid_text_is_refused(Probe& probe) {
  expect_refused(probe, operation, arguments_of("a\u00E9", {SplitStep::gpt2}), "text", "UTF-8");
}

}  // namespace

void describe_pretokenize(Suite& suite) {
  suite.calls([] {
    const Text text = *tokens::texts(20);
    return arguments_of(text.bytes(), drawn_split());
  });
  suite.property({.name = "matches_the_patterns",
                  .summary = "Text is cut where the published patterns, run by PCRE2, cut it.",
                  .body = matches_the_patterns,
                  .cases = 400});
  suite.property({.name = "matches_the_patterns_of_few_kinds",
                  .summary = "So are long runs of few kinds of characters.",
                  .body = matches_the_patterns_of_few_kinds,
                  .cases = 200});
  suite.property({.name = "each_step_matches_its_pattern",
                  .summary = "Each step alone cuts where its pattern does.",
                  .body = each_step_matches_its_pattern,
                  .cases = 400});
  suite.property({.name = "every_pair_matches_the_patterns",
                  .summary = "Every pair of the texts at which patterns decide something, for every "
                             "published sequence of steps.",
                  .body = every_pair_matches_the_patterns,
                  .cases = 1});
  suite.property({.name = "whole_characters",
                  .summary = "The last byte ends a piece, and no piece ends within a character.",
                  .body = the_last_byte_ends_a_piece,
                  .cases = 100,
                  .negative_control = a_cut_character_is_seen});
  suite.property({.name = "refuses_what_is_no_utf8",
                  .summary = "Bytes that are no UTF-8 are refused.",
                  .body = refuses_what_is_no_utf8,
                  .cases = 1,
                  .negative_control = valid_text_is_refused});
  const auto fault = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant(
        {.id = std::string("tokenizer.pretokenize.") + id, .fault_class = fault_class, .what = what});
  };
  fault("brace_is_a_letter", "off by one", "the character behind z belongs to words");
  fault("words_of_eight", "lost tile", "words end after eight letters");
  fault("numbers_too_long", "off by one", "numbers take one digit too many");
  fault("first_line_break", "wrong element", "white space is cut behind its first line break, not its last");
  fault("last_space_kept", "missing guard", "white space takes the space that belongs to the next word");
  fault("upper_case_contraction", "missing case", "contractions in capitals are not seen");
  fault("long_s", "missing case", "the long s is not an s");
  fault("will_missed", "missing case", "the contraction of will is not seen");
  fault("nothing_given_back", "missing case", "capitals take no letters that are both cases in front");
  fault("upper_without_lower", "missing step", "words end behind their capitals");
  fault("word_ends_at_accent", "missing case", "words end before the first letter that is not ASCII");
  fault("mark_is_no_letter", "missing case", "a mark begins no word");
  fault("line_break_before_letters", "missing guard", "a line break goes with the word behind it");
  fault("slash_behind_breaks", "missing case", "symbols do not take the slashes behind them");
  fault("ascii_digits_alone", "off by one", "numbers of any length end after one digit");
  fault("space_of_the_class", "missing case", "white space that a class has itself is not matched alone");
  fault("backtick_everywhere", "missing case", "the backtick is punctuation where the pattern leaves it out");
  fault("last_of_range", "< for <=", "the last character of a range is not in it");
  fault("gap_joins_match", "lost element", "what lies before a match is not a piece of its own");
  fault("rest_lost", "unhandled tail", "what follows the last match is lost");
  fault("one_plane", "overflow", "characters beyond the first plane are taken for others");
  fault("steps_from_the_start", "stale state", "each step splits the text from its start");
}

}  // namespace assay::validation::tokenizer
