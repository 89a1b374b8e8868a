#include "kernels/merge/loop.hpp"

#include <algorithm>
#include <array>

#include "engine/runtime/mutant.hpp"
#include "kernels/unicode/utf8.hpp"

namespace assay::kernels::merge {
namespace {

/// Up to here going through all joins for each merge is quicker than a heap.
constexpr std::size_t few_symbols = 48;

constexpr std::uint32_t none = 0xFFFFFFFF;

}  // namespace

void Loop::begin(std::string_view piece) {
  symbols_.clear();
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(piece.data());
  for (std::size_t at = 0; at < piece.size();) {
    const std::size_t length =
        rules_.characters() ? unicode::character_at(bytes + at, bytes + piece.size()).length : 1;
    symbols_.push_back({rules_.symbol(piece.substr(at, length)), static_cast<std::uint32_t>(at + length)});
    at += length;
  }
}

const std::vector<Symbol>& Loop::merge(std::string_view piece) {
  begin(piece);
  merges_ = 0;
  if (symbols_.size() < 2) return symbols_;
  if (symbols_.size() <= few_symbols)
    merge_in_arrays(piece);
  else
    merge_with_heap(piece);
  return symbols_;
}

void Loop::merge_in_arrays(std::string_view piece) {
  // A priority and its place as one number, so that the least is the leftmost of the least: 23 bits and 6.
  static_assert(max_merges <= std::size_t{1} << 23 && few_symbols <= 64);
  constexpr std::uint32_t dead = 0xFFFFFFFF;
  const auto count = static_cast<std::uint32_t>(symbols_.size());
  std::array<std::uint32_t, few_symbols> joins;
  std::array<TokenId, few_symbols> ids;
  std::array<std::uint8_t, few_symbols> before, after;
  const auto set = [&](std::uint32_t left, const Rules::Joined& joined) {
    const std::uint32_t place = mutant("tokenizer.encode.rightmost_of_equals") ? 63 - left : left;
    joins[left] = joined.priority == Rules::never ? dead : joined.priority << 6 | place;
    ids[left] = joined.id;
  };
  const auto join = [&](std::uint32_t left) {
    const std::uint32_t right = after[left];
    if (right == count) {
      joins[left] = dead;
      return;
    }
    const std::uint32_t from = left == 0 ? 0 : symbols_[before[left]].end;
    set(left,
        rules_.join(symbols_[left].id, symbols_[right].id, piece.substr(from, symbols_[right].end - from)));
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    before[i] = static_cast<std::uint8_t>(i - 1);
    after[i] = static_cast<std::uint8_t>(i + 1);
  }
  joins[count - 1] = dead;
  for (std::uint32_t i = 0; i + 1 < count; ++i) {
    if (rules_.characters())
      join(i);
    else
      set(i, rules_.join_bytes(static_cast<std::uint8_t>(piece[i]), static_cast<std::uint8_t>(piece[i + 1])));
  }
  for (;;) {
    std::uint32_t least = dead;
    for (std::uint32_t i = 0; i < count; ++i) least = std::min(least, joins[i]);
    if (least == dead) break;
    const std::uint32_t left =
        mutant("tokenizer.encode.rightmost_of_equals") ? 63 - (least & 63) : least & 63;
    const std::uint32_t right = after[left];
    last_ = {symbols_[left].id, symbols_[right].id, least >> 6};
    ++merges_;
    symbols_[left] = {ids[left], symbols_[right].end};
    joins[right] = dead;
    after[left] = after[right];
    if (after[left] != count) before[after[left]] = static_cast<std::uint8_t>(left);
    join(left);
    if (left != 0 && !mutant("tokenizer.encode.left_neighbour_not_joined")) join(before[left]);
  }
  std::size_t kept = 0;
  for (std::uint32_t at = 0; at != count; at = after[at]) symbols_[kept++] = symbols_[at];
  symbols_.resize(kept);
}

void Loop::merge_with_heap(std::string_view piece) {
  const auto count = static_cast<std::uint32_t>(symbols_.size());
  before_.resize(count);
  after_.resize(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    before_[i] = i == 0 ? none : i - 1;
    after_[i] = i + 1 == count ? none : i + 1;
  }
  joins_.assign(count, {});
  heap_.clear();
  const auto later = [](const Waiting& a, const Waiting& b) {
    return a.priority != b.priority                              ? a.priority > b.priority
           : mutant("tokenizer.encode.heap_rightmost_of_equals") ? a.left < b.left
                                                                 : a.left > b.left;
  };
  const auto join = [&](std::uint32_t left) {
    const std::uint32_t right = after_[left];
    joins_[left] = {};
    if (right == none) return false;
    const std::uint32_t from = before_[left] == none ? 0 : symbols_[before_[left]].end;
    joins_[left] =
        rules_.join(symbols_[left].id, symbols_[right].id, piece.substr(from, symbols_[right].end - from));
    if (joins_[left].priority == Rules::never) return false;
    heap_.push_back({joins_[left].priority, left});
    return true;
  };
  for (std::uint32_t left = 0; left < count; ++left) join(left);
  std::make_heap(heap_.begin(), heap_.end(), later);
  const auto join_and_sift = [&](std::uint32_t left) {
    if (join(left)) std::push_heap(heap_.begin(), heap_.end(), later);
  };
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Waiting next = heap_.back();
    heap_.pop_back();
    // A neighbour was merged since: what is waited for is no more, or waits again with its new priority.
    if (joins_[next.left].priority != next.priority) continue;
    const std::uint32_t right = after_[next.left];
    last_ = {symbols_[next.left].id, symbols_[right].id, next.priority};
    ++merges_;
    symbols_[next.left] = {joins_[next.left].id, symbols_[right].end};
    joins_[right] = {};
    after_[next.left] = after_[right];
    if (after_[right] != none) before_[after_[right]] = next.left;
    join_and_sift(next.left);
    if (before_[next.left] != none) join_and_sift(before_[next.left]);
  }
  std::size_t kept = 0;
  for (std::uint32_t at = 0; at != none; at = after_[at]) symbols_[kept++] = symbols_[at];
  symbols_.resize(kept);
}

}  // namespace assay::kernels::merge
