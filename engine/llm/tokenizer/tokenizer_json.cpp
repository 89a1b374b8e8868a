#include "engine/llm/tokenizer/tokenizer_json.hpp"

#include <algorithm>
#include <map>

#include "engine/llm/tokenizer/byte_alphabet.hpp"
#include "engine/llm/tokenizer/description_checks.hpp"
#include "engine/llm/tokenizer/json_components.hpp"
#include "engine/llm/tokenizer/json_vocabulary.hpp"
#include "engine/llm/tokenizer/merge_list.hpp"
#include "engine/llm/tokenizer/sentencepiece_text.hpp"

namespace assay::tokenizer {
namespace {

using io::JsonKind;
using io::JsonNode;

/// Reads a document part by part; the first thing that is wrong ends it.
class Reader {
 public:
  Reader(const std::string& name, const JsonNode& document)
      : name_(name), document_(document), model_(document.find("model")) {}

  Result<TokenizerDescription> read() {
    using Step = std::optional<InputError> (Reader::*)();
    for (const Step step :
         {&Reader::read_components, &Reader::read_model, &Reader::read_added_tokens, &Reader::read_vocabulary,
          &Reader::read_merges, &Reader::read_unknown, &Reader::check_template})
      if (std::optional<InputError> wrong = (this->*step)()) return *std::move(wrong);
    TokenizerDescription made{builder_.build(), std::move(specification_)};
    if (const auto missing = what_is_missing(made))
      return json_refusal(name_, "model.vocab", model_.find("vocab"), *missing);
    return made;
  }

 private:
  using Wrong = std::optional<InputError>;

  InputError refuse(std::string_view path, const JsonNode& node, const std::string& what) const {
    return json_refusal(name_, path, node, what);
  }
  bool is_byte_level() const { return specification_.model == TokenizerModel::byte_level_bpe; }

  Wrong read_components() {
    if (!document_.is(JsonKind::object))
      return refuse("the document", document_,
                    "is " + std::string(name_of(document_.kind())) + ", expected an object");
    if (!model_.is(JsonKind::object)) return refuse("model", document_, "is missing, expected an object");
    JsonComponents components(name_, specification_);
    if (Wrong wrong = components.read(document_)) return wrong;
    if (!components.is_byte_level() && !components.marks_spaces())
      return refuse("pre_tokenizer", document_.find("pre_tokenizer"),
                    "has no ByteLevel, and no normalizer replaces spaces by U+2581; expected one of them");
    specification_.model =
        components.is_byte_level() ? TokenizerModel::byte_level_bpe : TokenizerModel::sentencepiece_bpe;
    if (!is_byte_level() && !specification_.split.empty())
      return refuse("pre_tokenizer", document_.find("pre_tokenizer"),
                    "splits the text of a SentencePiece model, which is not supported");
    if (is_byte_level() && components.marks_spaces())
      return refuse("normalizer", document_.find("normalizer"),
                    "replaces spaces before ByteLevel, which is not supported");
    return std::nullopt;
  }

  Wrong read_model() {
    const JsonNode type = model_.find("type");
    // Files of 2019 have no type; what has merges is BPE.
    if (type ? type.text() != "BPE" : !model_.find("merges"))
      return refuse("model.type", type ? type : model_,
                    "is " + quoted(type.text().value_or("")) + ", which is not supported; expected \"BPE\"");
    if (const JsonNode dropout = model_.find("dropout");
        dropout && !dropout.is_null() && dropout.number() != 0.0)
      return refuse("model.dropout", dropout, "is set: ids would be random");
    for (const char* const key : {"continuing_subword_prefix", "end_of_word_suffix"})
      if (const JsonNode affix = model_.find(key); affix && !affix.is_null() && affix.text() != "")
        return refuse("model." + std::string(key), affix,
                      "is " + quoted(affix.text().value_or("")) + ", which is not supported");
    struct Flag {
      const char* key;
      bool* to;
    };
    for (const Flag& flag : {Flag{"byte_fallback", &specification_.byte_fallback},
                             Flag{"fuse_unk", &specification_.fuse_unknown},
                             Flag{"ignore_merges", &specification_.ignore_merges}}) {
      const JsonNode value = model_.find(flag.key);
      if (!value || value.is_null()) continue;
      if (!value.flag())
        return refuse("model." + std::string(flag.key), value,
                      "is " + std::string(name_of(value.kind())) + ", expected a boolean");
      *flag.to = *value.flag();
    }
    return std::nullopt;
  }

