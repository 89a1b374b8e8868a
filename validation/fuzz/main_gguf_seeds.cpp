/// Writes the files that `ci/fuzz` begins with into a folder: good ones of every kind, and wrong ones that
/// show the fuzzer where there is something to get wrong.

#include <filesystem>
#include <fstream>
#include <iostream>

#include "engine/llm/gguf/test_writer.hpp"

namespace {

using namespace assay::gguf;

TestWriter model(const std::string& architecture) {
  TestWriter writer;
  writer.set("general.architecture", architecture);
  for (const auto& [key, number] : {std::pair{"context_length", 128U},
                                    {"embedding_length", 64U},
                                    {"block_count", 2U},
                                    {"feed_forward_length", 128U},
                                    {"attention.head_count", 8U},
                                    {"attention.head_count_kv", 4U},
                                    {"rope.dimension_count", 8U},
                                    {"attention.sliding_window", 32U},
                                    {"expert_count", 4U},
                                    {"expert_used_count", 2U}}) {
    writer.set(architecture + "." + key, number);
  }
  writer.set(architecture + ".rope.freq_base", 10000.0f).set(architecture + ".rope.scaling.type", "yarn");
  writer.set(architecture + (architecture == "gpt2" ? ".attention.layer_norm_epsilon"
                                                    : ".attention.layer_norm_rms_epsilon"),
             1e-5f);
  writer.tensor("token_embd.weight", {64, 2}, TensorType::q4_0, std::string(72, '\x11'));
  return writer;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "expected a folder\n";
    return 2;
  }
  int count = 0;
  const auto put = [&](const TestWriter& writer) {
    std::ofstream file(std::filesystem::path(argv[1]) / ("seed" + std::to_string(count++)), std::ios::binary);
    if (!(file << writer.bytes()).flush()) std::exit(1);
  };
  put(TestWriter());
  TestWriter every;
  set_every_type(every);
  put(every);
  for (const char* architecture : {"llama", "mistral", "qwen2", "phi3", "gpt2", "gpt-oss"})
    put(model(architecture));
  TestWriter types;
  for (const TensorTypeInfo& info : tensor_types()) {
    types.tensor(std::string(info.name), {info.block_length, 2}, info.type,
                 std::string(2 * info.block_bytes, '\x22'));
  }
  put(types);
  for (const int depth : {2, max_array_depth, max_array_depth + 1}) {
    put(TestWriter().raw("deep", ValueType::array, nested_array(depth)));
  }
  TestWriter aligned;
  aligned.alignment = 64;
  put(aligned.set("general.alignment", 64U).tensor("w", {4}, TensorType::f32, "0123456789abcdef"));
  TestWriter part;
  part.raw("split.no", ValueType::uint16, TestWriter::stored<std::uint16_t>(0));
  part.raw("split.count", ValueType::uint16, TestWriter::stored<std::uint16_t>(2));
  put(part.raw("split.tensors.count", ValueType::int32, TestWriter::stored<std::int32_t>(0)));
  TestWriter claims;
  claims.claimed_tensors = claims.claimed_metadata = std::uint64_t{1} << 63;
  put(claims);
  put(TestWriter().tensor_entry("w", {std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 0, 0));
  put(TestWriter().tensor_entry("a", {16}, 0, 0).tensor_entry("b", {16}, 0, 32).data(std::string(96, 'x')));
  std::cout << count << " seeds\n";
  return 0;
}
