#include <rapidcheck.h>

#include "engine/tokenizers/arguments.hpp"
#include "validation/generators.hpp"
#include "validation/refusals.hpp"
#include "validation/suite.hpp"
#include "validation/tokens/texts.hpp"
#include "validation/tokens/vocabularies.hpp"

namespace assay::validation::tokenizer {

namespace {

using tokens::Recipe;
using tokens::Text;
constexpr const char* operation = "tokenizer.decode";

/// Tokens at which decoding decides something: every byte alone (ids 0 to 255), then whole and half
/// characters, spaces, and tokens of each other kind.
const TokenizerDescription& tokenizer() {
  static const TokenizerDescription made = [] {
    VocabularyBuilder builder;
    for (int byte = 0; byte < 256; ++byte) {
      const char text = static_cast<char>(byte);
      builder.add({&text, 1}, byte % 2 == 0 ? TokenKind::normal : TokenKind::byte);
    }
    for (const char* text : {" ", " a", "  ", "\u00E9", "\u4E00", "\U0001F600", "\xE4\xB8", "\x80\xE4",
                             "\xF0\x9F\x98", "a\xC3", "\xA9 b", "\xED\xA0", "\xF4\x90"})
      builder.add(text, TokenKind::normal);
    builder.add("<s>", TokenKind::control);
    builder.add(" </s>", TokenKind::control);
    builder.add("<unk>", TokenKind::unknown);
    builder.add(" added", TokenKind::user_defined);
    builder.add("[PAD]", TokenKind::unused);
    builder.add("", TokenKind::unused);
    return TokenizerDescription{builder.build(), {}};
  }();
  return made;
}

HostArguments arguments_of(const std::vector<std::int32_t>& ids, bool strips, bool skips) {
  HostArguments all = assay::tokenizers::arguments_of(tokenizer());
  HostArguments made;
  for (const char* input : {"token_bytes", "token_ends", "token_kinds"})
    made.inputs.emplace(input, std::move(all.inputs.at(input)));
  made.inputs.emplace("ids", Tensor::from(ids, {std::ssize(ids)}));
  made.parameters.emplace("strip_first_space", strips);
  made.parameters.emplace("skip_special", skips);
  return made;
}

/// Half of them from behind the single bytes, where whole characters are, and lead bytes more often than
/// others.
std::int32_t drawn_id() {
  const auto tokens = static_cast<std::int64_t>(tokenizer().vocabulary.size());
  switch (*integers(0, 3, "kind of token")) {
    case 0:
      return static_cast<std::int32_t>(*integers(0, 255, "byte"));
    case 1:
      return static_cast<std::int32_t>(*integers(0x80, 0xF5, "byte of a character"));
    default:
      return static_cast<std::int32_t>(*integers(256, tokens - 1, "token"));
  }
}

std::vector<std::int32_t> drawn_ids(std::int64_t most) {
  std::vector<std::int32_t> ids;
  const std::int64_t count = *integers(0, most, "tokens");
  for (std::int64_t i = 0; i < count; ++i) ids.push_back(drawn_id());
  return ids;
}

HostArguments drawn_call() {
  const bool strips = *integers(0, 1, "strips") == 1, skips = *integers(0, 1, "skips") == 1;
  return arguments_of(drawn_ids(20), strips, skips);
}

void matches_the_definition(Probe& probe) {
  probe.expect_reference(operation, drawn_call());
}

/// Every pair and, behind a lead byte, every triple of bytes of a few ranges.
void every_ill_formed_beginning(Probe& probe) {
  std::vector<std::int32_t> ids;
  const std::vector<std::int32_t> bytes = {0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                           0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
                                           0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
  for (const std::int32_t first : bytes)
    for (const std::int32_t second : bytes)
      for (const std::int32_t third : {0x41, 0x80, 0xBF, 0xE0, 0xF0})
        ids.insert(ids.end(), {first, second, third});
  probe.expect_reference(operation, arguments_of(ids, false, false));
}

/// Whatever is handed out is UTF-8, and the text of all ids begins with that of the first ones.
void a_longer_text_begins_with_a_shorter(Probe& probe) {
  const std::vector<std::int32_t> ids = drawn_ids(12);
  const auto all = probe.run(operation, arguments_of(ids, false, false));
  const auto emitted = all.at("emitted").as<std::int32_t>();
  const auto text = all.at("text").as<std::uint8_t>();
  for (std::size_t count = 0; count < ids.size(); ++count) {
    const auto first = probe.run(
        operation,
        arguments_of({ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count) + 1}, false, false));
    const auto size = static_cast<std::size_t>(emitted[count]);
    probe.expect(first.at("emitted").as<std::int32_t>()[count] == emitted[count],
                 "as much is handed out, whatever follows");
    const auto shorter = first.at("text").as<std::uint8_t>();
    probe.expect(std::equal(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size), shorter.begin()),
                 "the same is handed out, whatever follows");
  }
}

void another_text_begins_otherwise(Probe& probe) {
  const auto all = probe.run(operation, arguments_of({0x41, 0x42}, false, false));
  const auto other = probe.run(operation, arguments_of({0x43}, false, false));
  probe.expect(all.at("text").as<std::uint8_t>()[0] == other.at("text").as<std::uint8_t>()[0],
               "the same is handed out, whatever follows");
}

/// Encoded and decoded, text is what it was.
void compare_round_trip(Probe& probe, const std::string& text, const std::string& encoded) {
  const TokenizerDescription byte_level = Recipe{.tokens = 60, .split = 2}.description();
  HostArguments forth = assay::tokenizers::arguments_of(byte_level);
  HostArguments back;
  for (const char* input : {"token_bytes", "token_ends", "token_kinds"})
    back.inputs.emplace(input, forth.inputs.at(input).clone());
  forth.inputs.emplace("text", tokens::tensor_of(encoded));
  const auto found = probe.run("tokenizer.encode", forth);
  std::vector<std::int32_t> ids;
  for (const std::int32_t id : found.at("ids").as<std::int32_t>())
    if (id >= 0) ids.push_back(id);
  back.inputs.emplace("ids", Tensor::from(ids, {std::ssize(ids)}));
  const auto outputs = probe.run(operation, back);
  const auto made = outputs.at("text").as<std::uint8_t>();
  const auto size = static_cast<std::size_t>(outputs.at("emitted").as<std::int32_t>().back());
  probe.expect(std::string(made.begin(), made.begin() + static_cast<std::ptrdiff_t>(size)) == text,
               "decoding what was encoded gives the text");
}

void decodes_what_was_encoded(Probe& probe) {
  const Text text = *tokens::texts(60);
  compare_round_trip(probe, text.bytes(), text.bytes());
}

void decodes_something_else(Probe& probe) {
  compare_round_trip(probe, "the", "thx");
}

void refuses_ids_that_are_no_tokens(Probe& probe) {
  for (const std::int32_t id : {-1, static_cast<std::int32_t>(tokenizer().vocabulary.size())})
    expect_refused(probe, operation, arguments_of({0x41, id}, false, false), "ids", "an id that is no token");
}

void tokens_are_refused(Probe& probe) {
  expect_refused(probe, operation, arguments_of({0x41}, false, false), "ids", "the id of a token");
}

}  // namespace

