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
  suite.property({.name = "tokens_are_the_text",
                  .summary = "The bytes of the tokens, put together, are the text.",
                  .body = tokens_are_the_text,
                  .cases = 100,
                  .negative_control = tokens_are_another_text});
  suite.property({.name = "refuses_what_does_not_fit",
                  .summary = "Arrays that are no tokenizer, and text that is no UTF-8, are refused.",
                  .body = refuses_what_does_not_fit,
                  .cases = 1,
                  .negative_control = what_fits_is_refused});
}

}  // namespace assay::validation::tokenizer
