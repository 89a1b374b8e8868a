#include <stdexcept>

#include "ci/program/backend_choice.hpp"
#include "ci/program/commands.hpp"
#include "ci/program/failure.hpp"
#include "ci/program/json_lines.hpp"
#include "ci/program/round_trips.hpp"
#include "ci/program/shown_pieces.hpp"
#include "ci/program/tokenizer_input.hpp"
#include "ci/program/train_tokenizer.hpp"
#include "engine/io/bytes.hpp"
#include "engine/llm/tokenizer/chat.hpp"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace assay::program {
namespace {

using nlohmann::json;
using tokenizer::EncodeOptions;
using tokenizer::Encoding;
using tokenizer::Tokenizer;

EncodeOptions encode_options(const Invocation& invocation) {
  EncodeOptions options;
  options.parse_special = !invocation.flag("no-parse-special");
  options.add_special = invocation.flag("add-special");
  const std::string invalid = invocation.choice("invalid-utf8", {"replace", "bytes", "error"});
  options.invalid = invalid == "replace" ? tokenizer::InvalidUtf8::replace
                    : invalid == "bytes" ? tokenizer::InvalidUtf8::bytes
                                         : tokenizer::InvalidUtf8::refuse;
  return options;
}

std::string bytes_of_hexadecimal(const std::string& text) {
  const auto digit = [](char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    throw std::invalid_argument(
        fmt::format("bytes_hex: '{}', expected hexadecimal digits", io::printable({&letter, 1})));
  };
  if (text.size() % 2 != 0)
    throw std::invalid_argument("bytes_hex: an odd number of digits, expected two a byte");
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += 2)
    bytes += static_cast<char>(digit(text[at]) * 16 + digit(text[at + 1]));
  return bytes;
}

/// The text of a line: `text`, or `bytes_hex` for what may be no UTF-8.
std::string text_of(const json& line) {
  const bool has_text = line.contains("text"), has_bytes = line.contains("bytes_hex");
  if (has_text == has_bytes) throw std::invalid_argument("expected either text or bytes_hex");
  const char* const key = has_text ? "text" : "bytes_hex";
  if (!line[key].is_string()) throw std::invalid_argument(fmt::format("{}: expected a string", key));
  return has_text ? line["text"].get<std::string>()
                  : bytes_of_hexadecimal(line["bytes_hex"].get<std::string>());
}

int tokenize_lines(Invocation& invocation, const Tokenizer& tokenizer, const EncodeOptions& options) {
  if (invocation.flag("show")) invocation.refuse("show", "goes without --jsonl");
  ThreadPool pool(threads_of(invocation));
  const std::string path = invocation.text("jsonl");
  const int bad = answer_json_lines(
      path, pool,
      [&](const json& line) {
        const Result<Encoding> encoding = tokenizer.encode(text_of(line), options);
        if (!encoding) throw std::invalid_argument(encoding.error().message);
        return fmt::format("{{\"ids\":[{}]}}", fmt::join(encoding.value().ids, ","));
      },
      [&](const std::string& line) { invocation.print(line + "\n"); });
  if (bad == 0) return code_of(ExitCode::ok);
  throw Failure(ExitCode::usage, fmt::format("{} lines of {} could not be tokenized", bad, path));
}

void print_document(const Invocation& invocation, const Tokenizer& tokenizer, const Encoding& encoding) {
  nlohmann::ordered_json document{{"ids", encoding.ids}, {"pieces", nlohmann::ordered_json::array()}};
  for (const TokenId id : encoding.ids)
    document["pieces"].push_back(as_utf8(tokenizer.description().vocabulary.bytes_of(id)));
  if (encoding.spans.size() == encoding.ids.size()) document["offsets"] = nlohmann::ordered_json::array();
  for (const tokenizer::TextSpan& span : encoding.spans)
    document["offsets"].push_back({span.begin, span.end});
  invocation.print_json(document);
}

/// A JSON array of {"role", "content"}.
std::vector<tokenizer::ChatMessage> messages_in(const std::string& path) {
  const io::FileBytes file = value_or_fail(io::read_file(path));
  const json document = json::parse(file.view(), nullptr, false);
  if (!document.is_array()) throw Failure(ExitCode::usage, path + ": expected a JSON array of messages");
  std::vector<tokenizer::ChatMessage> messages;
  for (const json& each : document) {
    if (!each.is_object() || !each.contains("role") || !each["role"].is_string() ||
        !each.contains("content") || !each["content"].is_string())
      throw Failure(ExitCode::usage, fmt::format("{}: message {}: expected role and content, both strings",
                                                 path, messages.size()));
    messages.push_back({each["role"].get<std::string>(), each["content"].get<std::string>()});
  }
  return messages;
}

