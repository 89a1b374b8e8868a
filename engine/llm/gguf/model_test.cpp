#include "engine/llm/gguf/model.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "engine/llm/gguf/test_writer.hpp"

namespace assay::gguf {
namespace {

using Changes = std::map<std::string, std::function<void(TestWriter&, const std::string& key)>>;

/// A small model's keys. `changes` writes some of them otherwise, by their name without the architecture.
struct Written {
  explicit Written(const std::string& architecture, const Changes& changes = {},
                   std::uint64_t vocabulary = 10) {
    TestWriter writer;
    writer.set("general.architecture", architecture).set("general.name", "tiny");
    std::map<std::string, std::function<void(TestWriter&, const std::string&)>> keys;
    for (const auto& [key, number] : std::map<std::string, std::uint32_t>{{"context_length", 128},
                                                                          {"embedding_length", 64},
                                                                          {"block_count", 5},
                                                                          {"feed_forward_length", 172},
                                                                          {"attention.head_count", 8},
                                                                          {"attention.head_count_kv", 4}}) {
      keys[key] = [number = number](TestWriter& out, const std::string& name) { out.set(name, number); };
    }
    const std::string epsilon =
        architecture == "gpt2" ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon";
    keys[epsilon] = [](TestWriter& out, const std::string& name) { out.set(name, 0.125f); };
    for (const auto& [key, write] : changes) keys[key] = write;
    for (const auto& [key, write] : keys) {
      if (write) write(writer, architecture + "." + key);
    }
    if (vocabulary != 0) {
      writer.tensor("token_embd.weight", {64, vocabulary}, TensorType::f32,
                    std::string(64 * vocabulary * 4, '\0'));
    }
    bytes = writer.bytes();
  }
  Result<ModelDescription> described() const {
    Result<File> file = File::parse("m.gguf", bytes);
    EXPECT_TRUE(file) << file.error().message;
    return describe_model(ModelFiles::alone(std::move(file).value()));
  }
  std::string refusal() const {
    const Result<ModelDescription> model = described();
    EXPECT_FALSE(model) << "accepted";
    return model ? "" : model.error().message;
  }
  std::string bytes;
};

template <typename T>
std::function<void(TestWriter&, const std::string&)> is(T value) {
  return [value](TestWriter& out, const std::string& key) { out.set(key, value); };
}
const std::function<void(TestWriter&, const std::string&)> absent;

TEST(GgufModel, DescribesEveryArchitecture) {
  for (const char* architecture : {"llama", "mistral", "qwen2", "phi3", "gpt2"}) {
    const Result<ModelDescription> model = Written(architecture).described();
    ASSERT_TRUE(model) << model.error().message;
    const ModelDescription& m = model.value();
    EXPECT_EQ(name_of(m.architecture), architecture);
    EXPECT_EQ(m.name, "tiny");
    EXPECT_EQ(m.vocabulary, 10U);
    EXPECT_EQ(m.context_length, 128U);
    EXPECT_EQ(m.embedding_length, 64U);
    EXPECT_EQ(m.feed_forward_length, 172U);
    EXPECT_EQ(m.num_layers, 5U);
    EXPECT_EQ(m.num_heads, 8U);
    EXPECT_EQ(m.num_kv_heads, 4U);
    EXPECT_EQ(m.key_length, 8U);
    EXPECT_EQ(m.value_length, 8U);
    EXPECT_EQ(m.sliding_window, 0U);
    EXPECT_EQ(m.norm_epsilon, 0.125);
    EXPECT_TRUE(m.tied_output);
    EXPECT_EQ(m.experts.count, 0U);
    const bool gpt2 = m.architecture == Architecture::gpt2;
    EXPECT_EQ(m.normalisation, gpt2 ? Normalisation::layer_norm : Normalisation::rms_norm);
    ASSERT_EQ(m.rope.has_value(), !gpt2);
    if (!gpt2) {
      EXPECT_EQ(m.rope->dimensions, 8U);
      EXPECT_EQ(m.rope->theta, 10000.0);
      EXPECT_EQ(m.rope->scaling, RopeScaling::none);
    }
  }
}

TEST(GgufModel, DescribesGptOss) {
  const Result<ModelDescription> model =
      Written("gpt-oss", {{"feed_forward_length", absent},
                          {"expert_count", is(32U)},
                          {"expert_used_count", is(4U)},
                          {"expert_feed_forward_length", is(96U)},
                          {"attention.key_length", is(16U)},
                          {"attention.sliding_window", is(32U)},
                          {"rope.freq_base", is(150000.0f)},
                          {"rope.scaling.type", is(std::string_view("yarn"))},
                          {"rope.scaling.factor", is(32.0f)},
                          {"rope.scaling.original_context_length", is(64U)}})
          .described();
  ASSERT_TRUE(model) << model.error().message;
  const ModelDescription& m = model.value();
  EXPECT_EQ(m.architecture, Architecture::gpt_oss);
  EXPECT_EQ(m.experts.count, 32U);
  EXPECT_EQ(m.experts.used, 4U);
  EXPECT_EQ(m.experts.feed_forward_length, 96U);
  EXPECT_EQ(m.key_length, 16U);
  EXPECT_EQ(m.value_length, 16U);
  EXPECT_EQ(m.sliding_window, 32U);
  EXPECT_EQ(m.rope->theta, 150000.0);
  EXPECT_EQ(m.rope->scaling, RopeScaling::yarn);
  EXPECT_EQ(m.rope->factor, 32.0);
  EXPECT_EQ(m.rope->original_context_length, 64U);
}

TEST(GgufModel, RefusesWhatIsUnsupported) {
  EXPECT_EQ(
      Written("mamba").refusal(),
      "m.gguf: unsupported architecture 'mamba' (general.architecture at byte 64), expected llama, mistral, "
      "qwen2, phi3, gpt2 or gpt-oss");
  const std::string nothing = TestWriter().bytes();
  EXPECT_EQ(describe_model(ModelFiles::alone(File::parse("m.gguf", nothing).value())).error().message,
            "m.gguf: has no key general.architecture, expected what the model is");
  const std::string number = TestWriter().set("general.architecture", 7U).bytes();
  EXPECT_EQ(describe_model(ModelFiles::alone(File::parse("m.gguf", number).value())).error().message,
            "m.gguf: general.architecture has type uint32 at byte 56, expected a string");
}

/// The refusal without the place, which is not the point here.
std::string refused(const std::string& architecture, const Changes& changes, std::uint64_t vocabulary = 10) {
  std::string text = Written(architecture, changes, vocabulary).refusal();
  text = text.substr(text.find(": ") + 2);
  const std::size_t at = text.find(" at byte ");
  if (at != std::string::npos) text.erase(at, text.find(',', at) - at);
  return text;
}

TEST(GgufModel, RefusesSizes) {
  for (const char* key :
       {"context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count"}) {
    EXPECT_EQ(refused("llama", {{key, absent}}), "has no key llama." + std::string(key) + ", expected it");
    EXPECT_NE(refused("llama", {{key, is(0U)}}).find("llama." + std::string(key) + " is 0, expected 1 to "),
              std::string::npos);
    EXPECT_NE(refused("llama", {{key, is(4294967295U)}}).find(" is 4294967295, expected 1 to "),
              std::string::npos);
    EXPECT_EQ(refused("llama", {{key, is(std::string_view("8"))}}),
              "llama." + std::string(key) + " has type string, expected an integer");
    EXPECT_EQ(refused("llama", {{key, is(8.0f)}}),
              "llama." + std::string(key) + " has type float32, expected an integer");
  }
  EXPECT_EQ(refused("llama", {{"block_count",
                               [](TestWriter& out, const std::string& name) {
                                 out.raw(name, ValueType::int32, TestWriter::stored<std::int32_t>(-1));
                               }}}),
            "llama.block_count is -1, expected 1 to 4096");
}

TEST(GgufModel, RefusesWhatDoesNotFitTogether) {
  EXPECT_EQ(refused("llama", {{"attention.head_count", is(7U)}, {"attention.head_count_kv", is(7U)}}),
            "llama.attention.head_count is 7, expected a divisor of embedding_length, 64");
  EXPECT_EQ(refused("llama", {{"attention.head_count_kv", is(3U)}}),
            "llama.attention.head_count_kv is 3, expected a divisor of attention.head_count, 8");
  EXPECT_EQ(refused("llama", {{"rope.dimension_count", is(7U)}}),
            "llama.rope.dimension_count is 7, expected an even number of at most the length of a head, 8");
  EXPECT_EQ(refused("llama", {{"rope.dimension_count", is(10U)}}),
            "llama.rope.dimension_count is 10, expected an even number of at most the length of a head, 8");
  EXPECT_EQ(refused("llama", {{"rope.scaling.type", is(std::string_view("magic"))}}),
            "llama.rope.scaling.type is 'magic', expected none, linear, yarn or longrope");
  EXPECT_EQ(refused("llama", {{"rope.freq_base", is(-1.0f)}}),
            "llama.rope.freq_base is -1, expected a finite number above 0");
  EXPECT_EQ(
      refused("qwen2", {{"attention.layer_norm_rms_epsilon", is(std::numeric_limits<float>::quiet_NaN())}}),
      "qwen2.attention.layer_norm_rms_epsilon is nan, expected a finite number above 0");
  EXPECT_EQ(refused("gpt2", {{"attention.layer_norm_epsilon", absent}}),
            "has no key gpt2.attention.layer_norm_epsilon, expected it");
  EXPECT_EQ(refused("llama", {{"expert_count", is(4U)}, {"expert_used_count", is(5U)}}),
            "llama.expert_used_count is 5, expected 1 to 4");
  EXPECT_EQ(refused("gpt-oss", {}),
            "gpt-oss.expert_count is 0 or missing, expected the number of experts that every gpt-oss has");
}

TEST(GgufModel, RefusesTheVocabulary) {
  EXPECT_EQ(refused("llama", {}, 0),
            "the vocabulary has 0 tokens (vocab_size, tokenizer.ggml.tokens, token_embd.weight), expected 1 "
            "to 2^31");
  EXPECT_EQ(refused("llama", {{"vocab_size", is(11U)}}),
            "tensor 'token_embd.weight' has shape 64 x 10 (2 dimensions), expected 64 x 11, the "
            "embedding_length and "
            "the vocabulary");
  EXPECT_EQ(refused("llama", {{"embedding_length", is(128U)}}),
            "tensor 'token_embd.weight' has shape 64 x 10 (2 dimensions), expected 128 x 10, the "
            "embedding_length and "
            "the vocabulary");
}

}  // namespace
}  // namespace assay::gguf
