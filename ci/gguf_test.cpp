#include <cmath>
#include <cstring>
#include <fstream>

#include "ci/test_process.hpp"
#include "engine/llm/gguf/file.hpp"
#include "engine/llm/gguf/plain_values.hpp"
#include "engine/llm/gguf/test_writer.hpp"
#include "engine/operation.hpp"

namespace assay::program {
namespace {

using gguf::TensorType;
using gguf::TestWriter;
using gguf::ValueType;
using nlohmann::json;

/// Whether this build decodes blocks.
bool decodes_blocks() {
  return find_operation("quant.dequantize") != nullptr;
}

std::vector<float> floats_of(const std::string& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

class Gguf : public InFolder {
 protected:
  /// A small Llama: two layers of one tensor each.
  static TestWriter llama() {
    TestWriter writer;
    writer.set("general.architecture", "llama").set("general.name", "tiny \xc3\xa9\x1b[31m");
    writer.set("llama.context_length", 128U).set("llama.embedding_length", 32U).set("llama.block_count", 2U);
    writer.set("llama.feed_forward_length", 64U).set("llama.attention.head_count", 4U);
    writer.set("llama.attention.layer_norm_rms_epsilon", 0.125f);
    gguf::set_every_type(writer);
    writer.tensor("token_embd.weight", {32, 3}, TensorType::f32, std::string(384, 'x'));
    for (const char* name : {"blk.0.attn_q.weight", "blk.1.attn_q.weight"}) {
      // One block of Q4_0: the scale 1.0 in binary16 and the codes 0 to 15 twice.
      std::string block("\x00\x3c", 2);
      for (int i = 0; i < 16; ++i) block += static_cast<char>(i | (15 - i) << 4);
      writer.tensor(name, {32}, TensorType::q4_0, block);
    }
    return writer;
  }
  void write(const std::string& name, const TestWriter& writer) const {
    InFolder::write(name, writer.bytes());
  }
  using InFolder::write;
};

TEST_F(Gguf, InfoAsJson) {
  write("m.gguf", llama());
  const json info = document({"gguf", "info", "m.gguf"});
  EXPECT_EQ(info["version"], 3);
  EXPECT_EQ(info["architecture"], "llama");
  EXPECT_EQ(info["alignment"], 32);
  EXPECT_EQ(info["data_offset"].get<std::uint64_t>() % 32, 0U);
  EXPECT_EQ(info["bytes"], fs::file_size(work() / "m.gguf"));
  const json& metadata = info["metadata"];
  EXPECT_EQ(metadata["general.name"], "tiny \u00e9\x1b[31m");
  EXPECT_EQ(metadata["a.u64"], ~std::uint64_t{0});
  EXPECT_EQ(metadata["a.i64"], std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(metadata["a.f32"], 0.5);
  EXPECT_EQ(metadata["a.f64"], 0.1);
  EXPECT_EQ(metadata["a.true"], true);
  EXPECT_EQ(metadata["a.none"], json::array());
  EXPECT_EQ(metadata["a.texts"], json({"", "a"}));
  EXPECT_EQ(metadata["a.rows"], json::parse(R"([[1,2],["x"]])"));
  EXPECT_EQ(info["metadata_types"]["a.rows"], "array of array");
  EXPECT_EQ(info["metadata_types"]["a.i8"], "int8");
  ASSERT_EQ(info["tensors"].size(), 3U);
  EXPECT_EQ(info["tensors"][1],
            json::parse(R"({"name":"blk.0.attn_q.weight","type":"q4_0","shape":[32],"offset":384,
                                                "bytes":18,"elements":32})"));
  EXPECT_EQ(info["tensors"][0]["shape"], json({32, 3}));
  EXPECT_EQ(info["model"]["num_layers"], 2);
  EXPECT_EQ(info["model"]["num_kv_heads"], 4);
  EXPECT_EQ(info["model"]["vocabulary"], 3);
  EXPECT_EQ(info["model"]["rope"]["dimensions"], 8);
  EXPECT_EQ(info["warnings"], json::array());
}

TEST_F(Gguf, InfoWritesWhatJsonLacks) {
  TestWriter writer;
  writer.set("k.nan", std::nanf(""))
      .set("k.inf", INFINITY)
      .set("k.minus", -INFINITY)
      .set("k.bytes", "\xff\xfe");
  write("m.gguf", writer);
  const json info = document({"gguf", "info", "m.gguf"});
  EXPECT_EQ(info["metadata"]["k.nan"], "nan");
  EXPECT_EQ(info["metadata"]["k.inf"], "inf");
  EXPECT_EQ(info["metadata"]["k.minus"], "-inf");
  EXPECT_EQ(info["metadata"]["k.bytes"], "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(info["architecture"], nullptr);
  EXPECT_EQ(info["model"], nullptr);
}

TEST_F(Gguf, InfoForAPerson) {
  write("m.gguf", llama());
  const Outcome outcome = run({"gguf", "info", "m.gguf"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const char* line :
       {"m.gguf: GGUF version 3, ", "llama \"tiny ",
        "2 layers, embedding 32, 4 heads (4 for keys and values) of 8",
        "160 elements in 3 tensors, 21.00 bits each on average", "\nMetadata: 25 keys\n",
        "tiny \xc3\xa9\\x1b[31m", "\nSizes by type\n", "\nTensors by kind (* stands for a number)\n",
        "blk.*.attn_q.weight        2  q4_0  32"}) {
    EXPECT_NE(outcome.out.find(line), std::string::npos) << line << "\nin\n" << outcome.out;
  }
  EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos);
  const std::string each = run({"gguf", "info", "m.gguf", "--tensors"}).out;
  EXPECT_NE(each.find("blk.1.attn_q.weight  q4_0  32"), std::string::npos) << each;
}

TEST_F(Gguf, InfoShowsWhatHoldsNoModelThatIsUnderstood) {
  write("m.gguf", TestWriter().set("general.architecture", "mamba"));
  const Outcome outcome = run({"gguf", "info", "m.gguf"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.out.find("no model: unsupported architecture 'mamba'"), std::string::npos) << outcome.out;
  write("m.gguf", TestWriter().set("general.architecture", "llama"));
  EXPECT_NE(document({"gguf", "info", "m.gguf"})["no_model_because"].get<std::string>().find(
                "llama.context_length"),
            std::string::npos);
}

TEST_F(Gguf, WarnsOfWhatIsOdd) {
  write("m.gguf", TestWriter().tensor("w", {1}, TensorType::f32, "abcd").data(std::string(100, 'x')));
  const Outcome outcome = run({"gguf", "info", "m.gguf"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("warning: m.gguf: 72 bytes after the last tensor belong to nothing"),
            std::string::npos)
      << outcome.err;
  EXPECT_EQ(run({"gguf", "info", "m.gguf", "--quiet"}).err, "");
  EXPECT_EQ(document({"gguf", "info", "m.gguf"})["warnings"].size(), 1U);
}

TEST_F(Gguf, ShowsAllPartsOfASplitModel) {
  for (std::uint16_t number = 0; number < 2; ++number) {
    TestWriter writer;
    writer.raw("split.no", ValueType::uint16, TestWriter::stored(number));
    writer.raw("split.count", ValueType::uint16, TestWriter::stored<std::uint16_t>(2));
    writer.raw("split.tensors.count", ValueType::int32, TestWriter::stored<std::int32_t>(2));
    writer.tensor(number == 0 ? "first" : "second", {1}, TensorType::f32, "abcd");
    write("m-0000" + std::to_string(number + 1) + "-of-00002.gguf", writer);
  }
  const json info = document({"gguf", "info", "m-00002-of-00002.gguf"});
  EXPECT_EQ(info["parts"].size(), 2U);
  ASSERT_EQ(info["tensors"].size(), 2U);
  EXPECT_EQ(info["tensors"][1]["name"], "second");
  EXPECT_EQ(info["tensors"][1]["part"], 1);
  EXPECT_EQ(run({"gguf", "dump", "m-00001-of-00002.gguf", "--tensor", "second", "--out", "t.f32"}).code, 0);
  EXPECT_EQ(read("t.f32"), "abcd");
  fs::remove(work() / "m-00001-of-00002.gguf");
  const Outcome alone = run({"gguf", "info", "m-00002-of-00002.gguf"});
  EXPECT_EQ(alone.code, 0);
  EXPECT_NE(alone.err.find("only the one file is shown: m-00001-of-00002.gguf: no such file"),
            std::string::npos);
}

TEST_F(Gguf, DumpsPlainTypes) {
  TestWriter writer;
  writer.tensor("f16", {2, 2}, TensorType::f16, std::string("\x00\x3c\x00\xc0\x01\x00\x00\x7c", 8));
  writer.tensor("i32", {2}, TensorType::i32, TestWriter::stored<std::int64_t>(0xffffffff00000007));
  std::string many;
  for (int i = 0; i < 1 << 21; ++i) many += TestWriter::stored(static_cast<float>(i));
  many += TestWriter::stored(0.5f);  // more than is decoded at a time, and no multiple of it
  writer.tensor("many", {(1 << 21) + 1}, TensorType::f32, many);
  write("m.gguf", writer);
  const json said = document({"gguf", "dump", "m.gguf", "--tensor", "f16", "--out", "t.f32"});
  EXPECT_EQ(said["type"], "f16");
  EXPECT_EQ(said["shape"], json({2, 2}));
  EXPECT_EQ(said["elements"], 4);
  EXPECT_EQ(floats_of(read("t.f32")), (std::vector<float>{1, -2, 0x1p-24f, INFINITY}));
  EXPECT_EQ(run({"gguf", "dump", "m.gguf", "--tensor", "i32", "--out", "t.f32"}).code, 0);
  EXPECT_EQ(floats_of(read("t.f32")), (std::vector<float>{7, -1}));
  EXPECT_EQ(run({"gguf", "dump", "m.gguf", "--tensor", "many", "--out", "t.f32"}).code, 0);
  EXPECT_EQ(read("t.f32"), many);
}

TEST_F(Gguf, DumpsBlocks) {
  write("m.gguf", llama());
  const std::vector<std::string> dump{"gguf",  "dump", "m.gguf", "--tensor", "blk.1.attn_q.weight",
                                      "--out", "t.f32"};
  if (!decodes_blocks()) {
    return expect_refused(dump, "tensor 'blk.1.attn_q.weight' has type q4_0, which is not decoded");
  }
  std::vector<float> expected;
  for (int i = 0; i < 16; ++i) expected.push_back(static_cast<float>(i - 8));
  for (int i = 0; i < 16; ++i) expected.push_back(static_cast<float>(15 - i - 8));
  for (const char* backend : {"cpu", "reference"}) {
    std::vector<std::string> on = dump;
    on.insert(on.end(), {"--backend", backend});
    EXPECT_EQ(run(on).code, 0);
    EXPECT_EQ(floats_of(read("t.f32")), expected) << backend;
  }
}

TEST_F(Gguf, Refuses) {
  write("m.gguf", llama().tensor("codes", {256}, TensorType::iq1_s, std::string(50, 'x')));
  expect_refused({"gguf", "info"}, "FILE is required");
  expect_refused({"gguf", "inof", "m.gguf"}, "unknown command 'inof'");
  expect_refused({"gguf", "info", "none.gguf"}, "none.gguf: no such file");
  expect_refused({"gguf", "info", "."}, ".: is a directory, expected a file");
  expect_refused({"gguf", "dump", "m.gguf", "--out", "t.f32"}, "tensor");
  expect_refused({"gguf", "dump", "m.gguf", "--tensor", "codes"}, "out");
  expect_refused({"gguf", "dump", "m.gguf", "--tensor", "code", "--out", "t.f32"},
                 "m.gguf: no tensor 'code', did you mean 'codes'?");
  expect_refused({"gguf", "dump", "m.gguf", "--tensor", "codes", "--out", "t.f32"},
                 "m.gguf: tensor 'codes' has type iq1_s, which is not decoded");
  expect_refused({"gguf", "dump", "m.gguf", "--tensor", "token_embd.weight", "--out", "none/t.f32"},
                 "no such folder 'none'");
  TestWriter claims;
  claims.claimed_tensors = std::uint64_t{1} << 40;
  write("bad.gguf", claims);
  for (const bool as_json : {false, true}) {
    std::vector<std::string> info{"gguf", "info", "bad.gguf"};
    if (as_json) info.emplace_back("--json");
    expect_refused(info, "bad.gguf: tensor count is 1099511627776 at byte 8, expected at most 0");
  }
}

// ---- golden data of the field's own implementation, where they are

fs::path golden(const char* folder) {
  const char* const root = std::getenv("ASSAY_GOLDEN");
  return root == nullptr ? fs::path() : fs::path(root) / folder;
}

TEST_F(Gguf, GoldenVerdicts) {
  const fs::path folder = golden("gguf_malformed");
  if (!fs::exists(folder / "manifest.json")) GTEST_SKIP() << "no golden data here (ASSAY_GOLDEN): not run";
  const json manifest = json::parse(content_of(folder / "manifest.json"));
  int count = 0;
  for (const json& entry : manifest) {
    const std::string file = entry["file"], expect = entry["expect"];
    SCOPED_TRACE(file + ": " + expect + ", " + entry["why"].get<std::string>());
    const std::string path = (folder / file).string();
    ++count;
    if (expect == "reject") {
      // Of a field within the file the place is said.
      expect_refused({"gguf", "info", path}, entry["bytes"] == 0 ? "is empty" : " byte ");
      continue;
    }
    const Outcome outcome = run({"gguf", "info", path});
    if (expect == "either")
      EXPECT_TRUE(outcome.code == 0 || outcome.code == 2) << outcome.code;
    else
      EXPECT_EQ(outcome.code, 0) << outcome.err;
  }
  EXPECT_GT(count, 0);
}

/// FNV-1a as the golden data have it: their offset basis lacks the last digit of the published one.
std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 1469598103934665603;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

TEST_F(Gguf, GoldenTensors) {
  const fs::path folder = golden("gguf");
  if (!fs::exists(folder / "index.json")) GTEST_SKIP() << "no golden data here (ASSAY_GOLDEN): not run";
  std::map<std::string, std::size_t> tensors;
  const json index = json::parse(content_of(folder / "index.json"));
  ASSERT_FALSE(index.empty());
  for (const json& entry : index) {
    const std::string file = entry["file"], name = entry["tensor"];
    SCOPED_TRACE(file + ": " + name);
    ++tensors[file];
    const Result<gguf::File> read = gguf::File::open((folder / file).string());
    ASSERT_TRUE(read) << read.error().message;
    const gguf::TensorEntry* const tensor = read.value().find_tensor(name);
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(gguf::info_of(tensor->type).name, entry["type"]);
    EXPECT_EQ(static_cast<std::uint32_t>(tensor->type), entry["type_id"]);
    EXPECT_EQ(json(std::vector(tensor->shape.begin(), tensor->shape.begin() + tensor->rank)), entry["ne"]);
    EXPECT_EQ(tensor->data.size(), entry["nbytes"]);
    EXPECT_EQ(tensor->elements, entry["n"]);
    EXPECT_EQ(fnv1a(tensor->data), std::stoull(entry["data_fnv1a64"].get<std::string>(), nullptr, 16));
  }
  for (const auto& [file, count] : tensors) {
    EXPECT_EQ(document({"gguf", "info", (folder / file).string()})["tensors"].size(), count) << file;
  }
}

TEST_F(Gguf, GoldenValues) {
  const fs::path folder = golden("gguf");
  if (!fs::exists(folder / "index.json")) GTEST_SKIP() << "no golden data here (ASSAY_GOLDEN): not run";
  int count = 0;
  for (const json& entry : json::parse(content_of(folder / "index.json"))) {
    const bool plain = gguf::is_plain(gguf::find_tensor_type(entry["type_id"])->type);
    // One tensor a type of each kind of data is enough for the command; the operation has its own tests.
    const std::string name = entry["tensor"];
    if ((!plain && !decodes_blocks()) || (!name.starts_with("raw.") && !name.starts_with("blk.1."))) continue;
    ++count;
    SCOPED_TRACE(entry["file"].get<std::string>() + ": " + name);
    ASSERT_EQ(
        run({"gguf", "dump", (folder / entry["file"]).string(), "--tensor", name, "--out", "t.f32"}).code, 0);
    const std::string values = read("t.f32");
    const std::size_t size = entry["n"].get<std::size_t>() * sizeof(float);
    const std::string expected =
        content_of(folder / entry["f32_file"].get<std::string>()).substr(entry["f32_offset"], size);
    ASSERT_EQ(values.size(), size);
    const std::vector<float> got = floats_of(values), wanted = floats_of(expected);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const bool both_nan = std::isnan(got[i]) && std::isnan(wanted[i]);
      if (!both_nan && std::memcmp(&got[i], &wanted[i], sizeof(float)) != 0) ++wrong;
    }
    EXPECT_EQ(wrong, 0U);
  }
  EXPECT_GT(count, 0);
}

TEST_F(Gguf, GoldenMetadata) {
  const fs::path folder = golden("gguf");
  if (!fs::exists(folder / "kv_types.json")) GTEST_SKIP() << "no golden data here (ASSAY_GOLDEN): not run";
  const json info = document({"gguf", "info", (folder / "kv_types.gguf").string()});
  const json expected = json::parse(content_of(folder / "kv_types.json"));
  EXPECT_EQ(info["metadata"].size(), expected.size());
  // Integers are decimal strings there.
  const auto same = [](const json& got, const json& wanted) {
    return got == wanted || (got.is_number_integer() && wanted == got.dump());
  };
  for (const json& entry : expected) {
    const std::string key = entry["key"];
    const json& got = info["metadata"][key];
    if (entry["type"] != "array") {
      EXPECT_TRUE(same(got, entry["value"])) << key << ": " << got;
      EXPECT_EQ(info["metadata_types"][key], entry["type"]);
      continue;
    }
    EXPECT_EQ(info["metadata_types"][key], "array of " + entry["elem"].get<std::string>());
    ASSERT_EQ(got.size(), entry["n"]) << key;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const json wanted = entry.contains("rule") ? json(3 * i) : entry["values"][i];
      EXPECT_TRUE(same(got[i], wanted)) << key << "[" << i << "]: " << got[i];
    }
  }
  const json empty = document({"gguf", "info", (folder / "empty.gguf").string()});
  EXPECT_EQ(empty["tensors"].size() + empty["metadata"].size(), 0U);
}

}  // namespace
}  // namespace assay::program
