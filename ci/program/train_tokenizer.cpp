#include "ci/program/train_tokenizer.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ci/program/console.hpp"
#include "ci/program/failure.hpp"
#include "engine/io/atomic_write.hpp"
#include "engine/io/bytes.hpp"
#include "engine/llm/tokenizer/trainer.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {

using tokenizer::Trainer;

/// A document a line, its "text".
std::size_t add_lines(Trainer& trainer, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Failure(ExitCode::usage, path + ": cannot be read");
  std::size_t pieces = 0;
  std::int64_t number = 0;
  for (std::string text; std::getline(file, text);) {
    ++number;
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto line = nlohmann::json::parse(text, nullptr, false);
    const std::string place = fmt::format("{}:{}", path, number);
    if (!line.is_object() || !line.contains("text") || !line["text"].is_string())
      throw Failure(ExitCode::usage, place + ": expected a JSON object with a string \"text\"");
    pieces += value_or_fail(trainer.add(place, line["text"].get_ref<const std::string&>()));
  }
  return pieces;
}

std::size_t add_file(Trainer& trainer, const std::string& path) {
  if (path.ends_with(".jsonl")) return add_lines(trainer, path);
  const io::FileBytes file = value_or_fail(io::read_file(path));
  return value_or_fail(trainer.add(path, file.view()));
}

std::vector<std::string> special_tokens(const Invocation& invocation) {
  std::vector<std::string> special;
  if (!invocation.given("special")) return special;
  for (std::string& content : split_list(invocation.text("special"))) {
    if (content.empty() || std::find(special.begin(), special.end(), content) != special.end())
      invocation.refuse("special", fmt::format("'{}' is empty or comes twice", content));
    special.push_back(std::move(content));
  }
  return special;
}

}  // namespace

std::vector<Option> training_options() {
  return {{"train", "FILE,..",
           "learn a byte-level BPE tokenizer from these files instead: text, or .jsonl with \"text\""},
          {"tokens", "N", "of the vocabulary in all, with 256 for the bytes", "32000"},
          {"least-count", "N", "pairs that occur less often are not merged", "2"},
          {"special", "TEXT,..", "special tokens, the first of all"},
          {"out", "FILE", "the tokenizer.json to write"}};
}

int train_tokenizer(Invocation& invocation) {
  for (const char* const other :
       {"tokenizer", "text", "file", "jsonl", "show", "add-special", "no-parse-special"})
    if (invocation.given(other)) invocation.refuse(other, "does not go with --train");
  if (!invocation.given("out")) invocation.refuse("train", "needs --out FILE, the tokenizer.json to write");
  const std::string name = invocation.maybe_text("pre").value_or("gpt-2");
  const tokenizer::PreTokenizer* const pre = tokenizer::find_pre_tokenizer(name);
  if (pre == nullptr)
    invocation.refuse(
        "pre", fmt::format("'{}' is not known, expected one of {}", name, tokenizer::pre_tokenizer_names()));
  const std::vector<std::string> special = special_tokens(invocation);
  tokenizer::LearningOptions options;
  options.tokens = static_cast<std::size_t>(
      invocation.integer("tokens", static_cast<std::int64_t>(256 + special.size()), max_tokens));
  options.least_count = static_cast<std::uint64_t>(invocation.integer("least-count", 1, INT64_MAX));

  Trainer trainer(*pre, special);
  std::size_t pieces = 0;
  for (const std::string& path : split_list(invocation.text("train"))) pieces += add_file(trainer, path);
  if (pieces == 0) throw Failure(ExitCode::vacuous, "no text to learn from");
  tokenizer::TrainedFile made;
  {
    ProgressLine line(invocation.console(), "tokens");
    options.progress = [&](std::size_t done, std::size_t total) {
      line.update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total));
    };
    made = trainer.tokenizer_json(options);
  }
  const std::string out = invocation.text("out");
  value_or_fail(io::write_file(out, {made.text}));
  if (invocation.json())
    invocation.print_json({{"out", out},
                           {"tokens", made.tokens},
                           {"merges", made.merges},
                           {"pieces", pieces},
                           {"different_pieces", trainer.pieces().size()}});
  else
    invocation.print(fmt::format("{}: {} tokens, {} merges, from {} pieces ({} different)\n", out,
                                 made.tokens, made.merges, pieces, trainer.pieces().size()));
  return code_of(ExitCode::ok);
}

}  // namespace assay::program
