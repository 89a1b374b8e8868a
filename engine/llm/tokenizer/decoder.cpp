#include "engine/llm/tokenizer/decoder.hpp"

#include "kernels/tokenizer/decode.hpp"

namespace assay::tokenizer {

void StreamDecoder::add(TokenId id, std::string& text) {
  const kernels::tokenizer::DecodeRules rules{tokenizer_.specification.strip_first_space,
                                              options_.skip_special};
  kernels::tokenizer::decode_token(tokenizer_.vocabulary, rules, id, {held_, at_start_}, text);
}

void StreamDecoder::finish(std::string& text) {
  kernels::tokenizer::finish_decoding({held_, at_start_}, text);
}

std::string decode(const TokenizerDescription& tokenizer, std::span<const TokenId> ids,
                   DecodeOptions options) {
  StreamDecoder decoder(tokenizer, options);
  std::string text;
  for (const TokenId id : ids) decoder.add(id, text);
  decoder.finish(text);
  return text;
}

}  // namespace assay::tokenizer
