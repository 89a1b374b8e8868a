#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/merge/rules.hpp"

namespace assay::kernels::merge {

/// A token of a piece, or a symbol that has none, and where its text ends in the piece.
struct Symbol {
  TokenId id;
  std::uint32_t end;

  bool operator==(const Symbol&) const = default;
};

/// The merge loop as it is defined: as long as two adjacent symbols may become one, those do whose priority
/// is least, the leftmost of equals. Short pieces in arrays that are searched through, long ones with a heap:
/// n log n, without recursion.
class Loop {
 public:
  explicit Loop(const Rules& rules) : rules_(rules) {}

  /// The symbols that `piece` is merged to, valid until the next call.
  const std::vector<Symbol>& merge(std::string_view piece);

  /// A merge that was done.
  struct Merged {
    TokenId left, right;
    std::uint32_t priority;
  };
  /// How many merges the last call did, and the last of them, if any.
  std::size_t merges() const { return merges_; }
  const Merged& last() const { return last_; }

 private:
  struct Waiting {
    std::uint32_t priority;
    std::uint32_t left;
  };

  void begin(std::string_view piece);
  void merge_in_arrays(std::string_view piece);
  void merge_with_heap(std::string_view piece);

  const Rules& rules_;
  std::vector<Symbol> symbols_;
  std::vector<Rules::Joined> joins_;           ///< what a symbol and the one to its right become
  std::vector<std::uint32_t> before_, after_;  ///< neighbours of a symbol that is left
  std::vector<Waiting> heap_;
  std::size_t merges_ = 0;
  Merged last_{no_token, no_token, Rules::never};
};

}  // namespace assay::kernels::merge
