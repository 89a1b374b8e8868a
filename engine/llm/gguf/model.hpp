#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/llm/gguf/model_files.hpp"

namespace assay::gguf {

/// Architectures that are understood, by general.architecture. Files of Mistral's models are "llama" as
/// converters write them, with the same tensors; "mistral" is taken for what it says.
enum class Architecture : std::uint8_t { llama, mistral, qwen2, phi3, gpt2, gpt_oss };

/// "gpt-oss", ...: as files have it.
std::string_view name_of(Architecture architecture);

enum class Normalisation : std::uint8_t { layer_norm, rms_norm };

/// How positions beyond the trained ones are reached (rope.scaling.type).
enum class RopeScaling : std::uint8_t { none, linear, yarn, longrope };

/// Rotary position embedding: theta_i = theta^(-2i/dimensions), as Su et al. 2021 (arXiv:2104.09864).
struct Rope {
  std::uint32_t dimensions = 0;  ///< of each head that are rotated; even
  double theta = 10000.0;        ///< rope.freq_base
  RopeScaling scaling = RopeScaling::none;
  double factor = 1.0;                          ///< rope.scaling.factor
  std::uint32_t original_context_length = 0;    ///< rope.scaling.original_context_length; 0: not said
  std::optional<double> attention_factor = {};  ///< rope.scaling.attn_factor, where it is said
};

/// Mixture of experts; without one all are 0.
struct Experts {
  std::uint32_t count = 0;
  std::uint32_t used = 0;                 ///< for each token
  std::uint32_t feed_forward_length = 0;  ///< of one expert
};

/// What a model is, as the metadata of its file say it: everything of a transformer that is no weight.
struct ModelDescription {
  Architecture architecture = Architecture::llama;
  std::string name;                  ///< general.name, or empty
  std::uint32_t vocabulary = 0;      ///< tokens
  std::uint32_t context_length = 0;  ///< positions it was trained for
  std::uint32_t embedding_length = 0;
  std::uint32_t feed_forward_length = 0;  ///< 0 only where experts have their own
  std::uint32_t num_layers = 0;
  std::uint32_t num_heads = 0;
  std::uint32_t num_kv_heads = 0;    ///< divides num_heads
  std::uint32_t key_length = 0;      ///< head_dim of queries and keys
  std::uint32_t value_length = 0;    ///< head_dim of values
  std::uint32_t sliding_window = 0;  ///< positions that attention sees; 0: all
  Normalisation normalisation = Normalisation::rms_norm;
  double norm_epsilon = 0;
  std::optional<Rope> rope;  ///< none: positions are learnt (GPT-2)
  Experts experts;
  bool tied_output = false;  ///< without an output.weight, the embeddings serve as it
};

/// Reads the description. Errors, each with the key, its value and its byte offset: an architecture that is
/// not understood ("unsupported", with what the file says it is), a key that is missing or of a wrong type, a
/// size of 0 or above what the field can mean, heads that do not divide, a rotary dimension that is odd or
/// larger than a head, numbers that are not finite or not positive, a vocabulary or an embedding whose size
/// differs from that of token_embd.weight.
Result<ModelDescription> describe_model(const ModelFiles& files);

}  // namespace assay::gguf
