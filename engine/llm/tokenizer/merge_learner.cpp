#include "engine/llm/tokenizer/merge_learner.hpp"

#include <algorithm>
#include <array>
#include <queue>
#include <unordered_map>

#include "engine/llm/tokenizer/byte_alphabet.hpp"

namespace assay::tokenizer {
namespace {

/// Two ids; ordered as pairs are.
using PairKey = std::uint64_t;
PairKey key_of(TokenId left, TokenId right) {
  return std::uint64_t{left} << 32 | right;
}

struct Word {
  std::vector<TokenId> symbols;
  std::uint64_t count;
};

/// Neighbours: how often they occur, and in which words they do or once did.
struct Pair {
  std::uint64_t count = 0;
  std::vector<std::uint32_t> words;
};

/// A pair with the count it had when it was put into the queue.
struct Candidate {
  std::uint64_t count;
  PairKey pair;
  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class Learner {
 public:
  Learner(const PieceCounts& pieces, const LearningOptions& options) : options_(options) {
    std::array<TokenId, 256> id_of{};
    for (const std::uint8_t byte : byte_order()) {
      id_of[byte] = options.first_byte + static_cast<TokenId>(learnt_.tokens.size());
      id_of_bytes_.emplace(std::string(1, static_cast<char>(byte)), id_of[byte]);
      learnt_.tokens.emplace_back(1, static_cast<char>(byte));
    }
    for (const auto& [piece, count] : pieces) {
      Word word{{}, count};
      for (const char letter : piece) word.symbols.push_back(id_of[static_cast<std::uint8_t>(letter)]);
      if (word.symbols.size() < 2) continue;
      words_.push_back(std::move(word));
      const auto index = static_cast<std::uint32_t>(words_.size() - 1);
      for (std::size_t i = 0; i + 1 < words_.back().symbols.size(); ++i)
        add(key_of(words_.back().symbols[i], words_.back().symbols[i + 1]), count, index);
    }
    for (const auto& [pair, of] : pairs_) queue_.push({of.count, pair});
  }

  LearntMerges learn() && {
    const std::size_t wanted = options_.tokens;
    while (options_.first_byte + learnt_.tokens.size() < wanted && !queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      const auto found = pairs_.find(best.pair);
      if (found == pairs_.end() || found->second.count == 0) continue;
      if (found->second.count != best.count) {  // fewer since: it waits for its turn
        queue_.push({found->second.count, best.pair});
        continue;
      }
      if (best.count < std::max<std::uint64_t>(options_.least_count, 1)) break;
      merge(best.pair);
      if (options_.progress && learnt_.merges.size() % 256 == 0)
        options_.progress(options_.first_byte + learnt_.tokens.size(), wanted);
    }
    return std::move(learnt_);
  }

 private:
  void add(PairKey pair, std::uint64_t count, std::uint32_t word) {
    Pair& of = pairs_[pair];
    of.count += count;
    if (of.words.empty() || of.words.back() != word) of.words.push_back(word);
  }

  const std::string& bytes_of(TokenId id) const { return learnt_.tokens[id - options_.first_byte]; }

  /// The token of two tokens' bytes: another pair may have made it before.
  TokenId token_of(TokenId left, TokenId right) {
    const std::string bytes = bytes_of(left) + bytes_of(right);
    const auto next = options_.first_byte + static_cast<TokenId>(learnt_.tokens.size());
    const auto [at, is_new] = id_of_bytes_.emplace(bytes, next);
    if (is_new) learnt_.tokens.push_back(bytes);
    return at->second;
  }

  void merge(PairKey pair) {
    const auto left = static_cast<TokenId>(pair >> 32), right = static_cast<TokenId>(pair);
    std::vector<std::uint32_t> where = std::move(pairs_[pair].words);
    pairs_.erase(pair);
    if (bytes_of(left).size() + bytes_of(right).size() > max_token_bytes) return;
    const TokenId made = token_of(left, right);
    learnt_.merges.push_back({left, right, made});
    std::sort(where.begin(), where.end());
    where.erase(std::unique(where.begin(), where.end()), where.end());
    grown_.clear();
    for (const std::uint32_t word : where) merge_in(word, left, right, made);
    std::sort(grown_.begin(), grown_.end());
    grown_.erase(std::unique(grown_.begin(), grown_.end()), grown_.end());
    for (const PairKey each : grown_)
      if (const auto found = pairs_.find(each); found != pairs_.end() && found->second.count > 0)
        queue_.push({found->second.count, each});
  }

  /// From left to right, as encoding does it.
  void merge_in(std::uint32_t index, TokenId left, TokenId right, TokenId made) {
    Word& word = words_[index];
    std::vector<TokenId>& symbols = word.symbols;
    const PairKey merged = key_of(left, right);
    const auto lose = [&](PairKey pair) {
      if (const auto found = pairs_.find(pair); pair != merged && found != pairs_.end())
        found->second.count -= word.count;
    };
    const auto gain = [&](PairKey pair) {
      add(pair, word.count, index);
      grown_.push_back(pair);
    };
    std::size_t to = 0;
    for (std::size_t from = 0; from < symbols.size();) {
      if (from + 1 == symbols.size() || symbols[from] != left || symbols[from + 1] != right) {
        symbols[to++] = symbols[from++];
        continue;
      }
      if (to > 0) {
        lose(key_of(symbols[to - 1], left));
        gain(key_of(symbols[to - 1], made));
      }
      if (from + 2 < symbols.size()) {
        lose(key_of(right, symbols[from + 2]));
        gain(key_of(made, symbols[from + 2]));
      }
      symbols[to++] = made;
      from += 2;
    }
    symbols.resize(to);
  }

  const LearningOptions& options_;
  LearntMerges learnt_;
  std::unordered_map<std::string, TokenId> id_of_bytes_;
  std::vector<Word> words_;
  std::unordered_map<PairKey, Pair> pairs_;
  std::priority_queue<Candidate> queue_;
  std::vector<PairKey> grown_;  ///< pairs that the merge at hand made more of
};

}  // namespace

std::vector<std::uint8_t> byte_order() {
  std::vector<std::pair<std::string, std::uint8_t>> letters;
  for (int byte = 0; byte < 256; ++byte) {
    const auto value = static_cast<char>(byte);
    std::string letter;
    append_letters_of_bytes({&value, 1}, letter);  // UTF-8, which sorts as code points do
    letters.emplace_back(letter, static_cast<std::uint8_t>(byte));
  }
  std::sort(letters.begin(), letters.end());
  std::vector<std::uint8_t> order;
  for (const auto& [letter, byte] : letters) order.push_back(byte);
  return order;
}

LearntMerges learn_merges(const PieceCounts& pieces, const LearningOptions& options) {
  return Learner(pieces, options).learn();
}

}  // namespace assay::tokenizer
