#include "reference/text/merge.hpp"

#include <string>

namespace assay::reference {

std::size_t character_size(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (text[size] & 0xC0) == 0x80) ++size;
  return size;
}

MergeLoop::MergeLoop(const TokenizerDescription& tokenizer) : tokenizer_(tokenizer) {
  double rank = 0;
  // Of a pair that stands twice, the last one counts, as in HF tokenizers, which fills a table front to back.
  for (const Merge& merge : tokenizer.vocabulary.merges())
    ranks_[{merge.left, merge.right}] = {rank++, merge.result};
}

std::pair<double, TokenId> MergeLoop::joined(const Symbol& left, const Symbol& right) const {
  if (tokenizer_.specification.merge_rule == MergeRule::pair_rank) {
    const auto found = ranks_.find({left.id, right.id});
    return found == ranks_.end() ? std::pair{0.0, no_token} : found->second;
  }
  // By the tokens' own bytes: between the two in the piece, bytes may have been left out.
  const auto bytes_of = [&](const Symbol& symbol) {
    return symbol.id == no_token ? symbol.text : tokenizer_.vocabulary.bytes_of(symbol.id);
  };
  const TokenId id = tokenizer_.vocabulary.find(std::string(bytes_of(left)) += bytes_of(right));
  if (id == no_token) return {0.0, no_token};
  const bool by_rank = tokenizer_.specification.merge_rule == MergeRule::token_rank;
  return {by_rank ? static_cast<double>(id) : -static_cast<double>(tokenizer_.vocabulary.score_of(id)), id};
}

std::vector<MergeLoop::Symbol> MergeLoop::operator()(std::string_view piece) const {
  const Specification& specification = tokenizer_.specification;
  const bool bytes = specification.model == TokenizerModel::byte_level_bpe;
  if (specification.ignore_merges)
    if (const TokenId whole = tokenizer_.vocabulary.find(piece); whole != no_token) return {{piece, whole}};

  std::vector<Symbol> symbols;
  for (std::size_t at = 0; at < piece.size();) {
    const std::string_view text = piece.substr(at, bytes ? 1 : character_size(piece.substr(at)));
    const TokenId id = tokenizer_.vocabulary.find(text);
    // A byte that no token can stand for is left out before the merging (Specification::unknown).
    if (id != no_token || !bytes || specification.unknown != no_token) symbols.push_back({text, id});
    at += text.size();
  }
  while (true) {
    std::size_t best = 0;
    std::pair<double, TokenId> best_merge{0.0, no_token};
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto merge = joined(symbols[i], symbols[i + 1]);
      if (merge.second == no_token) continue;
      if (best_merge.second == no_token || merge.first < best_merge.first) {
        best = i;
        best_merge = merge;
      }
    }
    if (best_merge.second == no_token) return symbols;
    const std::string_view right = symbols[best + 1].text;
    const char* const begin = symbols[best].text.data();
    symbols[best] = {{begin, static_cast<std::size_t>(right.data() + right.size() - begin)},
                     best_merge.second};
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

}  // namespace assay::reference