Encoding encode_messages(const Invocation& invocation, const Tokenizer& tokenizer) {
  const std::string path = invocation.text("messages");
  const std::string name = invocation.text("chat");
  const auto format = tokenizer::chat_format_named(name);
  if (!format)
    invocation.refuse("chat", fmt::format("'{}', expected {}", name, tokenizer::chat_format_names()));
  for (const char* const option : {"add-special", "no-parse-special"})
    if (invocation.given(option))
      invocation.refuse(option, "goes without --messages: the format says what is special");
  const std::vector<tokenizer::ChatMessage> messages = messages_in(path);
  const bool answer_next = messages.empty() || messages.back().role != "assistant";
  const Result<Encoding> made = tokenizer::encode_chat(tokenizer, *format, messages, answer_next);
  if (!made) throw Failure(ExitCode::usage, path + ": " + made.error().message);
  return made.value();
}

int run_tokenize(Invocation& invocation) {
  if (invocation.given("train")) return train_tokenizer(invocation);
  if (invocation.given("round-trips")) return check_round_trips(invocation, open_tokenizer(invocation));
  int sources = 0;
  for (const char* const source : {"text", "file", "jsonl", "messages"})
    sources += invocation.given(source) ? 1 : 0;
  if (sources != 1)
    throw Failure(ExitCode::usage,
                  "expected one of --text TEXT, --file FILE, --jsonl FILE and --messages FILE");
  EncodeOptions options = encode_options(invocation);
  const Tokenizer tokenizer = open_tokenizer(invocation);
  if (invocation.given("jsonl")) return tokenize_lines(invocation, tokenizer, options);

  io::FileBytes file;
  std::string given;
  if (invocation.given("file"))
    file = value_or_fail(io::read_file(invocation.text("file")));
  else if (invocation.given("text"))
    given = invocation.text("text");
  options.offsets = invocation.json();
  const Encoding encoding =
      invocation.given("messages")
          ? encode_messages(invocation, tokenizer)
          : value_or_fail(tokenizer.encode(invocation.given("file") ? file.view() : given, options));
  if (invocation.json())
    print_document(invocation, tokenizer, encoding);
  else if (invocation.flag("show"))
    invocation.print(shown_pieces(tokenizer.description(), encoding.ids, colours_wanted()));
  else
    invocation.print(fmt::format("{}\n", fmt::join(encoding.ids, ",")));
  return code_of(ExitCode::ok);
}

}  // namespace

Command describe_tokenize() {
  Command command;
  command.path = "tokenize";
  command.summary = "Text to the ids of a model's tokens, exactly as the model's own tokenizer has them";
  command.examples = R"(Examples:
  assay tokenize --tokenizer tokenizer.json --text "Hello world"
  assay tokenize --tokenizer model.gguf --text "Hello world" --show
  assay tokenize --tokenizer model.gguf --file book.txt --add-special --json
  assay tokenize --tokenizer model.gguf --messages conversation.json --chat llama-3
  assay tokenize --tokenizer o200k_base.tiktoken --pre gpt-4o --jsonl texts.jsonl --threads 8
  assay tokenize --train corpus.txt --tokens 8000 --special "<|endoftext|>" --out tokenizer.json
Each line of --jsonl is an object with "text", or "bytes_hex" for bytes that may be no UTF-8; the answers, {"ids":[...]}, come in order.
--json prints ids, pieces (bytes that are no UTF-8 as U+FFFD) and offsets into the text in bytes.
Exit codes: 0 tokenized, 2 bad input (with --jsonl after all lines, each with its ids or an "error"), 6 no line.)";
  command.options = tokenizer_options();
  const std::vector<Option> own = {
      {"text", "TEXT", "this text"},
      {"file", "FILE", "the text in a file"},
      {"jsonl", "FILE", "a text a line"},
      {"messages", "FILE",
       "a conversation: a JSON array of messages with role and content; up to the model's next answer"},
      {"chat", "FORMAT",
       "how it is written out: chatml (Qwen2), llama-2, llama-3, phi-3 or harmony (GPT-OSS)", "chatml"},
      {"add-special", "", "also BOS and EOS, as the file says"},
      {"no-parse-special", "", "special tokens in the text are text"},
      {"invalid-utf8", "HOW",
       "what is no UTF-8: replace (U+FFFD, one a maximal subpart), bytes (goes through) or error", "replace"},
      {"show", "", "the pieces, coloured on a terminal"},
      {"round-trips", "N", "encode and decode N random texts instead, and count what comes back changed"}};
  command.options.insert(command.options.end(), own.begin(), own.end());
  const std::vector<Option> training = training_options();
  command.options.insert(command.options.end(), training.begin(), training.end());
  command.run = run_tokenize;
  return command;
}

}  // namespace assay::program
