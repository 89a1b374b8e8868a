#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "engine/runtime/mutant.hpp"
#include "kernels/merge/model.hpp"
#include "kernels/merge/piece_cache.hpp"
#include "kernels/merge/search.hpp"
#include "kernels/merge/word_cuts.hpp"
#include "kernels/split/pieces.hpp"
#include "kernels/split/split.hpp"

namespace assay::kernels::merge {

/// What one call uses and the next one may find filled.
struct Scratch {
  explicit Scratch(const Model& model)
      : loop(model.rules),
        asked(model.rules),
        pairs(model.rules, asked),
        search(model.trie(), pairs, model.specification.ignore_merges) {}

  PieceCache cache;
  Loop loop;   ///< merges pieces
  Loop asked;  ///< merges what `pairs` asks about
  Pairs pairs;
  Search search;
  std::vector<std::uint32_t> piece_ends;
};

/// One segment on its way to ids: cut into pieces, most of which were seen before and are copied from the
/// cache. What was not is looked up whole, merged by the loop if short, searched for (search.hpp) if long.
template <bool WithEnds>
class Run {
  using Place = split::Place;

 public:
  Run(const Model& model, Scratch& scratch, std::string_view segment, std::vector<TokenId>& ids,
      std::vector<std::uint32_t>* ends)
      : model_(model),
        scratch_(scratch),
        begin_(reinterpret_cast<Place>(segment.data())),
        end_(begin_ + segment.size()),
        ids_(ids),
        ends_(ends) {}

  void pieces() {
    const std::vector<SplitStep>& steps = model_.specification.split;
    if (model_.specification.model == TokenizerModel::sentencepiece_bpe) {
      for (Place at = begin_; at < end_;) {
        const Place stop = model_.word_cuts.piece_end(at, end_);
        piece(at, stop);
        at = stop;
      }
    } else if (steps.size() == 1) {
      split::with_step(steps.front(), [&]<SplitStep Step>() {
        split::for_each_piece<Step>(begin_, end_, [&](Place at, Place stop) { piece(at, stop); });
      });
    } else {
      split::split(steps, view(begin_, end_), scratch_.piece_ends);
      Place at = begin_;
      for (const std::uint32_t end : scratch_.piece_ends) {
        piece(at, begin_ + end);
        at = begin_ + end;
      }
    }
    look_up();
    flush();
  }

  void whole() {
    piece(begin_, end_);
    look_up();
    flush();
  }

 private:
  static std::string_view view(Place begin, Place end) {
    return {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(end - begin)};
  }

  /// A piece whose line of the cache is on its way; no line where the piece is long.
  struct Pending {
    Place at, stop;
    PieceKey key;
    PieceCache::Line* line;
  };

  /// Pieces are looked up some time after they were found: their lines come from far, many at once.
  void piece(Place at, Place stop) {
    const auto length = static_cast<std::size_t>(stop - at);
    Pending& one = pending_[pending_count_++];
    one.at = at;
    one.stop = stop;
    one.line = nullptr;
    if (length <= PieceKey::longest) {
      one.key = PieceKey::of(at, length, static_cast<std::size_t>(end_ - at));
      one.line = &scratch_.cache.line_of(one.key);
      __builtin_prefetch(one.line);
    }
    if (pending_count_ == pending_.size()) look_up();
  }

  [[gnu::noinline]] void look_up() {
    for (std::size_t i = 0; i < pending_count_; ++i) {
      const Pending& one = pending_[i];
      // SentencePiece's text is one piece: what is unknown goes on across its cuts.
      if (model_.specification.model != TokenizerModel::sentencepiece_bpe) after_unknown_ = false;
      if constexpr (WithEnds) last_end_ = static_cast<std::uint32_t>(one.at - begin_);
      if (one.line == nullptr)
        put(merged(view(one.at, one.stop)), one.at);
      else if (one.line->last.key == one.key)
        put(one.line->last);
      else if (one.line->before.key == one.key)
        put(one.line->before);
      else
        not_cached(one);
    }
    pending_count_ = 0;
  }

  void put(const PieceCache::Entry& entry) {
    after_unknown_ = false;
    if (count_ + PieceCache::most_tokens > waiting_.size()) flush();
    std::memcpy(&waiting_[count_], entry.ids.data(), sizeof(entry.ids));
    if constexpr (WithEnds)
      for (std::uint32_t i = 0; i < entry.count; ++i)
        put_end(model_.vocabulary.bytes_of(entry.ids[i]).size());
    count_ += entry.count;
  }

  void put(TokenId id, std::size_t length) {
    if (count_ == waiting_.size()) {
      if (mutant("tokenizer.encode.full_buffer_dropped")) count_ = 0;
      flush();
    }
    waiting_[count_++] = id;
    if constexpr (WithEnds) put_end(length);
  }

  void put_end(std::size_t length) {
    last_end_ += static_cast<std::uint32_t>(length);
    ends_->push_back(last_end_);
  }

  void flush() {
    ids_.insert(ids_.end(), waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count_));
    count_ = 0;
  }

