#include "engine/llm/tokenizer/json_components.hpp"

#include "engine/io/bytes.hpp"
#include "engine/llm/tokenizer/json_vocabulary.hpp"
#include "engine/llm/tokenizer/merge_list.hpp"
#include "engine/llm/tokenizer/pre_tokenizer_names.hpp"
#include "engine/llm/tokenizer/sentencepiece_text.hpp"

namespace assay::tokenizer {

using io::JsonKind;

std::optional<InputError> JsonComponents::read(const Node& document) {
  read_normalizer(document.find("normalizer"), "normalizer");
  read_pre_tokenizer(document.find("pre_tokenizer"), "pre_tokenizer");
  read_post_processor(document.find("post_processor"), "post_processor");
  read_decoder(document.find("decoder"), "decoder");
  return error_;
}

void JsonComponents::refuse(const Node& node, const std::string& path, const std::string& what) {
  if (!error_) error_ = json_refusal(file_, path, node, what);
}

void JsonComponents::refuse_type(const Node& node, const std::string& path, std::string_view expected) {
  const std::optional<std::string_view> type = node.find("type").text();
  refuse(node, path,
         type ? "is " + quoted(*type) + ", which is not supported; expected " + std::string(expected)
              : "has no type, expected an object with one");
}

std::string_view JsonComponents::text(const Node& node, std::string_view key) const {
  return node.find(key).text().value_or("");
}

bool JsonComponents::flag(const Node& node, const std::string& path, std::string_view key, bool fallback) {
  const Node value = node.find(key);
  if (!value || value.is_null()) return fallback;
  if (!value.flag())
    refuse(value, path + "." + std::string(key),
           "is " + std::string(name_of(value.kind())) + ", expected a boolean");
  return value.flag().value_or(fallback);
}

template <typename Each>
void JsonComponents::for_each(const Node& node, const std::string& path, std::string_view key, Each each) {
  const Node inside = node.find(key);
  const std::string name = path + "." + std::string(key);
  if (!inside.is(JsonKind::array)) return refuse(node, name, "is no array, expected one");
  std::size_t index = 0;
  for (Node part = inside.first(); part; part = part.next())
    each(part, name + "[" + std::to_string(index++) + "]");
}

void JsonComponents::read_normalizer(const Node& node, const std::string& path) {
  if (!node || node.is_null()) return;
  const std::string_view type = text(node, "type");
  if (type == "Sequence") {
    for_each(node, path, "normalizers",
             [&](const Node& part, const std::string& name) { read_normalizer(part, name); });
  } else if (type == "NFC") {
    if (marks_spaces_ || specification_.space_prefix != SpacePrefix::never)
      refuse(node, path, "is NFC after another normalizer, which is not supported");
    specification_.nfc = true;
  } else if (type == "Prepend") {
    if (text(node, "prepend") != space_mark)
      refuse(node, path, "prepends " + quoted(text(node, "prepend")) + ", expected U+2581");
    specification_.space_prefix = SpacePrefix::every_segment;
  } else if (type == "Replace") {
    const std::string_view pattern = text(node.find("pattern"), "String");
    if (pattern != " " || text(node, "content") != space_mark)
      refuse(node, path,
             "replaces " + quoted(pattern) + " by " + quoted(text(node, "content")) +
                 ", expected a space (String) by U+2581");
    marks_spaces_ = true;
  } else {
    refuse_type(node, path, "NFC, Prepend, Replace or Sequence");
  }
}

void JsonComponents::read_pre_tokenizer(const Node& node, const std::string& path) {
  if (!node || node.is_null()) return;
  const std::string_view type = text(node, "type");
  if (type == "Sequence") {
    for_each(node, path, "pretokenizers",
             [&](const Node& part, const std::string& name) { read_pre_tokenizer(part, name); });
  } else if (type == "Split") {
    read_split(node, path);
  } else if (type == "ByteLevel") {
    read_byte_level(node, path);
  } else if (type == "Digits") {
    const bool single = flag(node, path, "individual_digits", false);
    specification_.split.push_back(single ? SplitStep::number : SplitStep::numbers);
  } else if (type == "Punctuation") {
    read_punctuation(node, path);
  } else if (type == "Metaspace") {
    read_metaspace(node, path);
  } else {
    refuse_type(node, path, "Split, ByteLevel, Digits, Punctuation, Metaspace or Sequence");
  }
}

void JsonComponents::read_split(const Node& node, const std::string& path) {
  const std::optional<std::string_view> regex = node.find("pattern").find("Regex").text();
  if (!regex)
    return refuse(node, path,
                  "splits by " + quoted(text(node.find("pattern"), "String")) + ", expected a pattern Regex");
  const std::optional<SplitStep> step = find_pattern(*regex);
  if (!step)
    return refuse(node.find("pattern"), path,
                  "splits by the regular expression \"" + io::printable(*regex, 400) +
                      "\", which is none of the published ones");
  const std::string_view behavior = text(node, "behavior");
  const bool inverted = flag(node, path, "invert", false);
  // Removing what lies between the matches is nothing where they cover the text.
  if ((behavior == "Isolated" && !inverted) || (behavior == "Removed" && inverted && covers_all_text(*step)))
    return specification_.split.push_back(*step);
  refuse(node, path,
         "has the behavior " + quoted(behavior) + (inverted ? ", inverted" : "") + ", expected \"Isolated\"");
}

void JsonComponents::read_byte_level(const Node& node, const std::string& path) {
  byte_level_ = true;
  if (flag(node, path, "add_prefix_space", true)) {
    if (!specification_.split.empty())
      refuse(node, path, "adds a space before every piece of a split, which is not supported");
    specification_.space_prefix = SpacePrefix::unless_space;
  }
  if (flag(node, path, "use_regex", true)) specification_.split.push_back(SplitStep::gpt2);
}

void JsonComponents::read_punctuation(const Node& node, const std::string& path) {
  const std::string_view behavior = node.find("behavior") ? text(node, "behavior") : "Isolated";
  if (behavior == "Isolated")
    specification_.split.push_back(SplitStep::punctuation);
  else if (behavior == "Contiguous")
    specification_.split.push_back(SplitStep::punctuation_run);
  else
    refuse(node, path, "has the behavior " + quoted(behavior) + ", expected \"Isolated\" or \"Contiguous\"");
}

void JsonComponents::read_metaspace(const Node& node, const std::string& path) {
  if (text(node, "replacement") != space_mark)
    refuse(node, path, "replaces spaces by " + quoted(text(node, "replacement")) + ", expected U+2581");
  if (flag(node, path, "split", true)) refuse(node, path, "splits at spaces, which is not supported");
  const bool adds = flag(node, path, "add_prefix_space", true);
  const std::string_view scheme = node.find("prepend_scheme") ? text(node, "prepend_scheme")
                                  : adds                      ? "always"
                                                              : "never";
  if (scheme == "always")
    specification_.space_prefix = SpacePrefix::unless_space;
  else if (scheme == "first")
    specification_.space_prefix = SpacePrefix::first_unless_space;
  else if (scheme != "never")
    refuse(node, path,
           "has the prepend_scheme " + quoted(scheme) + R"(, expected "always", "first" or "never")");
  marks_spaces_ = true;
}

void JsonComponents::read_post_processor(const Node& node, const std::string& path) {
  if (!node || node.is_null()) return;
  const std::string_view type = text(node, "type");
  if (type == "Sequence")
    for_each(node, path, "processors",
             [&](const Node& part, const std::string& name) { read_post_processor(part, name); });
  else if (type == "TemplateProcessing")
    read_template(node, path);
  else if (type != "ByteLevel")  // which only trims offsets
    refuse_type(node, path, "ByteLevel, TemplateProcessing or Sequence");
}

void JsonComponents::read_template(const Node& node, const std::string& path) {
  bool text_seen = false;
  for_each(node, path, "single", [&](const Node& part, const std::string& name) {
    if (const Node sequence = part.find("Sequence")) {
      if (text_seen) refuse(part, name, "has the text twice");
      text_seen = true;
      return;
    }
    const std::string_view id = text(part.find("SpecialToken"), "id");
    const Node ids = node.find("special_tokens").find(id).find("ids");
    if (id.empty() || !ids.is(JsonKind::array))
      return refuse(part, name, "is no Sequence and no SpecialToken that special_tokens has ids of");
    for (Node each = ids.first(); each; each = each.next()) {
      const std::optional<std::uint64_t> number = each.whole();
      if (!number || *number >= max_tokens)
        return refuse(each, name, "has what is no id, expected a whole number");
      (text_seen ? specification_.after : specification_.before).push_back(static_cast<TokenId>(*number));
    }
  });
  if (!text_seen) refuse(node, path, "leaves the text out");
}

void JsonComponents::read_decoder(const Node& node, const std::string& path) {
  if (!node || node.is_null()) return;
  const std::string_view type = text(node, "type");
  if (type == "Sequence") {
    for_each(node, path, "decoders",
             [&](const Node& part, const std::string& name) { read_decoder(part, name); });
  } else if (type == "Strip") {
    if (text(node, "content") != " " || node.find("start").whole() != 1 || node.find("stop").whole() != 0)
      refuse(node, path, "strips other than one space at the beginning, which is not supported");
    specification_.strip_first_space = true;
  } else if (type == "Metaspace") {
    const bool adds = flag(node, path, "add_prefix_space", true);
    specification_.strip_first_space =
        node.find("prepend_scheme") ? text(node, "prepend_scheme") != "never" : adds;
  } else if (type == "Replace") {
    if (text(node.find("pattern"), "String") != space_mark || text(node, "content") != " ")
      refuse(node, path, "replaces other than U+2581 by a space, which is not supported");
  } else if (type != "ByteLevel" && type != "ByteFallback" && type != "Fuse") {
    refuse_type(node, path, "ByteLevel, Metaspace, Replace, ByteFallback, Fuse, Strip or Sequence");
  }
}

}  // namespace assay::tokenizer
