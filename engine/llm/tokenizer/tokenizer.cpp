#include "engine/llm/tokenizer/tokenizer.hpp"

#include "engine/vocabulary/utf8.hpp"

namespace assay::tokenizer {
namespace {

/// The contents of those added tokens whose flag `normalized` is that, empty texts for the others.
std::vector<std::string> contents(const Specification& specification, bool normalized) {
  const Normaliser normaliser(specification);
  std::vector<std::string> texts;
  for (const AddedToken& each : specification.added) {
    if (each.normalized != normalized) {
      texts.emplace_back();
    } else if (normalized && valid_prefix(each.content) == each.content.size()) {
      std::string made;
      texts.emplace_back(normaliser(each.content, true, made, nullptr));
    } else {
      texts.push_back(each.content);
    }
  }
  return texts;
}

bool has_every_byte(const TokenizerDescription& description) {
  if (description.specification.model != TokenizerModel::byte_level_bpe) return false;
  for (int byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    if (description.vocabulary.find({&text, 1}) == no_token) return false;
  }
  return true;
}

/// Text whose ill-formed parts are U+FFFD, with the way back.
void repair(std::string_view text, std::string& made, TextMap* map) {
  std::size_t at = 0;
  const auto offset = [](std::size_t bytes) { return static_cast<std::uint32_t>(bytes); };
  while (at < text.size()) {
    const std::size_t valid = valid_prefix(text.substr(at));
    if (map != nullptr && valid > 0) map->add_kept(offset(made.size()), offset(at));
    made += text.substr(at, valid);
    at += valid;
    if (at == text.size()) break;
    if (map != nullptr) map->add_replaced(offset(made.size()), offset(at));
    made += replacement_character;
    at += utf8_step(text.substr(at)).size;
  }
  if (map != nullptr) map->add_kept(offset(made.size()), offset(at));
}

}  // namespace

/// One text being encoded: what it is made of, and where its offsets lead.
class Tokenizer::Call {
 public:
  Call(const Tokenizer& tokenizer, const EncodeOptions& options, Encoding& made)
      : tokenizer_(tokenizer), options_(options), made_(made) {}

  void encode(std::string_view text) {
    std::string repaired;
    if (options_.invalid == InvalidUtf8::replace && valid_prefix(text) < text.size()) {
      repair(text, repaired, map_or_none(repair_map_));
      text = repaired;
    }
    std::vector<TextPart> parts;
    tokenizer_.plain_added_.split(text, options_.parse_special, options_.plain, parts);
    for (const TextPart& part : parts) {
      if (part.token != no_token)
        add(part.token, part.begin, part.end);
      else
        encode_stretch(text.substr(part.begin, part.end - part.begin), part.begin);
    }
  }

 private:
  TextMap* map_or_none(TextMap& map) const { return options_.offsets ? &map : nullptr; }

  /// A token of the (repaired) text.
  void add(TokenId id, std::size_t begin, std::size_t end) {
    made_.ids.push_back(id);
    if (options_.offsets)
      made_.spans.push_back({repair_map_.begin_of(static_cast<std::uint32_t>(begin)),
                             repair_map_.end_of(static_cast<std::uint32_t>(end))});
  }

  /// Text without added tokens, which may hold bytes that are no UTF-8 where they go through.
  void encode_stretch(std::string_view stretch, std::size_t at) {
    while (!stretch.empty()) {
      const std::size_t valid =
          options_.invalid == InvalidUtf8::bytes ? valid_prefix(stretch) : stretch.size();
      if (valid > 0) encode_segment(stretch.substr(0, valid), at);
      stretch.remove_prefix(valid);
      at += valid;
      std::size_t invalid = 0;
      while (invalid < stretch.size()) {
        const Utf8Step step = utf8_step(stretch.substr(invalid));
        if (step.kind == Utf8Step::Kind::character) break;
        invalid += step.size;
      }
      if (invalid == 0) break;
      run(stretch.substr(0, invalid), &SegmentEncoder::encode_piece);
      add_spans([at](std::uint32_t offset) { return at + offset; },
                [at](std::uint32_t offset) { return at + offset; });
      stretch.remove_prefix(invalid);
      at += invalid;
    }
  }