  Wrong read_added_tokens() {
    const JsonNode list = document_.find("added_tokens");
    if (!list || list.is_null()) return std::nullopt;
    if (!list.is(JsonKind::array))
      return refuse("added_tokens", list, "is " + std::string(name_of(list.kind())) + ", expected an array");
    std::size_t index = 0;
    for (JsonNode each = list.first(); each; each = each.next()) {
      const std::string path = "added_tokens[" + std::to_string(index++) + "]";
      const std::optional<std::uint64_t> id = each.find("id").whole();
      const std::string_view content = each.find("content").text().value_or("");
      if (!id || *id >= max_tokens)
        return refuse(path, each, "has no id, expected a whole number below " + std::to_string(max_tokens));
      if (content.empty() || content.size() > max_token_bytes)
        return refuse(
            path, each,
            "has no content, expected a text of 1 to " + std::to_string(max_token_bytes) + " bytes");
      const auto set = [&](const char* key) { return each.find(key).flag().value_or(false); };
      AddedToken token{.id = static_cast<TokenId>(*id),
                       .content = std::string(content),
                       .special = set("special"),
                       .lstrip = set("lstrip"),
                       .rstrip = set("rstrip"),
                       .single_word = set("single_word"),
                       .normalized = set("normalized")};
      if (!added_.emplace(token.id, each).second)
        return refuse(path, each, "has the id " + std::to_string(token.id) + " of another added token");
      if (!contents_.emplace(token.content, token.id).second)
        return refuse(path, each, "has the content " + quoted(content) + " of another added token");
      specification_.added.push_back(std::move(token));
    }
    return std::nullopt;
  }

  Wrong read_vocabulary() {
    const Result<NumberedTexts> texts = numbered_texts(name_, "model.vocab", model_.find("vocab"));
    if (!texts) return texts.error();
    const auto& entries = texts.value().entries;
    auto added = added_.begin();
    const auto add_until = [&](TokenId id) {  // added tokens that the model does not have
      for (; added != added_.end() && added->first < id; ++added) {
        while (builder_.size() < added->first) builder_.add({}, TokenKind::unused);
        builder_.add(added->second.find("content").text().value_or(""), TokenKind::unused);
      }
      while (builder_.size() < id) builder_.add({}, TokenKind::unused);
    };
    for (const auto& [node, id] : entries) {
      add_until(id);
      const bool is_added = added != added_.end() && added->first == id;
      if (const auto other = contents_.find(node.key()); other != contents_.end() && other->second != id)
        return refuse("model.vocab", node,
                      "has the id " + std::to_string(id) + " for " + quoted(node.key()) +
                          ", which is added as " + std::to_string(other->second));
      if (is_added) {
        if (added->second.find("content").text() != node.key())
          return refuse("model.vocab", node,
                        "has " + quoted(node.key()) + " for the id of the added token " +
                            quoted(added->second.find("content").text().value_or("")));
        builder_.add(node.key(), TokenKind::normal);
        ++added;
      } else if (Wrong wrong = add_token(node)) {
        return wrong;
      }
    }
    if (!added_.empty() && leaves_too_much_out(added_.rbegin()->first, entries.size() + added_.size()))
      return refuse("added_tokens", added_.rbegin()->second,
                    "has the id " + std::to_string(added_.rbegin()->first) + ", far above " +
                        std::to_string(entries.size()) + " tokens");
    if (added != added_.end()) add_until(added_.rbegin()->first + 1);
    if (builder_.bytes() >= std::size_t{1} << 32)
      return refuse("model.vocab", model_.find("vocab"), "has 2^32 bytes of tokens or more");
    builder_.index();
    return std::nullopt;
  }

