#include "engine/llm/tokenizer/gguf_tokenizer.hpp"

#include <cmath>

#include "engine/llm/tokenizer/byte_alphabet.hpp"
#include "engine/llm/tokenizer/description_checks.hpp"
#include "engine/llm/tokenizer/merge_list.hpp"
#include "engine/llm/tokenizer/pre_tokenizer_names.hpp"
#include "engine/llm/tokenizer/sentencepiece_text.hpp"

namespace assay::tokenizer {
namespace {

using gguf::Elements;
using gguf::Value;
using gguf::ValueType;

/// Reads the keys below tokenizer.ggml; keeps the first thing that is wrong.
class Reader {
 public:
  Reader(const gguf::File& file, const std::string& pre) : file_(file), pre_(pre) {}

  Result<TokenizerDescription> read() {
    read_model();
    read_tokens();
    read_scores();
    read_merges();
    read_special_tokens();
    if (error_) return *std::move(error_);
    TokenizerDescription made{tokens_.build(), std::move(specification_)};
    if (const auto missing = what_is_missing(made)) {
      set("tokenizer.ggml.tokens " + *missing, {});
      return *std::move(error_);
    }
    return made;
  }

 private:
  static constexpr std::string_view prefix = "tokenizer.ggml.";

  const Value* find(std::string_view key) const { return file_.find(std::string(prefix) + std::string(key)); }
  void set(const std::string& what, std::optional<std::uint64_t> offset) {
    if (!error_) error_ = InputError{InputError::Code::malformed, file_.path() + ": " + what, offset, {}, {}};
  }
  void refuse(std::string_view key, std::uint64_t offset, const std::string& what,
              const std::string& expected) {
    set(std::string(prefix) + std::string(key) + " " + what + " at byte " + std::to_string(offset) +
            ", expected " + expected,
        offset);
  }
  bool failed() const { return error_.has_value(); }
  bool is_byte_level() const { return specification_.model == TokenizerModel::byte_level_bpe; }

  void read_model() {
    constexpr std::string_view expected = "\"gpt2\" (byte-level BPE) or \"llama\" (SentencePiece's BPE)";
    const Value* const value = find("model");
    if (value == nullptr) return set("has no tokenizer.ggml.model, expected " + std::string(expected), {});
    const std::string_view name = value->as_text().value_or("");
    if (name == "gpt2") {
      specification_.model = TokenizerModel::byte_level_bpe;
      specification_.merge_rule = MergeRule::pair_rank;
      read_pre_tokenizer();
    } else if (name == "llama") {
      specification_.model = TokenizerModel::sentencepiece_bpe;
      specification_.merge_rule = MergeRule::token_score;
      specification_.byte_fallback = true;
      const bool prefixed = flag("add_space_prefix").value_or(true);
      specification_.space_prefix = prefixed ? SpacePrefix::every_segment : SpacePrefix::never;
      specification_.strip_first_space = prefixed;
      adds_bos_ = true;
    } else {
      refuse("model", value->offset, "is " + quoted(name) + meaning(name), std::string(expected));
    }
  }
  static std::string meaning(std::string_view model) {
    if (model == "bert") return " (WordPiece, which is not supported)";
    if (model == "t5") return " (unigram, which is not supported)";
    if (model == "rwkv") return " (RWKV's, which is not supported)";
    return "";
  }

  void read_pre_tokenizer() {
    const Value* const value = find("pre");
    std::string_view name = pre_;
    if (name.empty()) {
      if (value == nullptr)
        return set("has no tokenizer.ggml.pre, which says how text is split: name it (--pre), one of " +
                       pre_tokenizer_names(),
                   {});
      name = value->as_text().value_or("");
    }
    const PreTokenizer* const pre = find_pre_tokenizer(name);
    if (pre == nullptr) {
      if (!pre_.empty())
        return set(
            "the pre-tokenizer " + quoted(pre_) + " is unknown, expected one of " + pre_tokenizer_names(),
            {});
      return refuse("pre", value->offset, "is " + quoted(name),
                    "one of " + pre_tokenizer_names() + "; --pre names one in its place");
    }
    specification_.split = pre->split;
    specification_.nfc = pre->nfc;
    specification_.ignore_merges = pre->ignore_merges;
    adds_bos_ = pre->add_bos;
  }

