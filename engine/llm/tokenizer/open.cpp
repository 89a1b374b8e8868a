#include "engine/llm/tokenizer/open.hpp"

#include "engine/io/mapped_file.hpp"
#include "engine/llm/tokenizer/gguf_tokenizer.hpp"
#include "engine/llm/tokenizer/rank_file.hpp"
#include "engine/llm/tokenizer/tokenizer_json.hpp"
#include "engine/llm/tokenizer/vocab_and_merges.hpp"

namespace assay::tokenizer {
namespace {

constexpr std::string_view vocab_ending = "vocab.json";

bool ends_with(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

Result<TokenizerDescription> open_vocab_and_merges(const std::string& path, std::string_view vocab,
                                                   const std::string& pre) {
  const std::string merges_path = path.substr(0, path.size() - vocab_ending.size()) + "merges.txt";
  const Result<io::MappedFile> merges = io::MappedFile::open(merges_path);
  if (!merges) return merges.error();
  return read_vocab_and_merges(path, vocab, merges_path, merges.value().view(), pre);
}

}  // namespace

Result<TokenizerDescription> parse(const std::string& name, std::string_view bytes, const std::string& pre) {
  if (bytes.substr(0, 4) == "GGUF") {
    const Result<gguf::File> file = gguf::File::parse(name, bytes);
    if (!file) return file.error();
    return read_gguf_tokenizer(file.value(), pre);
  }
  if (ends_with(name, ".tiktoken")) return read_rank_file(name, bytes, pre);
  const std::size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || bytes[first] != '{')
    return InputError{
        InputError::Code::malformed,
        name + ": is no tokenizer, expected a GGUF file, a tokenizer.json, a .tiktoken file or a vocab.json",
        {},
        {},
        {}};
  if (!pre.empty())
    return InputError{InputError::Code::malformed,
                      name + ": a tokenizer.json says itself how text is split, expected no --pre",
                      {},
                      {},
                      {}};
  return read_tokenizer_json(name, bytes);
}

Result<TokenizerDescription> open(const std::string& path, const std::string& pre) {
  const Result<io::MappedFile> file = io::MappedFile::open(path);
  if (!file) return file.error();
  const std::string_view bytes = file.value().view();
  if (ends_with(path, vocab_ending) && bytes.substr(0, 4) != "GGUF")
    return open_vocab_and_merges(path, bytes, pre);
  return parse(path, bytes, pre);
}

}  // namespace assay::tokenizer
