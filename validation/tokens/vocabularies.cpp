#include "validation/tokens/vocabularies.hpp"

#include <algorithm>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "engine/analysis/splitmix.hpp"
#include "validation/tokens/texts.hpp"

namespace assay::validation::tokens {
namespace {

/// Grows the tokens of a recipe.
class Growth {
 public:
  explicit Growth(const Recipe& recipe) : recipe_(recipe), random_(recipe.seed) {}

  TokenizerDescription grow() {
    add_symbols();
    builder_.index();
    for (int i = 0; i < recipe_.tokens; ++i) join_somewhere();
    TokenizerDescription made;
    Specification& specification = made.specification;
    specification.model = recipe_.model;
    specification.merge_rule = recipe_.rule;
    if (is_byte_level()) specification.split = published_splits()[static_cast<std::size_t>(recipe_.split)];
    specification.ignore_merges = recipe_.ignore_merges;
    specification.byte_fallback = !is_byte_level() && recipe_.byte_fallback;
    specification.fuse_unknown = recipe_.fuse_unknown;
    specification.unknown = unknown_;
    if (recipe_.shuffled)
      for (std::size_t i = merges_.size(); i > 1; --i) std::swap(merges_[i - 1], merges_[below(i)]);
    if (recipe_.rule == MergeRule::pair_rank) builder_.set_merges(merges_);
    if (recipe_.rule == MergeRule::token_score) builder_.set_scores(scores());
    made.vocabulary = builder_.build();
    return made;
  }

 private:
  bool is_byte_level() const { return recipe_.model == TokenizerModel::byte_level_bpe; }
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_.next() % count); }

  void add_symbols() {
    // SentencePiece needs an id for what has no token; a byte-level vocabulary may do without.
    if (!is_byte_level() || recipe_.fuse_unknown) {
      unknown_ = 0;
      builder_.add("<unk>", TokenKind::unknown);
    }
    if (is_byte_level()) {
      for (int byte = 0; byte < 256; ++byte) {
        const char text = static_cast<char>(byte);
        if (recipe_.lacks_symbols && (byte < 0x20 || byte > 0x7E) && below(4) == 0) continue;
        builder_.add({&text, 1}, TokenKind::normal);
      }
      return;
    }
    if (recipe_.byte_fallback)
      for (int byte = 0; byte < 256; ++byte) {
        const char text = static_cast<char>(byte);
        if (recipe_.lacks_symbols && below(16) == 0) continue;
        builder_.add({&text, 1}, TokenKind::byte);
      }
    std::set<std::string> characters{" "};
    for (const std::string& atom : atoms())
      for (const std::string& character : symbols_of(atom))
        if (!recipe_.lacks_symbols || below(3) != 0) characters.insert(character);
    for (const std::string& character : characters) builder_.add(character, TokenKind::normal);
  }

  std::vector<std::string> symbols_of(const std::string& text) const {
    std::vector<std::string> symbols;
    for (const char byte : text) {
      if (is_byte_level() || (byte & 0xC0) != 0x80) symbols.emplace_back();
      symbols.back() += byte;
    }
    return symbols;
  }

