#include <sys/resource.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "ci/test_process.hpp"
#include "engine/llm/gguf/file.hpp"
#include "engine/llm/gguf/test_writer.hpp"

namespace assay::program {
namespace {

using gguf::TensorType;
using gguf::TestWriter;
using nlohmann::json;

std::string waves(std::size_t count, float scale = 0.1f) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i)
    bytes += TestWriter::stored(std::sin(static_cast<float>(i) * 1.7f) * scale);
  return bytes;
}

class GgufQuantize : public InFolder {
 protected:
  static TestWriter model() {
    TestWriter writer;
    writer.set("general.architecture", "llama").set("general.file_type", 0U);
    gguf::set_every_type(writer);
    writer.tensor("token_embd.weight", {256, 4}, TensorType::f32, waves(1024));
    writer.tensor("blk.0.attn_norm.weight", {256}, TensorType::f32, waves(256));
    writer.tensor("blk.0.ffn_up.weight", {96, 2}, TensorType::f32, waves(192));
    writer.tensor("blk.0.odd.weight", {50, 2}, TensorType::f32, waves(100));
    return writer;
  }
  void write(const std::string& name, const TestWriter& writer) const {
    InFolder::write(name, writer.bytes());
  }
  using InFolder::write;
};

TEST_F(GgufQuantize, WritesEveryTypeAndSaysWhatFellBack) {
  write("m.gguf", model());
  for (const std::string type : {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q6_K", "MXFP4", "F16"}) {
    SCOPED_TRACE(type);
    const Outcome outcome = run({"gguf", "quantize", "m.gguf", "out.gguf", type, "--backend", "cpu"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("out.gguf: "), std::string::npos);
    const bool is_long = type.ends_with("_K");
    EXPECT_EQ(
        outcome.err.find("'blk.0.ffn_up.weight': rows of 96 fill no whole blocks of") != std::string::npos,
        is_long)
        << outcome.err;
    EXPECT_EQ(outcome.err.find("'blk.0.odd.weight': rows of 50") != std::string::npos, type != "F16")
        << outcome.err;
    EXPECT_EQ(files(), (std::set<std::string>{"m.gguf", "out.gguf"}));
    const json info = document({"gguf", "info", "out.gguf"});
    std::string lower = info["tensors"][0]["type"];
    for (char& letter : lower) letter = static_cast<char>(std::toupper(letter));
    EXPECT_EQ(lower, type);
    EXPECT_EQ(info["tensors"][1]["type"], "f32");
    EXPECT_EQ(info["tensors"][3]["type"], "f16");
    EXPECT_EQ(info["metadata"]["general.quantization_version"], 2);
    EXPECT_EQ(info["metadata"]["a.text"], "two words");
  }
}

TEST_F(GgufQuantize, BackendsWriteTheSameFile) {
  write("m.gguf", model());
  for (const char* type : {"Q4_K", "Q4_1"}) {
    ASSERT_EQ(
        run({"gguf", "quantize", "m.gguf", "cpu.gguf", type, "--backend", "cpu", "--threads", "3"}).code, 0);
    ASSERT_EQ(run({"gguf", "quantize", "m.gguf", "reference.gguf", type, "--backend", "reference"}).code, 0);
    EXPECT_EQ(read("cpu.gguf"), read("reference.gguf")) << type;
  }
}

TEST_F(GgufQuantize, SaysInJsonWhatEachTensorBecame) {
  write("m.gguf", model());
  const json said = document(
      {"gguf", "quantize", "m.gguf", "out.gguf", "q6_k", "--output-type", "Q8_0", "--backend", "cpu"});
  EXPECT_EQ(said["type"], "q6_K");
  EXPECT_EQ(said["file_type"], 18);
  EXPECT_EQ(said["bytes"], fs::file_size(work() / "out.gguf"));
  EXPECT_EQ(said["quantized"], 1);
  EXPECT_EQ(said["fallback"], 2);
  EXPECT_EQ(said["kept"], 1);
  EXPECT_EQ(said["tensors"][0]["type"], "q8_0");  // the embedding that stands in for the output
  EXPECT_EQ(said["tensors"][2]["type"], "q8_0");
  EXPECT_EQ(said["tensors"][2]["reason"], "fallback");
  EXPECT_EQ(said["tensors"][3]["type"], "f16");
}

TEST_F(GgufQuantize, WarnsThatBlocksLoseAccuracyTwiceAndCopiesWhatHasTheType) {
  write("m.gguf", model());
  ASSERT_EQ(run({"gguf", "quantize", "m.gguf", "q8.gguf", "Q8_0"}).code, 0);
  const Outcome again = run({"gguf", "quantize", "q8.gguf", "q4.gguf", "Q4_0"});
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.err.find("2 tensors were quantised already"), std::string::npos) << again.err;
  ASSERT_EQ(run({"gguf", "quantize", "q8.gguf", "copy.gguf", "Q8_0"}).code, 0);
  EXPECT_EQ(read("copy.gguf"), read("q8.gguf"));
}

TEST_F(GgufQuantize, Refuses) {
  write("m.gguf", model());
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& expected,
                           int code = 2) {
    std::vector<std::string> all{"gguf", "quantize"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    expect_refused(all, expected, code);
  };
  refused({"m.gguf", "out.gguf"}, "TYPE is required");
  refused({"none.gguf", "out.gguf", "Q4_0"}, "none.gguf: no such file");
  refused({"m.gguf", "m.gguf", "Q4_0"}, "OUT: m.gguf: is a file that is read, expected another");
  refused({"m.gguf", "./m.gguf", "Q4_0"}, "is a file that is read, expected another");
  fs::create_hard_link(work() / "m.gguf", work() / "link.gguf");
  refused({"m.gguf", "link.gguf", "Q4_0"}, "OUT: link.gguf: is a file that is read, expected another");
  refused({"m.gguf", "none/out.gguf", "Q4_0"}, "no such folder 'none'");
  refused({"m.gguf", "out.gguf", "Q3"}, "TYPE: 'Q3' is no type, expected one of Q4_0, Q4_1");
  refused({"m.gguf", "out.gguf", "IQ1_S"},
          "TYPE: 'IQ1_S' needs an importance matrix, which is not read here");
  refused({"m.gguf", "out.gguf", "Q2_K"}, "TYPE: 'Q2_K' is a type that is not written");
  refused({"m.gguf", "out.gguf", "Q4_K_M"}, "TYPE: 'Q4_K_M' is a mixture of types, which is not made");
  refused({"m.gguf", "out.gguf", "Q4_0", "--output-type", "Q9"}, "--output-type: 'Q9' is no type");
  refused({"m.gguf", "/dev/full", "Q4_0"}, "/dev/full: cannot be written (No space left on device)", 1);
  write("odd.gguf", model().tensor("codes.weight", {256, 2}, TensorType::iq1_s, std::string(100, 'x')));
  refused({"odd.gguf", "out.gguf", "Q4_0"},
          "odd.gguf: tensor 'codes.weight' has type iq1_s, which is not decoded");
  std::string bad = waves(64);
  const float nan = NAN;
  std::memcpy(bad.data() + 40 * sizeof nan, &nan, sizeof nan);
  write("nan.gguf", TestWriter().tensor("a.weight", {32, 2}, TensorType::f32, bad));
  refused({"nan.gguf", "out.gguf", "Q4_0"},
          "nan.gguf: tensor 'a.weight': element 40 is NaN, expected finite values");
  write("m-00001-of-00002.gguf",
        model()
            .raw("split.no", gguf::ValueType::uint16, std::string(2, '\0'))
            .raw("split.count", gguf::ValueType::uint16, std::string("\x02\0", 2))
            .raw("split.tensors.count", gguf::ValueType::int32, TestWriter::stored(9)));
  refused({"m-00001-of-00002.gguf", "out.gguf", "Q4_0"}, "m-00002-of-00002.gguf: no such file");
}

/// 192 MiB of floats: neither what is read nor what is written is held at once.
TEST_F(GgufQuantize, MemoryDoesNotGrowWithTheFile) {
  constexpr std::size_t columns = 8192, rows = 6144;
  TestWriter head;
  head.tensor_entry("a.weight", {columns, rows}, static_cast<std::uint32_t>(TensorType::f32), 0);
  std::string bytes = head.bytes();
  bytes.resize((bytes.size() + 31) / 32 * 32, '\0');
  {
    std::ofstream file(work() / "m.gguf", std::ios::binary);
    file << bytes;
    const std::string piece = waves(columns * 64);
    for (std::size_t done = 0; done < rows; done += 64) file << piece;
  }
  const pid_t child =
      start({"gguf", "quantize", "m.gguf", "out.gguf", "Q8_0", "--backend", "cpu", "--threads", "2"});
  int status = 0;
  struct rusage usage {};
  ASSERT_EQ(::wait4(child, &status, 0, &usage), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(fs::file_size(work() / "out.gguf") / 1000, bytes.size() / 1000 + columns / 32 * 34 * rows / 1000);
  EXPECT_LT(usage.ru_maxrss, 120 * 1024) << "KiB";
}

}  // namespace
}  // namespace assay::program
