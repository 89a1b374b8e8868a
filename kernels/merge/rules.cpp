#include "kernels/merge/rules.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::merge {

Rules::Rules(const Vocabulary& vocabulary, const Specification& specification)
    : vocabulary_(vocabulary),
      rule_(specification.merge_rule),
      characters_(specification.model == TokenizerModel::sentencepiece_bpe) {
  for (std::size_t byte = 0; byte < bytes_.size(); ++byte) {
    const char text = static_cast<char>(byte);
    bytes_[byte] = vocabulary.find({&text, 1});
  }
  leaves_out_ = !characters_ && specification.unknown == no_token &&
                std::find(bytes_.begin(), bytes_.end(), no_token) != bytes_.end();
  if (rule_ == MergeRule::pair_rank) index_pairs();
  if (rule_ == MergeRule::token_score) rank_scores();
  byte_pairs_.resize(65536);
  for (std::size_t pair = 0; pair < byte_pairs_.size(); ++pair) {
    const char text[] = {static_cast<char>(pair >> 8), static_cast<char>(pair)};
    byte_pairs_[pair] = join(bytes_[pair >> 8], bytes_[pair & 255], {text, 2});
  }
}

void Rules::index_pairs() {
  const auto merges = vocabulary_.merges();
  slots_.assign(merges.size() + merges.size() / 2 + 1, {});
  filter_.assign(std::bit_ceil(merges.size() / 8 + 1), 0);
  for (std::uint32_t rank = 0; rank < merges.size(); ++rank) {
    const std::uint64_t hashed = hash(merges[rank].left, merges[rank].right);
    std::size_t at = home(hashed);
    while (slots_[at].rank != never &&
           (slots_[at].left != merges[rank].left || slots_[at].right != merges[rank].right))
      at = at + 1 == slots_.size() ? 0 : at + 1;
    // Of a pair that is listed twice the last counts, as in the field's libraries, which fill a table in
    // order.
    if (!mutant("tokenizer.encode.first_of_equal_pairs") || slots_[at].rank == never)
      slots_[at] = {merges[rank].left, merges[rank].right, rank, merges[rank].result};
    if (rank != 7 || !mutant("tokenizer.encode.merge_not_in_filter"))
      filter_word(hashed) |= std::uint64_t{1} << (hashed & 63);
  }
}

void Rules::rank_scores() {
  std::vector<TokenId> order(vocabulary_.size());
  std::iota(order.begin(), order.end(), TokenId{0});
  const auto score = [&](TokenId id) { return vocabulary_.score_of(id); };
  std::stable_sort(order.begin(), order.end(), [&](TokenId a, TokenId b) { return score(a) > score(b); });
  priorities_.resize(order.size());
  // Equal scores have one priority: between them the leftmost pair goes first.
  std::uint32_t priority = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i != 0 &&
        (score(order[i]) != score(order[i - 1]) || mutant("tokenizer.encode.equal_scores_by_token")))
      ++priority;
    priorities_[order[i]] = priority;
  }
}

}  // namespace assay::kernels::merge