  /// An array of that element type, or nullptr with the error set where it is no such array.
  const Value* array(std::string_view key, ValueType element, std::uint64_t most) {
    const Value* const value = find(key);
    if (value == nullptr) return nullptr;
    if (value->type != ValueType::array || value->element != element) {
      refuse(key, value->offset,
             "is " + (value->type == ValueType::array ? "an array of " + std::string(name_of(value->element))
                                                      : std::string(name_of(value->type))),
             "an array of " + std::string(name_of(element)));
      return nullptr;
    }
    if (value->count > most) {
      refuse(key, value->offset, "has " + std::to_string(value->count) + " elements",
             "at most " + std::to_string(most));
      return nullptr;
    }
    return value;
  }

  void read_tokens() {
    if (failed()) return;
    const Value* const texts = array("tokens", ValueType::string, max_tokens);
    const Value* const kinds = array("token_type", ValueType::int32, max_tokens);
    if (failed()) return;
    if (texts == nullptr || texts->count == 0)
      return set("has no tokenizer.ggml.tokens, expected an array of strings", {});
    if (kinds != nullptr && kinds->count != texts->count)
      return refuse("token_type", kinds->offset, "has " + std::to_string(kinds->count) + " elements",
                    std::to_string(texts->count) + ", one a token");
    tokens_.reserve(texts->count, texts->bytes.size());
    Elements text(*texts);
    std::optional<Elements> kind;
    if (kinds != nullptr) kind.emplace(*kinds);
    while (const auto next = text.next()) {
      TokenKind type = TokenKind::normal;
      if (kind) {
        const Value value = *kind->next();
        const std::int64_t number = value.as_signed().value_or(-1);
        if (number < 1 || number > 6)
          return refuse("token_type", value.offset,
                        "of token " + std::to_string(tokens_.size()) + " is " + std::to_string(number),
                        "1 to 6 (normal, unknown, control, user-defined, unused, byte)");
        type = static_cast<TokenKind>(number);
      }
      add_token(next->bytes, next->offset, type);
      if (failed()) return;
    }
    tokens_.index();
  }

  void add_token(std::string_view text, std::uint64_t offset, TokenKind kind) {
    const std::size_t id = tokens_.size();
    if (text.size() > max_token_bytes)
      return refuse("tokens", offset,
                    "has token " + std::to_string(id) + " of " + std::to_string(text.size()) + " bytes",
                    "at most " + std::to_string(max_token_bytes));
    if (is_padding(text, id)) kind = TokenKind::unused;
    scratch_.clear();
    if (kind == TokenKind::byte) {
      const auto byte = byte_of_token(text);
      if (!byte)
        return refuse("tokens", offset, "has the byte token " + std::to_string(id) + " " + quoted(text),
                      "<0x00> to <0xFF>");
      scratch_ = static_cast<char>(*byte);
    } else if (kind != TokenKind::normal) {
      scratch_ = text;
    } else if (!is_byte_level()) {
      append_spaces_of_marks(text, scratch_);
    } else if (append_bytes_of_letters(text, scratch_)) {
      return refuse("tokens", offset, "has token " + std::to_string(id) + " " + quoted(text),
                    "letters of the byte-level alphabet");
    }
    tokens_.add(scratch_, kind);
    const bool special = kind == TokenKind::control || kind == TokenKind::unknown;
    if ((special || kind == TokenKind::user_defined) && !text.empty())
      specification_.added.push_back(
          {.id = static_cast<TokenId>(id), .content = std::string(text), .special = special});
  }
  static bool is_padding(std::string_view text, std::size_t id) {
    return text.size() > 5 && text.substr(0, 4) == "[PAD" && text == "[PAD" + std::to_string(id) + "]";
  }

