#pragma once

#include "engine/vocabulary/segment_encoder.hpp"
#include "engine/vocabulary/specification.hpp"
#include "reference/text/merge.hpp"
#include "reference/text/split.hpp"

namespace assay::reference {

/// Text to ids as the definitions say: split by PCRE2, merged by the literal loop.
class Encoder : public SegmentEncoder {
 public:
  /// The tokenizer stays while this lives.
  explicit Encoder(const TokenizerDescription& tokenizer);

  void encode(std::string_view segment, std::vector<TokenId>& ids,
              std::vector<std::uint32_t>* ends) const override;
  void encode_piece(std::string_view bytes, std::vector<TokenId>& ids,
                    std::vector<std::uint32_t>* ends) const override;

 private:
  void append(std::string_view segment, std::string_view piece, std::vector<TokenId>& ids,
              std::vector<std::uint32_t>* ends) const;
  bool has_bytes(std::string_view character) const;

  const TokenizerDescription& tokenizer_;
  Split split_;
  MergeLoop merge_;
};

}  // namespace assay::reference
