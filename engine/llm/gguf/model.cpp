#include "engine/llm/gguf/model.hpp"

#include <array>
#include <cmath>
#include <cstdio>

#include "engine/io/bytes.hpp"

namespace assay::gguf {
namespace {

/// Sizes above these are absurd: they guard the products that are made of them.
constexpr std::uint64_t most_layers = 4096;
constexpr std::uint64_t most_experts = 65536;
constexpr std::uint64_t most_width = std::uint64_t{1} << 24;
constexpr std::uint64_t most_positions = std::uint64_t{1} << 31;

struct Known {
  Architecture architecture;
  std::string_view name;
};
constexpr std::array known{
    Known{Architecture::llama, "llama"}, Known{Architecture::mistral, "mistral"},
    Known{Architecture::qwen2, "qwen2"}, Known{Architecture::phi3, "phi3"},
    Known{Architecture::gpt2, "gpt2"},   Known{Architecture::gpt_oss, "gpt-oss"},
};

std::string shortest(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", number);
  return text;
}

/// Reads keys below "<architecture>."; keeps the first thing that is wrong.
class Keys {
 public:
  Keys(const ModelFiles& files, std::string prefix) : files_(files), prefix_(std::move(prefix)) {}

  std::uint32_t size(std::string_view key, std::uint64_t most) { return size_of_value(key, most, {}); }
  std::uint32_t size_or(std::string_view key, std::uint64_t most, std::uint32_t fallback,
                        std::uint64_t least = 1) {
    return size_of_value(key, most, fallback, least);
  }
  double positive(std::string_view key, std::optional<double> fallback = {}) {
    const Value* const value = find(key);
    if (value == nullptr) {
      if (!fallback) missing(key);
      return fallback.value_or(1.0);
    }
    const std::optional<double> number = value->as_real();
    if (!number)
      return refuse(key, *value, "has type " + std::string(name_of(value->type)), "a float32"), 1.0;
    if (!std::isfinite(*number) || *number <= 0) {
      return refuse(key, *value, "is " + shortest(*number), "a finite number above 0"), 1.0;
    }
    return *number;
  }
  std::string_view text_or(std::string_view key, std::string_view fallback) {
    const Value* const value = find(key);
    if (value == nullptr) return fallback;
    const std::optional<std::string_view> text = value->as_text();
    if (!text) refuse(key, *value, "has type " + std::string(name_of(value->type)), "a string");
    return text.value_or(fallback);
  }

  void refuse(std::string_view key, const std::string& what, const std::string& expected) {
    const Value* const value = find(key);
    if (value == nullptr) return set(prefix_ + std::string(key) + " " + what + ", expected " + expected, {});
    refuse(key, *value, what, expected);
  }
  void set(const std::string& what, std::optional<std::uint64_t> offset) {
    if (!error_)
      error_ = InputError{InputError::Code::malformed, files_.path() + ": " + what, offset, {}, {}};
  }
  const std::optional<InputError>& error() const { return error_; }
  const Value* find(std::string_view key) const { return files_.find(prefix_ + std::string(key)); }

 private:
  void refuse(std::string_view key, const Value& value, const std::string& what,
              const std::string& expected) {
    set(prefix_ + std::string(key) + " " + what + " at byte " + std::to_string(value.offset) + ", expected " +
            expected,
        value.offset);
  }
  void missing(std::string_view key) {
    set("has no key " + prefix_ + std::string(key) + ", expected it", {});
  }

  std::uint32_t size_of_value(std::string_view key, std::uint64_t most, std::optional<std::uint32_t> fallback,
                              std::uint64_t least = 1) {
    const Value* const value = find(key);
    if (value == nullptr) {
      if (!fallback) missing(key);
      return fallback.value_or(1);
    }
    const std::optional<std::int64_t> number = value->as_signed();
    const std::string range = std::to_string(least) + " to " + std::to_string(most);
    if (!number && !value->as_unsigned()) {
      refuse(key, *value, "has type " + std::string(name_of(value->type)), "an integer");
      return 1;
    }
    const std::optional<std::uint64_t> size = value->as_unsigned();
    if (!size || *size < least || *size > most) {
      refuse(key, *value, "is " + (size ? std::to_string(*size) : std::to_string(*number)), range);
      return 1;
    }
    return static_cast<std::uint32_t>(*size);
  }