  /// A short piece that the cache does not have: its tokens, which it has then.
  [[gnu::noinline]] void not_cached(const Pending& one) {
    const std::vector<Symbol>& symbols = merged(view(one.at, one.stop));
    put(symbols, one.at);
    if (left_out_ && !mutant("tokenizer.encode.cache_keeps_what_was_left_out")) return;
    PieceCache::Entry entry{one.key};
    std::uint32_t from = 0;
    for (const Symbol& symbol : symbols) {
      const std::string_view text = view(one.at + from, one.at + symbol.end);
      // What is unknown may go on in the next piece, and does not say where it ends.
      if (symbol.id == no_token && !has_bytes(text)) return;
      const std::size_t count = symbol.id == no_token ? text.size() : 1;
      for (std::size_t i = 0; i < count; ++i) {
        if (entry.count == PieceCache::most_tokens) {
          if (mutant("tokenizer.encode.cache_keeps_three_of_four")) break;
          return;
        }
        entry.ids[entry.count++] = symbol.id == no_token ? byte_of(text[i]) : symbol.id;
      }
      from = symbol.end;
    }
    one.line->before = one.line->last;
    one.line->last = entry;
  }

  TokenId byte_of(char byte) const { return model_.vocabulary.byte_token(static_cast<std::uint8_t>(byte)); }

  /// Whether a symbol without a token becomes the tokens of its bytes.
  bool has_bytes(std::string_view text) const {
    if (!model_.specification.byte_fallback || mutant("tokenizer.encode.no_byte_fallback")) return false;
    return std::all_of(text.begin(), text.end(), [&](char byte) { return byte_of(byte) != no_token; });
  }

  /// Any piece, without the cache.
  const std::vector<Symbol>& merged(std::string_view piece) {
    left_out_ = false;
    if (model_.rules.leaves_out())
      for (const char byte : piece) left_out_ = left_out_ || model_.rules.left_out(byte);
    return left_out_ ? merged_without(piece) : merged_whole(piece);
  }

  /// A piece of which bytes are left out: what the others come to, ending where they did in the piece.
  const std::vector<Symbol>& merged_without(std::string_view piece) {
    if (model_.specification.ignore_merges)
      if (const TokenId id = model_.vocabulary.find(piece); id != no_token) {
        one_.assign(1, {id, static_cast<std::uint32_t>(piece.size())});
        return one_;
      }
    std::string kept;
    std::vector<std::uint32_t> ends;
    for (std::size_t i = 0; i < piece.size(); ++i) {
      if (model_.rules.left_out(piece[i])) continue;
      kept += piece[i];
      ends.push_back(static_cast<std::uint32_t>(i + 1));
    }
    one_.clear();
    if (kept.empty()) return one_;
    one_ = model_.specification.ignore_merges ? scratch_.loop.merge(kept) : merged_whole(kept);
    if (!mutant("tokenizer.encode.ends_without_what_was_left_out"))
      for (Symbol& symbol : one_) symbol.end = ends[symbol.end - 1];
    return one_;
  }

  const std::vector<Symbol>& merged_whole(std::string_view piece) {
    if (model_.trie().usable()) {
      if (const std::vector<Symbol>* found = scratch_.search.find(piece)) return *found;
    } else if (model_.specification.ignore_merges) {
      if (const TokenId id = model_.vocabulary.find(piece); id != no_token) {
        one_.assign(1, {id, static_cast<std::uint32_t>(piece.size())});
        return one_;
      }
    }
    return scratch_.loop.merge(piece);
  }

  void put(const std::vector<Symbol>& symbols, Place at) {
    std::uint32_t from = 0;
    for (const Symbol& symbol : symbols) {
      if (symbol.id != no_token) {
        put(symbol.id, symbol.end - from);
        after_unknown_ = false;
      } else {
        put_without_token(view(at + from, at + symbol.end));
      }
      from = symbol.end;
    }
  }

  /// A symbol that no token stands for: its bytes where each has a token, else the token for what is unknown,
  /// which may stand for several; nothing where there is none.
  void put_without_token(std::string_view text) {
    if (has_bytes(text)) {
      for (const char byte : text) put(byte_of(byte), 1);
      after_unknown_ = false;
      return;
    }
    const Specification& specification = model_.specification;
    const bool fused =
        after_unknown_ && (specification.fuse_unknown || mutant("tokenizer.encode.unknown_always_fused"));
    if (specification.unknown != no_token && !fused) {
      put(specification.unknown, text.size());
    } else if constexpr (WithEnds) {
      last_end_ += static_cast<std::uint32_t>(text.size());
      if (fused && !ends_->empty() && !mutant("tokenizer.encode.fused_unknown_ends_early"))
        ends_->back() = last_end_;
    }
    after_unknown_ = true;
  }

  const Model& model_;
  Scratch& scratch_;
  const Place begin_, end_;
  std::vector<TokenId>& ids_;
  std::vector<std::uint32_t>* ends_;
  std::array<Pending, 32> pending_;
  std::size_t pending_count_ = 0;
  std::array<TokenId, 1024> waiting_;
  std::size_t count_ = 0;
  std::uint32_t last_end_ = 0;
  std::vector<Symbol> one_;
  bool after_unknown_ = false;  ///< whether the last symbol was unknown
  bool left_out_ = false;       ///< whether bytes were left out of the last piece that was merged
};

}  // namespace assay::kernels::merge
