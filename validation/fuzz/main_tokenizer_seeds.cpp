/// Writes the files that the target of tokenizer files begins with into a folder: main_tokenizer_seeds
/// FOLDER.

#include <cstdio>
#include <fstream>
#include <string>

#include "engine/llm/tokenizer/test_files.hpp"

namespace {

using namespace assay;

std::string folder;

void write(const char* name, const std::string& bytes) {
  std::ofstream(folder + "/" + name, std::ios::binary) << bytes;
  std::printf("%s: %zu bytes\n", name, bytes.size());
}

/// The bytes that a byte-level vocabulary must have, in base64, a line each.
std::string ranks() {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string file;
  for (unsigned byte = ' '; byte <= '~'; ++byte)
    file += std::string{letters[byte >> 2], letters[(byte & 3) << 4], '=', '='} + " " +
            std::to_string(byte - ' ') + "\n";
  return file + "aGU= 95\naGVs 96\n";
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  folder = arguments[1];
  tokenizer::ByteLevelFile file;
  write("plain.json", file.json());
  file.pairs = true;
  file.normalizer = R"({"type":"NFC"})";
  file.pre_tokenizer =
      R"({"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"Punctuation","behavior":"Contiguous"},{"type":"Split","pattern":{"Regex":"\\p{N}+"},"behavior":"Isolated","invert":false},{"type":"ByteLevel","use_regex":true,"add_prefix_space":false}]})";
  file.added =
      R"([{"id":262,"content":"<s>","special":true},{"id":264,"content":"[x]","lstrip":true,"normalized":true}])";
  file.post_processor =
      R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"ids":[262]}}})";
  write("all.json", file.json());
  write(
      "spaces.json",
      R"({"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},"decoder":{"type":"Strip","content":" ","start":1,"stop":0},"model":{"type":"BPE","unk_token":"<unk>","byte_fallback":true,"fuse_unk":true,"vocab":{"<unk>":0,"▁":1,"a":2,"▁a":3,"<0x0A>":4},"merges":["▁ a"]}})");
  write("byte_level.gguf", tokenizer::byte_level_gguf({}).bytes());
  write(
      "spaces.gguf",
      tokenizer::sentencepiece_gguf({"\u2581", "a", "\u2581a"}).set("general.architecture", "phi3").bytes());
  write("ranks", "T" + ranks());
  std::string vocab = "V{";
  std::size_t id = 0;
  for (const std::string& token : file.tokens())
    vocab += (id > 0 ? "," : "") + tokenizer::in_json(token) + ":" + std::to_string(id), ++id;
  write("vocab", vocab + "}" + std::string(1, '\0') + "#version: 0.2\nh e\nl l\n");
  return 0;
}