  void read_scores() {
    if (failed() || is_byte_level()) return;
    const Value* const values = array("scores", ValueType::float32, max_tokens);
    if (failed()) return;
    if (values == nullptr)
      return set("has no tokenizer.ggml.scores, expected an array of float32, one a token", {});
    if (values->count != tokens_.size())
      return refuse("scores", values->offset, "has " + std::to_string(values->count) + " elements",
                    std::to_string(tokens_.size()) + ", one a token");
    std::vector<float> scores;
    scores.reserve(values->count);
    Elements each(*values);
    while (const auto next = each.next()) {
      const auto score = static_cast<float>(next->as_real().value_or(NAN));
      if (!std::isfinite(score))
        return refuse("scores", next->offset, "of token " + std::to_string(scores.size()) + " is not finite",
                      "a finite number");
      scores.push_back(score);
    }
    tokens_.set_scores(std::move(scores));
  }

  void read_merges() {
    if (failed() || !is_byte_level()) return;
    const Value* const values = array("merges", ValueType::string, max_merges);
    if (failed()) return;
    if (values == nullptr)
      return set("has no tokenizer.ggml.merges, expected an array of strings \"left right\"", {});
    MergeList merges(tokens_, [](std::string_view letters, std::string& bytes) {
      return !append_bytes_of_letters(letters, bytes);
    });
    merges.reserve(values->count);
    Elements each(*values);
    while (const auto next = each.next())
      if (const auto wrong = merges.add(next->bytes))
        return refuse("merges", next->offset, "has merge " + std::to_string(merges.size()) + ": " + *wrong,
                      "two tokens that make a third");
    tokens_.set_merges(merges.take());
  }

  std::optional<bool> flag(std::string_view key) {
    const Value* const value = find(key);
    if (value == nullptr) return std::nullopt;
    const std::optional<bool> given = value->as_flag();
    if (!given) refuse(key, value->offset, "is " + std::string(name_of(value->type)), "a bool");
    return given;
  }
  TokenId token(std::string_view key, TokenId fallback = no_token) {
    const Value* const value = find(key);
    if (value == nullptr) return fallback < tokens_.size() ? fallback : no_token;
    const std::optional<std::uint64_t> id = value->as_unsigned();
    if (!id || *id >= tokens_.size()) {
      refuse(key, value->offset, id ? "is " + std::to_string(*id) : "is " + std::string(name_of(value->type)),
             "the id of a token, below " + std::to_string(tokens_.size()));
      return no_token;
    }
    return static_cast<TokenId>(*id);
  }

  void read_special_tokens() {
    if (failed()) return;
    // SentencePiece's own numbers, where a file of that model leaves them out.
    const bool fixed = !is_byte_level();
    specification_.bos = token("bos_token_id", fixed ? 1 : no_token);
    specification_.eos = token("eos_token_id", fixed ? 2 : no_token);
    specification_.unknown = token("unknown_token_id", fixed ? 0 : no_token);
    specification_.padding = token("padding_token_id");
    adds_bos_ = flag("add_bos_token").value_or(adds_bos_);
    const bool adds_eos = flag("add_eos_token").value_or(false);
    if (adds_bos_ && specification_.bos == no_token)
      set("tokenizer.ggml.add_bos_token holds, but there is no tokenizer.ggml.bos_token_id", {});
    if (adds_eos && specification_.eos == no_token)
      set("tokenizer.ggml.add_eos_token holds, but there is no tokenizer.ggml.eos_token_id", {});
    if (adds_bos_) specification_.before = {specification_.bos};
    if (adds_eos) specification_.after = {specification_.eos};
    const Value* const architecture = file_.find("general.architecture");
    if (architecture != nullptr && architecture->as_text() == "phi3") strip_as_phi3();
  }
  /// Phi-3's tokenizer.json has rstrip for all its added tokens but these three.
  void strip_as_phi3() {
    for (AddedToken& each : specification_.added)
      each.rstrip = each.content != "<unk>" && each.content != "<s>" && each.content != "<|endoftext|>";
  }

  const gguf::File& file_;
  const std::string& pre_;
  std::optional<InputError> error_;
  VocabularyBuilder tokens_;
  Specification specification_;
  std::string scratch_;
  bool adds_bos_ = false;
};

}  // namespace

Result<TokenizerDescription> read_gguf_tokenizer(const gguf::File& file, const std::string& pre) {
  return Reader(file, pre).read();
}

}  // namespace assay::tokenizer
