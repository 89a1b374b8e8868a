#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/vocabulary/vocabulary.hpp"

namespace assay {

/// Turns text that holds no added tokens into ids: the splitting and merging, without what comes before
/// (added tokens, normalisation) and after (BOS and EOS). Implementations are immutable or guard what they
/// keep, so that several threads may use one.
class SegmentEncoder {
 public:
  virtual ~SegmentEncoder() = default;

  /// Appends the ids of a segment and, where `ends` is given, the offset in the segment at which each token's
  /// text ends, bytes. The segment is valid UTF-8 of less than 2^31 bytes, normalised as the specification
  /// asks; in SentencePiece's model a space stands for U+2581.
  virtual void encode(std::string_view segment, std::vector<TokenId>& ids,
                      std::vector<std::uint32_t>* ends) const = 0;

  /// The same for bytes that are no UTF-8, which no pattern can split: they are one piece. Byte-level only.
  virtual void encode_piece(std::string_view bytes, std::vector<TokenId>& ids,
                            std::vector<std::uint32_t>* ends) const = 0;
};

}  // namespace assay