  const ModelFiles& files_;
  std::string prefix_;
  std::optional<InputError> error_;
};

Rope read_rope(Keys& keys, const ModelDescription& model) {
  Rope rope;
  rope.dimensions = keys.size_or("rope.dimension_count", most_width, model.key_length);
  if (rope.dimensions % 2 != 0 || rope.dimensions > model.key_length) {
    keys.refuse("rope.dimension_count", "is " + std::to_string(rope.dimensions),
                "an even number of at most the length of a head, " + std::to_string(model.key_length));
  }
  rope.theta = keys.positive("rope.freq_base", 10000.0);
  const std::string_view type = keys.text_or("rope.scaling.type", "none");
  if (type == "linear") {
    rope.scaling = RopeScaling::linear;
  } else if (type == "yarn") {
    rope.scaling = RopeScaling::yarn;
  } else if (type == "longrope") {
    rope.scaling = RopeScaling::longrope;
  } else if (type != "none") {
    keys.refuse("rope.scaling.type", "is '" + io::printable(type) + "'", "none, linear, yarn or longrope");
  }
  rope.factor = keys.positive("rope.scaling.factor", 1.0);
  rope.original_context_length = keys.size_or("rope.scaling.original_context_length", most_positions, 0);
  if (keys.find("rope.scaling.attn_factor") != nullptr)
    rope.attention_factor = keys.positive("rope.scaling.attn_factor");
  return rope;
}

void read_heads(Keys& keys, ModelDescription& model) {
  model.num_heads = keys.size("attention.head_count", most_width);
  model.num_kv_heads = keys.size_or("attention.head_count_kv", most_width, model.num_heads);
  if (model.num_heads % model.num_kv_heads != 0) {
    keys.refuse("attention.head_count_kv", "is " + std::to_string(model.num_kv_heads),
                "a divisor of attention.head_count, " + std::to_string(model.num_heads));
  }
  // A head has its own length only where the file says so.
  const bool said = keys.find("attention.key_length") != nullptr;
  if (!said && model.embedding_length % model.num_heads != 0) {
    keys.refuse("attention.head_count", "is " + std::to_string(model.num_heads),
                "a divisor of embedding_length, " + std::to_string(model.embedding_length));
  }
  const std::uint32_t shared = model.embedding_length / model.num_heads;
  model.key_length = keys.size_or("attention.key_length", most_width, shared == 0 ? 1 : shared);
  model.value_length = keys.size_or("attention.value_length", most_width, model.key_length);
}

void read_experts(Keys& keys, ModelDescription& model) {
  model.experts.count = keys.size_or("expert_count", most_experts, 0, 0);
  if (model.experts.count == 0) {
    if (model.architecture == Architecture::gpt_oss) {
      keys.refuse("expert_count", "is 0 or missing", "the number of experts that every gpt-oss has");
    }
    return;
  }
  model.experts.used = keys.size("expert_used_count", model.experts.count);
  model.experts.feed_forward_length =
      keys.size_or("expert_feed_forward_length", most_width, model.feed_forward_length);
}

/// The number of tokens: by key, else by the tokenizer's list, else by the embedding.
void read_vocabulary(Keys& keys, const ModelFiles& files, ModelDescription& model) {
  const Value* const tokens = files.find("tokenizer.ggml.tokens");
  const TensorEntry* const embedding = files.find_tensor("token_embd.weight");
  std::uint64_t size = 0;
  if (keys.find("vocab_size") != nullptr) {
    size = keys.size("vocab_size", most_positions);
  } else if (tokens != nullptr && tokens->type == ValueType::array) {
    size = tokens->count;
  } else if (embedding != nullptr) {
    size = embedding->shape[1];
  }
  if (size == 0 || size > most_positions) {
    keys.set("the vocabulary has " + std::to_string(size) +
                 " tokens (vocab_size, tokenizer.ggml.tokens, token_embd.weight), expected 1 to 2^31",
             {});
    return;
  }
  model.vocabulary = static_cast<std::uint32_t>(size);
  if (embedding == nullptr) return;  // a file with a vocabulary alone
  model.tied_output = files.find_tensor("output.weight") == nullptr;
  if (embedding->rank != 2 || embedding->shape[0] != model.embedding_length || embedding->shape[1] != size) {
    keys.set("tensor 'token_embd.weight' has shape " + std::to_string(embedding->shape[0]) + " x " +
                 std::to_string(embedding->shape[1]) + " (" + std::to_string(embedding->rank) +
                 " dimensions), expected " + std::to_string(model.embedding_length) + " x " +
                 std::to_string(size) + ", the embedding_length and the vocabulary",
             {});
  }
}

}  // namespace

std::string_view name_of(Architecture architecture) {
  for (const Known& one : known) {
    if (one.architecture == architecture) return one.name;
  }
  return "?";
}

Result<ModelDescription> describe_model(const ModelFiles& files) {
  Keys general(files, "general.");
  if (general.find("architecture") == nullptr) {
    general.set("has no key general.architecture, expected what the model is", {});
    return *general.error();
  }
  const std::string architecture(general.text_or("architecture", ""));
  ModelDescription model;
  model.name = io::printable(general.text_or("name", ""), 200);
  if (general.error()) return *general.error();
  const Known* found = nullptr;
  for (const Known& one : known) {
    if (one.name == architecture) found = &one;
  }
  if (found == nullptr) {
    const std::uint64_t at = general.find("architecture")->offset;
    general.set("unsupported architecture '" + io::printable(architecture) +
                    "' (general.architecture at byte " + std::to_string(at) +
                    "), expected llama, mistral, qwen2, phi3, gpt2 or gpt-oss",
                at);
    return *general.error();
  }
  model.architecture = found->architecture;

  Keys keys(files, architecture + ".");
  model.context_length = keys.size("context_length", most_positions);
  model.embedding_length = keys.size("embedding_length", most_width);
  model.num_layers = keys.size("block_count", most_layers);
  const bool own_experts = keys.find("expert_feed_forward_length") != nullptr;
  model.feed_forward_length = own_experts ? keys.size_or("feed_forward_length", most_width, 0, 0)
                                          : keys.size("feed_forward_length", most_width);
  read_heads(keys, model);
  const bool layer_norm = model.architecture == Architecture::gpt2;
  model.normalisation = layer_norm ? Normalisation::layer_norm : Normalisation::rms_norm;
  model.norm_epsilon =
      keys.positive(layer_norm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon");
  model.sliding_window = keys.size_or("attention.sliding_window", most_positions, 0, 0);
  if (model.architecture != Architecture::gpt2) model.rope = read_rope(keys, model);
  read_experts(keys, model);
  read_vocabulary(keys, files, model);
  if (keys.error()) return *keys.error();
  return model;
}

}  // namespace assay::gguf