  /// A stretch of a few atoms, of which two neighbouring tokens are joined.
  void join_somewhere() {
    std::string text;
    const std::size_t narrow = 1 + below(atoms().size());
    for (std::size_t i = 0; i < 6; ++i) text += atoms()[below(narrow)];
    std::vector<TokenId> ids;
    for (const std::string& symbol : symbols_of(text))
      if (const TokenId id = builder_.find(symbol); id != no_token) ids.push_back(id);
    for (std::size_t joins = below(5) + 1; joins > 0 && ids.size() > 1; --joins) {
      const std::size_t at = below(ids.size() - 1);
      ids[at] = joined(ids[at], ids[at + 1]);
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
  }

  TokenId joined(TokenId left, TokenId right) {
    std::string bytes(builder_.bytes_of(left));
    bytes += builder_.bytes_of(right);
    TokenId result = builder_.find(bytes);
    if (result == no_token) {
      result = static_cast<TokenId>(builder_.size());
      builder_.add(bytes, TokenKind::normal);
      builder_.index();
    }
    // A pair has one rank.
    if (pairs_.insert({left, right}).second) merges_.push_back({left, right, result});
    return result;
  }

  std::vector<float> scores() {
    std::vector<float> made;
    for (std::size_t id = 0; id < builder_.size(); ++id)
      made.push_back(recipe_.shuffled ? static_cast<float>(below(5)) : -static_cast<float>(id));
    return made;
  }

  const Recipe& recipe_;
  analysis::SplitMix64 random_;
  VocabularyBuilder builder_;
  TokenId unknown_ = no_token;
  std::vector<Merge> merges_;
  std::set<std::pair<TokenId, TokenId>> pairs_;
};

std::vector<Recipe> simpler(const Recipe& recipe) {
  std::vector<Recipe> made;
  const auto with = [&](auto member, auto value) {
    if (recipe.*member == value) return;
    made.push_back(recipe);
    made.back().*member = value;
  };
  for (const int tokens : {0, recipe.tokens / 2, recipe.tokens - 1})
    if (tokens >= 0 && tokens < recipe.tokens) with(&Recipe::tokens, tokens);
  with(&Recipe::split, static_cast<int>(published_splits().size()) - 1);
  for (bool Recipe::*const member :
       {&Recipe::ignore_merges, &Recipe::lacks_symbols, &Recipe::fuse_unknown, &Recipe::shuffled})
    with(member, false);
  return made;
}

}  // namespace

TokenizerDescription Recipe::description() const {
  return Growth(*this).grow();
}

std::ostream& operator<<(std::ostream& out, const Recipe& recipe) {
  return out << (recipe.model == TokenizerModel::byte_level_bpe ? "byte-level" : "sentencepiece") << " rule "
             << static_cast<int>(recipe.rule) << " tokens " << recipe.tokens << " split " << recipe.split
             << (recipe.ignore_merges ? " ignore_merges" : "")
             << (recipe.lacks_symbols ? " lacks_symbols" : "") << (recipe.fuse_unknown ? " fuse_unknown" : "")
             << (recipe.byte_fallback ? "" : " no_fallback") << (recipe.shuffled ? " shuffled" : "")
             << " seed " << recipe.seed;
}

const std::vector<std::vector<SplitStep>>& published_splits() {
  using enum SplitStep;
  static const std::vector<std::vector<SplitStep>> all = {
      {llama3},
      {qwen2},
      {gpt4o},
      {number, gpt2},
      {punctuation_run, gpt2, digit_triple},
      {punctuation_run, gpt2, numbers, digit_triple},
      {line_break, deepseek_coder_letters, deepseek_coder_punctuation, deepseek_cjk, number},
      {line_break, deepseek_llm_letters, deepseek_llm_punctuation, deepseek_llm_trailing_space, deepseek_cjk,
       numbers},
      {punctuation_run_default, gpt2, numbers, digit_triple},
      {punctuation},
      {},
      {gpt2}};
  return all;
}

rc::Gen<Recipe> recipes(int most) {
  return rc::Gen<Recipe>([most](const rc::Random& random, int) {
    rc::Random source = random;
    const auto below = [&](std::uint64_t count) { return static_cast<int>(source.next() % count); };
    Recipe recipe;
    recipe.model = static_cast<TokenizerModel>(below(2));
    recipe.rule = static_cast<MergeRule>(below(3));
    recipe.tokens = below(static_cast<std::uint64_t>(most) + 1);
    recipe.split = below(published_splits().size());
    recipe.ignore_merges = below(3) == 0;
    recipe.lacks_symbols = below(3) == 0;
    recipe.fuse_unknown = below(2) == 0;
    recipe.byte_fallback = below(3) != 0;
    recipe.shuffled = below(3) == 0;
    recipe.seed = static_cast<std::uint64_t>(source.next());
    return rc::shrinkable::shrinkRecur(
        recipe, [](const Recipe& whole) { return rc::seq::fromContainer(simpler(whole)); });
  });
}

}  // namespace assay::validation::tokens