  Wrong add_token(const JsonNode& node) {
    scratch_.clear();
    if (is_byte_level()) {
      if (append_bytes_of_letters(node.key(), scratch_))
        return refuse(
            "model.vocab", node,
            "has the token " + quoted(node.key()) + ", expected letters of the byte-level alphabet");
      builder_.add(scratch_, TokenKind::normal);
    } else if (const auto byte = byte_of_token(node.key()); byte && specification_.byte_fallback) {
      scratch_ = static_cast<char>(*byte);
      builder_.add(scratch_, TokenKind::byte);
    } else {
      append_spaces_of_marks(node.key(), scratch_);
      builder_.add(scratch_, TokenKind::normal);
    }
    return std::nullopt;
  }

  Wrong read_merges() {
    const JsonNode list = model_.find("merges");
    if (!list.is(JsonKind::array))
      return refuse("model.merges", list ? list : model_, "is no array, expected one");
    const bool byte_level = is_byte_level();
    MergeList merges(builder_, [byte_level](std::string_view letters, std::string& bytes) {
      if (byte_level) return !append_bytes_of_letters(letters, bytes);
      append_spaces_of_marks(letters, bytes);
      return true;
    });
    for (JsonNode each = list.first(); each; each = each.next()) {
      std::optional<std::string> wrong;
      if (merges.size() == max_merges) {
        wrong = "is one too many";
      } else if (const auto text = each.text()) {
        wrong = merges.add(*text);
      } else {
        const JsonNode left = each.first(), right = left.next();
        if (each.is(JsonKind::array) && left.text() && right.text() && !right.next())
          wrong = merges.add(*left.text(), *right.text());
        else
          wrong = "is " + std::string(name_of(each.kind())) +
                  ", expected \"left right\" or [\"left\", \"right\"]";
      }
      if (wrong) return refuse("model.merges[" + std::to_string(merges.size()) + "]", each, *wrong);
    }
    builder_.set_merges(merges.take());
    for (const AddedToken& each : specification_.added)
      builder_.set_kind(each.id, each.special ? TokenKind::control : TokenKind::user_defined);
    return std::nullopt;
  }

  Wrong read_unknown() {
    const JsonNode unknown = model_.find("unk_token");
    if (!unknown || unknown.is_null()) return std::nullopt;
    const JsonNode id = model_.find("vocab").find(unknown.text().value_or(""));
    if (!id)
      return refuse("model.unk_token", unknown,
                    "is " + quoted(unknown.text().value_or("")) + ", expected a token of the vocabulary");
    specification_.unknown = static_cast<TokenId>(*id.whole());
    if (builder_.kind_of(specification_.unknown) == TokenKind::normal)
      builder_.set_kind(specification_.unknown, TokenKind::unknown);
    return std::nullopt;
  }

  /// The file has no other words for BOS and EOS than what its template puts around a text.
  Wrong check_template() {
    for (const std::vector<TokenId>* const ids : {&specification_.before, &specification_.after})
      for (const TokenId id : *ids)
        if (id >= builder_.size())
          return refuse("post_processor", document_.find("post_processor"),
                        "adds the id " + std::to_string(id) + ", expected one of a token");
    if (!specification_.before.empty()) specification_.bos = specification_.before.front();
    if (!specification_.after.empty()) specification_.eos = specification_.after.back();
    return std::nullopt;
  }

  const std::string& name_;
  JsonNode document_;
  JsonNode model_;
  Specification specification_;
  VocabularyBuilder builder_;
  std::map<TokenId, JsonNode> added_;
  std::map<std::string, TokenId, std::less<>> contents_;
  std::string scratch_;
};

}  // namespace

Result<TokenizerDescription> read_tokenizer_json(const std::string& name, std::string_view bytes) {
  const Result<io::JsonTree> tree = io::JsonTree::parse(name, bytes);
  if (!tree) return tree.error();
  return Reader(name, tree.value().root()).read();
}

}  // namespace assay::tokenizer
