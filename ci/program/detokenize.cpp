#include <stdexcept>

#include "ci/program/backend_choice.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/json_lines.hpp"
#include "ci/program/tokenizer_input.hpp"
#include "engine/llm/tokenizer/decoder.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

using nlohmann::json;
using tokenizer::DecodeOptions;

struct Decoded {
  std::string text;               ///< all together
  std::vector<std::string> emit;  ///< what can be handed out after each token
  std::string flush;              ///< what is left at the end
};

Decoded decoded(const TokenizerDescription& description, const std::vector<TokenId>& ids,
                DecodeOptions options) {
  tokenizer::StreamDecoder decoder(description, options);
  Decoded made;
  for (const TokenId id : ids) {
    decoder.add(id, made.emit.emplace_back());
    made.text += made.emit.back();
  }
  decoder.finish(made.flush);
  made.text += made.flush;
  return made;
}

nlohmann::ordered_json document_of(const Decoded& decoded) {
  return {{"text", decoded.text}, {"emit", decoded.emit}, {"flush", decoded.flush}};
}

std::vector<TokenId> ids_of(const json& line, std::size_t tokens) {
  if (!line.contains("ids") || !line["ids"].is_array()) throw std::invalid_argument("ids: expected an array");
  std::vector<TokenId> ids;
  for (const json& value : line["ids"]) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= tokens)
      throw std::invalid_argument(
          fmt::format("ids[{}]: {}, expected the id of a token, below {}", ids.size(), value.dump(), tokens));
    ids.push_back(value.get<TokenId>());
  }
  return ids;
}

int run_detokenize(Invocation& invocation) {
  if (invocation.given("ids") == invocation.given("jsonl"))
    throw Failure(ExitCode::usage, "expected one of --ids IDS and --jsonl FILE");
  const DecodeOptions options{.skip_special = invocation.flag("skip-special")};
  const tokenizer::Tokenizer tokenizer = open_tokenizer(invocation);
  const TokenizerDescription& description = tokenizer.description();
  const std::size_t tokens = description.vocabulary.size();
  if (invocation.given("jsonl")) {
    ThreadPool pool(threads_of(invocation));
    const std::string path = invocation.text("jsonl");
    const int bad = answer_json_lines(
        path, pool,
        [&](const json& line) {
          return document_of(decoded(description, ids_of(line, tokens), options)).dump();
        },
        [&](const std::string& line) { invocation.print(line + "\n"); });
    if (bad == 0) return code_of(ExitCode::ok);
    throw Failure(ExitCode::usage, fmt::format("{} lines of {} hold no ids of this tokenizer", bad, path));
  }
  std::vector<TokenId> ids;
  for (const std::int64_t id : invocation.integers("ids", 0, static_cast<std::int64_t>(tokens) - 1))
    ids.push_back(static_cast<TokenId>(id));
  const Decoded made = decoded(description, ids, options);
  if (invocation.json())
    invocation.print_json(document_of(made));
  else
    invocation.print(made.text + "\n");
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_detokenize() {
  Command command;
  command.path = "detokenize";
  command.summary = "Ids of a model's tokens to text, whole or token by token";
  command.examples = R"(Examples:
  assay detokenize --tokenizer model.gguf --ids 9906,1917
  assay detokenize --tokenizer tokenizer.json --jsonl ids.jsonl
Each line of --jsonl is an object with "ids"; the answers have the text, "emit": what a stream hands out after each token
(whole characters only), and "flush": what is left at the end. Bytes that are no UTF-8 become U+FFFD, one a maximal subpart.
Exit codes: 0 decoded, 2 bad input (with --jsonl after all lines, each with its text or an "error"), 6 no line.)";
  command.options = tokenizer_options();
  const std::vector<Option> own = {{"ids", "IDS", "1,2,3"},
                                   {"jsonl", "FILE", "ids a line"},
                                   {"skip-special", "", "leave special tokens out"}};
  command.options.insert(command.options.end(), own.begin(), own.end());
  command.run = run_detokenize;
  return command;
}

}  // namespace assay::program
