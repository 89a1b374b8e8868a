#include "kernels/merge/search.hpp"

#include "engine/runtime/mutant.hpp"

namespace assay::kernels::merge {

const std::vector<Symbol>* Search::find(std::string_view piece) {
  const auto size = static_cast<std::uint32_t>(piece.size());
  found_.clear();
  TokenTrie::Match next = longest_below(piece, 0, size);
  if (next.length == size && next.id != no_token &&
      (whole_first_ || mutant("tokenizer.encode.unreachable_token_taken"))) {
    found_.push_back({next.id, size});
    return &found_;
  }
  dead_.assign(size / 64 + 1, 0);
  const auto dead = [&](std::uint32_t place) { return (dead_[place / 64] >> place % 64 & 1) != 0; };
  std::uint32_t from = 0;
  for (;;) {
    std::uint32_t end = from;
    for (; next.id != no_token; next = longest_below(piece, from, end - 1)) {
      end = from + next.length;
      if (dead(end)) continue;
      if (found_.empty() ? pairs_.alone(next.id) : pairs_.together(found_.back().id, next.id)) break;
      if (mutant("tokenizer.encode.greedy")) break;
    }
    if (next.id != no_token) {
      found_.push_back({next.id, end});
      if (end == size) return &found_;
      from = end;
      next = longest_below(piece, from, size);
      continue;
    }
    if (found_.empty()) return nullptr;
    dead_[from / 64] |= std::uint64_t{1} << from % 64;
    const std::uint32_t back = from;
    found_.pop_back();
    from = found_.empty() ? 0 : found_.back().end;
    next = longest_below(piece, from, back - 1);
  }
}

}  // namespace assay::kernels::merge