void describe_decode(Suite& suite) {
  suite.calls(drawn_call);
  suite.property({.name = "matches_the_definition",
                  .summary = "After each token, as much as is whole characters of all bytes so far.",
                  .body = matches_the_definition,
                  .cases = 400});
  suite.property(
      {.name = "every_ill_formed_beginning",
       .summary =
           "Bytes at the edges of UTF-8's ranges, in every order of two, are replaced by maximal subparts.",
       .body = every_ill_formed_beginning,
       .cases = 1});
  suite.property({.name = "a_longer_text_begins_with_a_shorter",
                  .summary = "What a stream has handed out stays, whatever follows.",
                  .body = a_longer_text_begins_with_a_shorter,
                  .cases = 50,
                  .negative_control = another_text_begins_otherwise});
  suite.property({.name = "decodes_what_was_encoded",
                  .summary = "A byte-level tokenizer gives back the text that it was given.",
                  .body = decodes_what_was_encoded,
                  .cases = 100,
                  .negative_control = decodes_something_else});
  suite.property({.name = "refuses_ids_that_are_no_tokens",
                  .summary = "Ids that are no tokens are refused.",
                  .body = refuses_ids_that_are_no_tokens,
                  .cases = 1,
                  .negative_control = tokens_are_refused});
  const auto fault = [&](const char* id, const char* fault_class, const char* what) {
    suite.mutant({.id = std::string("tokenizer.decode.") + id, .fault_class = fault_class, .what = what});
  };
  fault("half_character_handed_out", "missing guard",
        "an incomplete character is replaced before its rest comes");
  fault("subpart_byte_by_byte", "off by one", "a U+FFFD for each byte of an ill-formed part");
  fault("unknown_is_shown", "missing case", "unknown tokens are shown where special ones are left out");
  fault("strips_every_space", "stale state", "a leading space is left out of every token");
  fault("overlong_of_two_bytes", "strictness", "C0 and C1 begin a character");
  fault("second_byte_unchecked", "missing guard", "any continuation byte may follow E0, ED, F0 and F4");
  fault("surrogates_pass", "missing case", "surrogates count as characters");
  fault("beyond_unicode", "off by one", "F5 begins a character");
  fault("takes_the_byte_behind", "off by one", "the byte that ends an ill-formed part is lost with it");
  fault("drops_the_end", "unhandled tail", "an incomplete character at the end is lost");
}

}  // namespace assay::validation::tokenizer
