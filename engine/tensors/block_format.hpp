#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace assay {

/// How the elements of a tensor of a GGUF file lie in memory: in blocks of `length` elements and `bytes`
/// bytes, little-endian. What stands in a block is written in engine/quant/dequantize.hpp.
enum class BlockFormat : std::uint8_t {
  f32,
  f16,
  bf16,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  q8_k,
  iq4_nl,
  iq4_xs,
  mxfp4
};

/// The type of the scale that a block begins its formula with.
enum class BlockScale : std::uint8_t { none, binary16, binary32, exponent };

/// What is known of a format without decoding it.
struct BlockLayout {
  BlockFormat format;
  std::string_view name;    ///< as ggml spells it: "Q4_K"
  std::uint32_t ggml_type;  ///< its number in a GGUF file
  int length;               ///< elements of a block
  int bytes;                ///< of a block
  BlockScale scale;
  int scale_at;    ///< where the scale stands in the block, in bytes; -1: there is none
  int minimum_at;  ///< where the binary16 stands that an offset is made of; -1: there is none
};

/// Every format, in the order of BlockFormat. Source: ggml, ggml-common.h and ggml.h, commit d99724f2.
inline constexpr std::array<BlockLayout, 17> block_layouts = {{
    {BlockFormat::f32, "F32", 0, 1, 4, BlockScale::none, -1, -1},
    {BlockFormat::f16, "F16", 1, 1, 2, BlockScale::none, -1, -1},
    {BlockFormat::bf16, "BF16", 30, 1, 2, BlockScale::none, -1, -1},
    {BlockFormat::q4_0, "Q4_0", 2, 32, 18, BlockScale::binary16, 0, -1},
    {BlockFormat::q4_1, "Q4_1", 3, 32, 20, BlockScale::binary16, 0, 2},
    {BlockFormat::q5_0, "Q5_0", 6, 32, 22, BlockScale::binary16, 0, -1},
    {BlockFormat::q5_1, "Q5_1", 7, 32, 24, BlockScale::binary16, 0, 2},
    {BlockFormat::q8_0, "Q8_0", 8, 32, 34, BlockScale::binary16, 0, -1},
    {BlockFormat::q2_k, "Q2_K", 10, 256, 84, BlockScale::binary16, 80, 82},
    {BlockFormat::q3_k, "Q3_K", 11, 256, 110, BlockScale::binary16, 108, -1},
    {BlockFormat::q4_k, "Q4_K", 12, 256, 144, BlockScale::binary16, 0, 2},
    {BlockFormat::q5_k, "Q5_K", 13, 256, 176, BlockScale::binary16, 0, 2},
    {BlockFormat::q6_k, "Q6_K", 14, 256, 210, BlockScale::binary16, 208, -1},
    {BlockFormat::q8_k, "Q8_K", 15, 256, 292, BlockScale::binary32, 0, -1},
    {BlockFormat::iq4_nl, "IQ4_NL", 20, 32, 18, BlockScale::binary16, 0, -1},
    {BlockFormat::iq4_xs, "IQ4_XS", 23, 256, 136, BlockScale::binary16, 0, -1},
    {BlockFormat::mxfp4, "MXFP4", 39, 32, 17, BlockScale::exponent, 0, -1},
}};

constexpr const BlockLayout& layout_of(BlockFormat format) {
  return block_layouts[static_cast<std::size_t>(format)];
}

/// The formats that values are encoded to (quant.quantize).
inline constexpr std::array<BlockFormat, 8> encoded_formats = {
    BlockFormat::q4_0, BlockFormat::q4_1, BlockFormat::q5_0, BlockFormat::q5_1,
    BlockFormat::q8_0, BlockFormat::q4_k, BlockFormat::q6_k, BlockFormat::mxfp4};

constexpr bool is_encoded(BlockFormat format) {
  for (const BlockFormat each : encoded_formats)
    if (each == format) return true;
  return false;
}

/// The format of that name ("Q4_K"), none where there is no such format.
constexpr std::optional<BlockFormat> block_format_named(std::string_view name) {
  for (const BlockLayout& layout : block_layouts)
    if (layout.name == name) return layout.format;
  return std::nullopt;
}

/// The format of that number in a GGUF file, none where it is not one of these.
constexpr std::optional<BlockFormat> block_format_of_ggml(std::uint32_t type) {
  for (const BlockLayout& layout : block_layouts)
    if (layout.ggml_type == type) return layout.format;
  return std::nullopt;
}

}  // namespace assay
