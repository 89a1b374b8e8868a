#include "engine/llm/tokenizer/pre_tokenizer_names.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "engine/vocabulary/split_patterns.hpp"

namespace assay::tokenizer {
namespace {

using enum SplitStep;

const std::vector<PreTokenizer>& table() {
  static const std::vector<PreTokenizer> all = {
      {.name = "gpt-2", .split = {gpt2}},
      {.name = "llama-bpe", .split = {llama3}, .ignore_merges = true, .add_bos = true},
      {.name = "qwen2", .split = {qwen2}, .nfc = true},
      {.name = "gpt-4o", .split = {gpt4o}},
      {.name = "starcoder", .split = {number, gpt2}},
      {.name = "refact", .split = {number, gpt2}},
      {.name = "falcon", .split = {punctuation_run, gpt2, digit_triple}},
      {.name = "deepseek-coder",
       .split = {line_break, deepseek_coder_letters, deepseek_coder_punctuation, deepseek_cjk, number}},
      {.name = "deepseek-llm",
       .split = {line_break, deepseek_llm_letters, deepseek_llm_punctuation, deepseek_llm_trailing_space,
                 deepseek_cjk, numbers}},
      // MPT's tokenizer is GPT-NeoX's, which normalises.
      {.name = "mpt", .split = {gpt2}, .nfc = true},
      {.name = "deepseek-r1-qwen", .split = {qwen2}, .nfc = true},
      {.name = "phi-2", .split = {gpt2}},
      {.name = "default", .split = {punctuation_run_default, gpt2, numbers, digit_triple}},
  };
  return all;
}

/// A regular expression as `pattern_of` spells it: characters beyond ASCII and line breaks as escapes. Files
/// write some of them as they are.
std::string spelt_with_escapes(std::string_view regex) {
  std::string spelt;
  for (std::size_t at = 0; at < regex.size();) {
    const unsigned lead = static_cast<std::uint8_t>(regex[at]);
    if (lead == '\n' || lead == '\r') {
      spelt += lead == '\n' ? "\\n" : "\\r";
      ++at;
    } else if (lead < 0x80) {
      spelt += regex[at++];
    } else {
      const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      std::uint32_t point = lead & (0x7F >> size);
      for (std::size_t i = 1; i < size && at + i < regex.size(); ++i)
        point = point << 6 | (static_cast<std::uint8_t>(regex[at + i]) & 0x3F);
      char escape[16];
      std::snprintf(escape, sizeof escape, "\\x{%X}", point);
      spelt += escape;
      at += size;
    }
  }
  return spelt;
}

}  // namespace

const PreTokenizer* find_pre_tokenizer(std::string_view name) {
  const auto found = std::find_if(table().begin(), table().end(),
                                  [&](const PreTokenizer& each) { return each.name == name; });
  return found == table().end() ? nullptr : &*found;
}

std::string pre_tokenizer_names() {
  std::string names;
  for (const PreTokenizer& each : table()) names += (names.empty() ? "" : ", ") + std::string(each.name);
  return names;
}

std::optional<SplitStep> find_pattern(std::string_view regex) {
  const std::string spelt = spelt_with_escapes(regex);
  for (int step = 0; step <= static_cast<int>(deepseek_llm_trailing_space); ++step)
    if (pattern_of(static_cast<SplitStep>(step)) == spelt) return static_cast<SplitStep>(step);
  return std::nullopt;
}

bool covers_all_text(SplitStep step) {
  return step == gpt2 || step == llama3 || step == qwen2 || step == gpt4o;
}

}  // namespace assay::tokenizer
