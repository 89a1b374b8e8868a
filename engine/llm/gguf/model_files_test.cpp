#include "engine/llm/gguf/model_files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/llm/gguf/test_writer.hpp"

namespace assay::gguf {
namespace {

namespace fs = std::filesystem;

class GgufModelFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("gguf_") + testing::UnitTest::GetInstance()->current_test_info()->name() + "." +
               std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const TestWriter& writer) const {
    std::ofstream(folder_ / name, std::ios::binary) << writer.bytes();
    return (folder_ / name).string();
  }
  static TestWriter part(std::uint16_t number, std::uint16_t count, std::int32_t tensors,
                         const std::string& tensor) {
    TestWriter writer;
    if (number == 0) writer.set("general.architecture", "llama");
    writer.raw("split.no", ValueType::uint16, TestWriter::stored(number));
    writer.raw("split.count", ValueType::uint16, TestWriter::stored(count));
    writer.raw("split.tensors.count", ValueType::int32, TestWriter::stored(tensors));
    if (!tensor.empty()) writer.tensor(tensor, {1}, TensorType::f32, tensor.substr(0, 1) + "xyz");
    return writer;
  }
  static std::string refusal(const std::string& path) {
    const Result<ModelFiles> files = ModelFiles::open(path);
    EXPECT_FALSE(files);
    return files ? "" : files.error().message;
  }

  fs::path folder_;
};

TEST_F(GgufModelFiles, OpensAllPartsFromAnyOfThem) {
  write("m-00001-of-00003.gguf", part(0, 3, 2, ""));  // the first may hold metadata alone
  write("m-00002-of-00003.gguf", part(1, 3, 2, "a"));
  write("m-00003-of-00003.gguf", part(2, 3, 2, "b"));
  for (const char* name : {"m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf"}) {
    const Result<ModelFiles> files = ModelFiles::open((folder_ / name).string());
    ASSERT_TRUE(files) << files.error().message;
    EXPECT_EQ(files.value().parts().size(), 3U);
    EXPECT_EQ(files.value().find("general.architecture")->as_text(), "llama");
    EXPECT_EQ(files.value().find_tensor("a")->data, "axyz");
    EXPECT_EQ(files.value().find_tensor("b")->data, "bxyz");
    EXPECT_EQ(files.value().find_tensor("c"), nullptr);
  }
}

TEST_F(GgufModelFiles, OneFileIsAModelToo) {
  EXPECT_EQ(ModelFiles::open(write("m.gguf", TestWriter())).value().parts().size(), 1U);
  EXPECT_EQ(ModelFiles::open(write("one.gguf", part(0, 1, 1, "a"))).value().parts().size(), 1U);
}

TEST_F(GgufModelFiles, RefusesPartsThatDoNotBelongTogether) {
  const std::string first = write("m-00001-of-00002.gguf", part(0, 2, 2, "a"));
  const std::string second = (folder_ / "m-00002-of-00002.gguf").string();
  EXPECT_EQ(refusal(first), second + ": no such file");
  write("m-00002-of-00002.gguf", TestWriter());
  EXPECT_EQ(refusal(first), second + ": has no split.no, expected part 1");
  write("m-00002-of-00002.gguf", part(0, 2, 2, "b"));
  EXPECT_EQ(refusal(first), second + ": split.no is 0, expected 1");
  write("m-00002-of-00002.gguf", part(1, 3, 2, "b"));
  EXPECT_EQ(refusal(first),
            second +
                ": split.count and split.tensors.count are 3 and 2, expected 2 and 2 as the other "
                "parts have them");
  write("m-00002-of-00002.gguf", part(1, 2, 2, "a"));
  EXPECT_EQ(refusal(first), first + ": tensor 'a' is in two parts, expected it in one");
  write("m-00002-of-00002.gguf", part(1, 2, 2, ""));
  EXPECT_EQ(refusal(first), first + ": split.tensors.count is 2, the parts have 1 tensors");
  const std::string misnamed = write("other.gguf", part(0, 2, 2, "a"));
  EXPECT_EQ(refusal(misnamed),
            misnamed + ": is part 1 of 2, expected a name that ends with -00001-of-00002.gguf");
}

TEST_F(GgufModelFiles, RefusesKeysThatMakeNoSense) {
  const auto with = [&](std::uint16_t number, std::uint16_t count) {
    const std::string path = write("m.gguf", part(number, count, 0, ""));
    return refusal(path).substr(path.size() + 2);
  };
  EXPECT_EQ(with(1, 0), "split.count is 0 at byte 69, expected 1 to 65535");
  EXPECT_EQ(with(2, 2), "split.no is 2 at byte 44, expected less than split.count, 2");
  const std::string path = write("m.gguf", TestWriter().set("split.no", std::uint32_t{0}));
  EXPECT_EQ(refusal(path),
            path + ": split.count is missing, expected it beside the other keys of a split model");
  write("m.gguf", TestWriter().set("split.no", "0").set("split.count", 2U).set("split.tensors.count", 0U));
  EXPECT_EQ(refusal(path),
            path + ": split.no has type string at byte 52, expected an integer that is not negative");
}

TEST_F(GgufModelFiles, RefusesWhatIsNoFile) {
  EXPECT_EQ(refusal((folder_ / "none.gguf").string()), (folder_ / "none.gguf").string() + ": no such file");
  EXPECT_EQ(refusal(folder_.string()), folder_.string() + ": is a directory, expected a file");
  EXPECT_EQ(refusal("/dev/null"), "/dev/null: is no regular file, expected one");
  const std::string empty = (folder_ / "empty.gguf").string();
  std::ofstream(empty).flush();
  EXPECT_EQ(refusal(empty), empty + ": is empty, expected a GGUF file");
}

}  // namespace
}  // namespace assay::gguf
