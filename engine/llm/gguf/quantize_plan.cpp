#include "engine/llm/gguf/quantize_plan.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "engine/io/bytes.hpp"
#include "engine/llm/gguf/plain_values.hpp"
#include "engine/tensors/block_format.hpp"

namespace assay::gguf {
namespace {

bool contains(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

/// Parts of names of tensors that stay as they are: llama-quant.cpp, commit 007dbbf3.
constexpr std::array<std::string_view, 37> kept_parts = {
    "_norm.weight",
    // routers of experts
    "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight",
    // small, or not worth it
    "altup", "laurel", "per_layer_model_proj", "ssm_conv1d", "shortconv.conv.weight", "indexer.k_proj.weight",
    "indexer.q_proj.weight",
    // RWKV
    "time_mix_first.weight", "time_mix_w0.weight", "time_mix_w1.weight", "time_mix_w2.weight",
    "time_mix_v0.weight", "time_mix_v1.weight", "time_mix_v2.weight", "time_mix_a0.weight",
    "time_mix_a1.weight", "time_mix_a2.weight", "time_mix_g1.weight", "time_mix_g2.weight",
    "time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight",
    // relative positions, images and sound
    "attn_rel_b.weight", ".position_embd", "sam.pos_embd", "sam.neck.", "sam.net_", ".rel_pos", ".patch_embd",
    ".patch_merger", "a.rvq.codebook", "mm.a.code_embd",
    // learnt positions and token types, which are whole names
    "position_embd.weight", "token_types.weight"};

/// Dimensions up to the last that is longer than 1, as ggml counts them.
std::uint32_t dimensions(const TensorEntry& tensor) {
  std::uint32_t count = 1;
  for (std::uint32_t axis = 1; axis < tensor.rank; ++axis)
    if (tensor.shape[axis] > 1) count = axis + 1;
  return count;
}

bool is_integer(TensorType type) {
  return type == TensorType::i8 || type == TensorType::i16 || type == TensorType::i32 ||
         type == TensorType::i64;
}

bool is_quantized(const TensorEntry& tensor) {
  if (dimensions(tensor) < 2 || is_integer(tensor.type) || !tensor.name.ends_with("weight")) return false;
  return std::ranges::none_of(kept_parts, [&](std::string_view part) { return contains(tensor.name, part); });
}

bool fills_blocks(const TensorEntry& tensor, TensorType type) {
  return tensor.shape[0] % info_of(type).block_length == 0;
}

TensorType fallback_of(const TensorEntry& tensor, TensorType type) {
  const TensorType shorter = type == TensorType::q4_K   ? TensorType::q5_0
                             : type == TensorType::q6_K ? TensorType::q8_0
                                                        : TensorType::f16;
  return fills_blocks(tensor, shorter) ? shorter : TensorType::f16;
}

bool is_decoded(TensorType type) {
  return is_plain(type) || block_format_of_ggml(static_cast<std::uint32_t>(type)).has_value();
}

/// llama_ftype of llama.h: "mostly" this type.
std::uint32_t file_type_of(TensorType type) {
  switch (type) {
    case TensorType::f16:
      return 1;
    case TensorType::q4_0:
      return 2;
    case TensorType::q4_1:
      return 3;
    case TensorType::q8_0:
      return 7;
    case TensorType::q5_0:
      return 8;
    case TensorType::q5_1:
      return 9;
    case TensorType::q4_K:
      return 14;
    case TensorType::q6_K:
      return 18;
    case TensorType::mxfp4:
      return 38;
    default:
      return 0;
  }
}

std::string capitals(std::string_view text) {
  std::string made(text);
  for (char& letter : made) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return made;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::uint64_t PlannedTensor::bytes() const {
  // At most some ten times what the file holds of it, so far below 2^64.
  const TensorTypeInfo& info = info_of(type);
  return converted() ? tensor->elements / info.block_length * info.block_bytes : tensor->data.size();
}

std::uint64_t QuantizePlan::count(PlanReason reason) const {
  return static_cast<std::uint64_t>(
      std::ranges::count(tensors, reason, [](const PlannedTensor& planned) { return planned.reason; }));
}

std::uint64_t QuantizePlan::bytes() const {
  std::uint64_t sum = 0;
  for (const PlannedTensor& planned : tensors) sum += planned.bytes();
  return sum;
}

std::uint64_t QuantizePlan::requantized() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(tensors, [](const PlannedTensor& planned) {
    return planned.converted() && !is_plain(planned.tensor->type);
  }));
}

std::vector<std::string> quantize_type_names() {
  std::vector<std::string> names;
  for (const BlockFormat format : encoded_formats) names.emplace_back(layout_of(format).name);
  names.emplace_back("F16");
  return names;
}

Result<TensorType> quantize_type_named(std::string_view name) {
  const std::string wanted = capitals(name);
  const std::string expected = ", expected one of " + listed(quantize_type_names());
  const auto refusal = [&](const std::string& what) {
    return InputError{
        InputError::Code::malformed, "'" + io::printable(name) + "' " + what + expected, {}, {}, {}};
  };
  for (const std::string_view needing :
       {"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "Q2_K_S"})
    if (wanted == needing) return refusal("needs an importance matrix, which is not read here");
  for (const std::string_view mixture :
       {"Q2_K_L", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "IQ3_XS", "IQ3_M"})
    if (wanted == mixture) return refusal("is a mixture of types, which is not made");
  for (const TensorTypeInfo& info : tensor_types()) {
    if (capitals(info.name) != wanted) continue;
    const std::vector<std::string> names = quantize_type_names();
    if (std::ranges::find(names, wanted) == names.end()) return refusal("is a type that is not written");
    return info.type;
  }
  return refusal("is no type");
}

Result<QuantizePlan> plan_quantization(const ModelFiles& files, TensorType type,
                                       std::optional<TensorType> output_type) {
  QuantizePlan plan;
  plan.type = type;
  plan.file_type = file_type_of(type);
  const std::string_view output =
      files.find_tensor("output.weight") != nullptr ? "output.weight" : "token_embd.weight";
  for (const File& part : files.parts()) {
    for (const TensorEntry& tensor : part.tensors()) {
      PlannedTensor planned{&part, &tensor, tensor.type, PlanReason::kept};
      if (is_quantized(tensor)) {
        const TensorType wanted = output_type && tensor.name == output ? *output_type : type;
        const bool fits = fills_blocks(tensor, wanted);
        planned.type = fits ? wanted : fallback_of(tensor, wanted);
        planned.reason = !planned.converted() ? PlanReason::same_type
                         : fits               ? PlanReason::quantized
                                              : PlanReason::fallback;
        if (planned.converted() && !is_decoded(tensor.type)) {
          return InputError{InputError::Code::malformed,
                            part.path() + ": tensor '" + io::printable(tensor.name, max_tensor_name_bytes) +
                                "' has type " + std::string(info_of(tensor.type).name) +
                                ", which is not decoded, expected floats or a type that is",
                            {},
                            {},
                            {}};
        }
      }
      plan.tensors.push_back(planned);
    }
  }
  return plan;
}

}  // namespace assay::gguf
