#include "engine/llm/gguf/quantize_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "engine/llm/gguf/test_writer.hpp"
#include "engine/tensors/half.hpp"

namespace assay::gguf {
namespace {

namespace fs = std::filesystem;

template <typename Number>
std::string stored(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

std::vector<float> waves(std::size_t count) {
  std::vector<float> made(count);
  for (std::size_t i = 0; i < count; ++i) made[i] = std::sin(static_cast<float>(i)) * 0.1f;
  return made;
}

class QuantizeFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("assay_quantize." + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }
  void write(const char* name, const TestWriter& writer) const {
    std::ofstream(path(name), std::ios::binary) << writer.bytes();
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  Result<std::uint64_t> quantize(const char* in, const std::string& out, TensorType type) {
    const ModelFiles files = ModelFiles::open(path(in)).value();
    const QuantizePlan plan = plan_quantization(files, type).value();
    const Result<std::uint64_t> bytes = write_quantized(
        files, plan, out,
        [&](const Operation& operation, const Arguments& arguments) {
          return run_on_host(context_, operation, arguments);
        },
        [&](std::uint64_t done, std::uint64_t total) { progress_.emplace_back(done, total); });
    if (bytes) {
      EXPECT_EQ(bytes.value(), quantized_file_bytes(files, plan));
    }
    return bytes;
  }

  /// What the operation makes of these values.
  std::string encoded(const std::vector<float>& values, const char* format) {
    const auto columns = static_cast<std::int64_t>(values.size());
    Arguments arguments;
    arguments.inputs.emplace("values", view_of(values.data(), {1, columns}));
    arguments.parameters.emplace("format", std::string(format));
    const auto outputs = run_on_host(context_, *find_operation("quant.quantize"), arguments);
    const auto bytes = outputs.at("blocks").as<std::uint8_t>();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  Context context_ = Context::cpu(2);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> progress_;

 private:
  fs::path folder_;
};

TEST_F(QuantizeFile, CarriesMetadataOverAndWritesTheBlocksOfTheOperation) {
  TestWriter writer;
  writer.version = 2;
  writer.set("general.architecture", "llama").set("general.file_type", 1U);
  set_every_type(writer);
  writer.set("split.count", 1U).set("split.no", 0U).set("split.tensors.count", 4U);
  const std::vector<float> matrix = waves(64 * 3);
  writer.tensor("a.weight", {64, 3}, TensorType::f32, stored(matrix));
  writer.tensor("norm.weight", {5}, TensorType::f32, stored(waves(5)));
  std::vector<std::uint16_t> halves;
  for (const float value : matrix) halves.push_back(to_half(value).bits);
  writer.tensor("b.weight", {64, 3}, TensorType::f16, stored(halves));
  writer.tensor("c.weight", {50, 2}, TensorType::f32, stored(waves(100)));
  write("in.gguf", writer);
  const Result<std::uint64_t> bytes = quantize("in.gguf", path("out.gguf"), TensorType::q8_0);
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(bytes.value(), fs::file_size(path("out.gguf")));

  const File in = File::open(path("in.gguf")).value();
  const Result<File> opened = File::open(path("out.gguf"));
  ASSERT_TRUE(opened) << opened.error().message;
  const File& out = opened.value();
  EXPECT_EQ(out.version(), 3U);
  EXPECT_EQ(out.trailing_bytes(), 0U);
  EXPECT_EQ(out.find("general.file_type")->as_unsigned(), 7U);
  EXPECT_EQ(out.find("general.quantization_version")->as_unsigned(), 2U);
  std::size_t at = 0;
  for (const Metadata& entry : in.metadata()) {
    if (entry.key.starts_with("split.")) {
      EXPECT_EQ(out.find(entry.key), nullptr);
      continue;
    }
    ASSERT_LT(at, out.metadata().size());
    EXPECT_EQ(out.metadata()[at].key, entry.key);
    if (entry.key != "general.file_type") {
      EXPECT_EQ(out.stored(out.metadata()[at]), in.stored(entry)) << entry.key;
    }
    ++at;
  }
  EXPECT_EQ(at + 1, out.metadata().size());

  ASSERT_EQ(out.tensors().size(), 4U);
  EXPECT_EQ(out.tensors()[0].data, encoded(matrix, "Q8_0"));
  EXPECT_EQ(out.tensors()[0].shape, in.tensors()[0].shape);
  EXPECT_EQ(out.tensors()[1].data, in.tensors()[1].data);
  std::vector<float> widened;
  for (const std::uint16_t half : halves) widened.push_back(to_float(Half{half}));
  EXPECT_EQ(out.tensors()[2].data, encoded(widened, "Q8_0"));
  EXPECT_EQ(out.tensors()[3].type, TensorType::f16);
  EXPECT_EQ(
      to_float(Half{static_cast<std::uint16_t>(static_cast<unsigned char>(out.tensors()[3].data[2]) |
                                               static_cast<unsigned char>(out.tensors()[3].data[3]) << 8)}),
      to_float(to_half(waves(2)[1])));
  ASSERT_FALSE(progress_.empty());
  EXPECT_EQ(progress_.back(),
            std::pair(std::uint64_t{64 * 3 * 2 + 5 + 100}, std::uint64_t{64 * 3 * 2 + 5 + 100}));
}

TEST_F(QuantizeFile, TensorsOfManyPiecesAreWhole) {
  TestWriter writer;
  const std::vector<float> matrix = waves(4096 * 600);  // more than two pieces, and no multiple of one
  writer.set("general.alignment", 128U);
  writer.alignment = 128;
  writer.tensor("a.weight", {4096, 600}, TensorType::f32, stored(matrix));
  writer.tensor("kept.bias", {4096, 600}, TensorType::f32, stored(matrix));
  write("in.gguf", writer);
  ASSERT_TRUE(quantize("in.gguf", path("out.gguf"), TensorType::q4_0));
  const File out = File::open(path("out.gguf")).value();
  EXPECT_EQ(out.alignment(), 128U);
  EXPECT_EQ(out.tensors()[0].data, encoded(matrix, "Q4_0"));
  EXPECT_EQ(out.tensors()[1].data, stored(matrix));
}

TEST_F(QuantizeFile, JoinsTheInputsParts) {
  const char* const names[] = {"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"};
  for (std::uint32_t part = 0; part < 2; ++part) {
    TestWriter writer;
    if (part == 0) writer.set("general.architecture", "llama");
    writer.raw("split.no", ValueType::uint16, TestWriter::stored(static_cast<std::uint16_t>(part)));
    writer.raw("split.count", ValueType::uint16, TestWriter::stored<std::uint16_t>(2));
    writer.raw("split.tensors.count", ValueType::int32, TestWriter::stored(2));
    writer.tensor(part == 0 ? "a.weight" : "b.weight", {32, 2}, TensorType::f32, stored(waves(64)));
    write(names[part], writer);
  }
  ASSERT_TRUE(quantize(names[1], path("out.gguf"), TensorType::q4_0));
  const File out = File::open(path("out.gguf")).value();
  ASSERT_EQ(out.tensors().size(), 2U);
  EXPECT_EQ(out.tensors()[0].name, "a.weight");
  EXPECT_EQ(out.tensors()[0].data, out.tensors()[1].data);
  EXPECT_EQ(out.find("split.no"), nullptr);
  EXPECT_EQ(out.find("general.architecture")->as_text(), "llama");
}

TEST_F(QuantizeFile, RefusesValuesThatNoBlockHolds) {
  const auto refusal = [&](std::size_t at, float value, TensorType type) {
    std::vector<float> values = waves(64);
    values[at] = value;
    TestWriter writer;
    writer.tensor("a.weight", {32, 2}, TensorType::f32, stored(values));
    write("in.gguf", writer);
    const Result<std::uint64_t> written = quantize("in.gguf", path("out.gguf"), type);
    EXPECT_FALSE(written);
    EXPECT_EQ(files(), 1U) << "something is left behind";
    const std::string said = written ? "" : written.error().message;
    return said.substr(std::min(said.size(), path("in.gguf").size()));
  };
  EXPECT_EQ(refusal(40, NAN, TensorType::q4_0),
            ": tensor 'a.weight': element 40 is NaN, expected finite values");
  EXPECT_EQ(refusal(3, -INFINITY, TensorType::f16),
            ": tensor 'a.weight': element 3 is -Inf, expected finite values");
  EXPECT_EQ(
      refusal(33, 1e7f, TensorType::q8_0),
      ": tensor 'a.weight': element 32 is in a block of Q8_0 whose scale is above 65504, the largest of "
      "binary16, expected smaller values");
  EXPECT_EQ(refusal(1, 1e5f, TensorType::f16),
            ": tensor 'a.weight': element 1 is above 65504, the largest of F16, expected smaller values");
}

TEST_F(QuantizeFile, AFullDiskEndsItEarly) {
  TestWriter writer;
  const std::vector<float> matrix = waves(4096 * 2000);
  writer.tensor("a.weight", {4096, 2000}, TensorType::f32, stored(matrix));
  write("in.gguf", writer);
  const Result<std::uint64_t> written = quantize("in.gguf", "/dev/full", TensorType::q8_0);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, InputError::Code::write_failed);
  EXPECT_EQ(written.error().message, "/dev/full: cannot be written (No space left on device)");
  EXPECT_LT(progress_.size(), 4U) << "it went on after the first write had failed";
}

}  // namespace
}  // namespace assay::gguf
