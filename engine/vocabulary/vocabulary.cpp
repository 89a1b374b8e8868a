#include "engine/vocabulary/vocabulary.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace assay {
namespace {

/// Up to eight bytes as a number, without a copy of a length that is not known when compiling: the reads of
/// four may overlap.
std::uint64_t word_of(const char* bytes, std::size_t size) {
  std::uint64_t word = 0;
  if (size >= 8) {
    std::memcpy(&word, bytes, 8);
  } else if (size >= 4) {
    std::uint32_t low = 0, high = 0;
    std::memcpy(&low, bytes, 4);
    std::memcpy(&high, bytes + size - 4, 4);
    word = std::uint64_t{high} << 32 | low;
  } else if (size > 0) {
    const auto byte = [&](std::size_t at) { return std::uint64_t{static_cast<std::uint8_t>(bytes[at])}; };
    word = byte(0) << 16 | byte(size / 2) << 8 | byte(size - 1);
  }
  return word;
}

/// A multiplicative hash over words of eight bytes: tokens are short, and the table is not filled by an
/// adversary faster than `max_tokens` allows.
std::uint64_t hash_of(std::string_view bytes) {
  constexpr std::uint64_t factor = 0x9E3779B97F4A7C15;
  std::uint64_t hash = bytes.size() * factor;
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    hash = std::rotl(hash ^ word_of(bytes.data() + at, bytes.size() - at), 27) * factor;
    hash ^= hash >> 32;
  }
  return hash;
}

/// The bits of a hash that do not choose its place.
std::uint32_t tag_of(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 32);
}

}  // namespace

TokenId Vocabulary::find(std::string_view bytes) const {
  if (slots_.empty()) return no_token;
  const std::size_t mask = slots_.size() - 1;
  const std::uint64_t hash = hash_of(bytes);
  for (std::size_t at = hash & mask; slots_[at].id != no_token; at = (at + 1) & mask)
    if (slots_[at].tag == tag_of(hash) && bytes_of(slots_[at].id) == bytes) return slots_[at].id;
  return no_token;
}

std::size_t Vocabulary::memory() const {
  return arena_.capacity() + offsets_.capacity() * sizeof(offsets_[0]) + kinds_.capacity() +
         scores_.capacity() * sizeof(float) + merges_.capacity() * sizeof(Merge) +
         slots_.capacity() * sizeof(Slot);
}

void VocabularyBuilder::reserve(std::size_t tokens, std::size_t bytes) {
  made_.arena_.reserve(bytes);
  made_.offsets_.reserve(tokens + 1);
  made_.kinds_.reserve(tokens);
}

void VocabularyBuilder::add(std::string_view bytes, TokenKind kind) {
  made_.arena_.append(bytes);
  made_.offsets_.push_back(static_cast<std::uint32_t>(made_.arena_.size()));
  made_.kinds_.push_back(static_cast<std::uint8_t>(kind));
  indexed_ = false;
}

void VocabularyBuilder::set_kind(TokenId id, TokenKind kind) {
  made_.kinds_[id] = static_cast<std::uint8_t>(kind);
  indexed_ = false;
}

void VocabularyBuilder::index() {
  made_.byte_tokens_.fill(no_token);
  made_.longest_normal_ = 0;
  made_.has_twins_ = false;
  // At most three quarters full: the tags keep searches short, and less memory misses the caches less.
  made_.slots_.assign(std::bit_ceil(std::max<std::size_t>(made_.size() + made_.size() / 3, 16)), {});
  const std::size_t mask = made_.slots_.size() - 1;
  for (std::size_t id = 0; id < made_.size(); ++id) {
    const std::string_view bytes = made_.bytes_of(static_cast<TokenId>(id));
    const TokenKind kind = made_.kind_of(static_cast<TokenId>(id));
    if (kind == TokenKind::byte) {
      TokenId& stands = made_.byte_tokens_[static_cast<std::uint8_t>(bytes[0])];
      if (stands == no_token) stands = static_cast<TokenId>(id);
    }
    if (kind != TokenKind::normal) continue;
    made_.longest_normal_ = std::max(made_.longest_normal_, bytes.size());
    const std::uint64_t hash = hash_of(bytes);
    std::size_t at = hash & mask;
    while (made_.slots_[at].id != no_token &&
           (made_.slots_[at].tag != tag_of(hash) || made_.bytes_of(made_.slots_[at].id) != bytes))
      at = (at + 1) & mask;
    if (made_.slots_[at].id == no_token)
      made_.slots_[at] = {static_cast<TokenId>(id), tag_of(hash)};
    else
      made_.has_twins_ = true;
  }
  indexed_ = true;
}

Vocabulary VocabularyBuilder::build() {
  if (!indexed_) index();
  return std::move(made_);
}

}  // namespace assay