  void encode_segment(std::string_view segment, std::size_t at) {
    const std::string_view text = tokenizer_.normaliser_(segment, at == 0, normalised_, map_or_none(map_));
    if (tokenizer_.normalized_added_.empty()) return encode_normalised(text, 0, at);
    // Places in the normalised text are none of the given ones: with those, no special token is looked for
    // here.
    std::vector<TextPart> parts;
    tokenizer_.normalized_added_.split(text, options_.parse_special && options_.plain.empty(), {}, parts);
    for (const TextPart& part : parts) {
      if (part.token == no_token) {
        encode_normalised(text.substr(part.begin, part.end - part.begin), part.begin, at);
      } else {
        const std::size_t begin =
            options_.offsets ? at + map_.begin_of(static_cast<std::uint32_t>(part.begin)) : 0;
        const std::size_t end = options_.offsets ? at + map_.end_of(static_cast<std::uint32_t>(part.end)) : 0;
        add(part.token, begin, end);
      }
    }
  }

  /// Part of a normalised segment, from `from` in it on; the segment begins at `at` of the text.
  void encode_normalised(std::string_view text, std::size_t from, std::size_t at) {
    run(text, &SegmentEncoder::encode);
    const auto in_segment = [from](std::uint32_t offset) {
      return static_cast<std::uint32_t>(from + offset);
    };
    add_spans([&](std::uint32_t offset) { return at + map_.begin_of(in_segment(offset)); },
              [&](std::uint32_t offset) { return at + map_.end_of(in_segment(offset)); });
  }

  using Encode = void (SegmentEncoder::*)(std::string_view, std::vector<TokenId>&,
                                          std::vector<std::uint32_t>*) const;
  void run(std::string_view text, Encode encode) {
    ends_.clear();
    (tokenizer_.engine_.get()->*encode)(text, made_.ids, options_.offsets ? &ends_ : nullptr);
  }
  /// Spans of the tokens whose ends the engine gave: each begins where the one before ended.
  template <typename Begin, typename End>
  void add_spans(Begin begin_of, End end_of) {
    std::uint32_t begin = 0;
    for (const std::uint32_t end : ends_) {
      made_.spans.push_back({repair_map_.begin_of(static_cast<std::uint32_t>(begin_of(begin))),
                             repair_map_.end_of(static_cast<std::uint32_t>(end_of(end)))});
      begin = end;
    }
  }

  const Tokenizer& tokenizer_;
  const EncodeOptions& options_;
  Encoding& made_;
  TextMap repair_map_;
  TextMap map_;
  std::string normalised_;
  std::vector<std::uint32_t> ends_;
};

Tokenizer::Tokenizer(std::shared_ptr<const TokenizerDescription> description,
                     std::shared_ptr<const SegmentEncoder> engine)
    : description_(std::move(description)),
      engine_(std::move(engine)),
      normaliser_(description_->specification),
      plain_added_(description_->specification.added, contents(description_->specification, false)),
      normalized_added_(description_->specification.added, contents(description_->specification, true)),
      has_all_bytes_(has_every_byte(*description_)) {}

Result<Encoding> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  if (text.size() >= std::size_t{1} << 31)
    return InputError{InputError::Code::too_large,
                      "the text has " + std::to_string(text.size()) + " bytes, expected less than 2^31",
                      {},
                      {},
                      {}};
  if (options.invalid == InvalidUtf8::bytes && !has_all_bytes_)
    return InputError{InputError::Code::malformed,
                      "bytes that are no UTF-8 cannot go through: the vocabulary has no token for each byte",
                      {},
                      {},
                      {}};
  if (options.invalid == InvalidUtf8::refuse) {
    const std::size_t valid = valid_prefix(text);
    if (valid < text.size())
      return InputError{InputError::Code::malformed,
                        "the text is no UTF-8 at byte " + std::to_string(valid) + ", expected UTF-8",
                        valid,
                        {},
                        {}};
  }
  const Specification& specification = description_->specification;
  Encoding made;
  const auto add_around = [&](const std::vector<TokenId>& ids, std::size_t at) {
    made.ids.insert(made.ids.end(), ids.begin(), ids.end());
    const auto offset = static_cast<std::uint32_t>(at);
    if (options.offsets) made.spans.insert(made.spans.end(), ids.size(), {offset, offset});
  };
  if (options.add_special) add_around(specification.before, 0);
  Call(*this, options, made).encode(text);
  if (options.add_special) add_around(specification.after, text.size());
  return made;
}

std::vector<Result<Encoding>> Tokenizer::encode_all(ThreadPool& pool, std::span<const std::string_view> texts,
                                                    const EncodeOptions& options) const {
  std::vector<Result<Encoding>> made(texts.size(), Encoding{});
  const auto count = static_cast<std::int64_t>(texts.size());
  pool.parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end, unsigned) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      made[at] = encode(texts[at], options);
    }
  });
  return made;
}

}  // namespace assay::tokenizer
