#include "engine/llm/gguf/upload.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/llm/gguf/test_writer.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/stream.hpp"

namespace assay::gguf {
namespace {

/// A file of two tensors with a gap between them.
std::string two_tensors() {
  std::string first(33 * 4, '\0'), second(100003 * 4, '\0');
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = static_cast<char>(i * 7);
  for (std::size_t i = 0; i < second.size(); ++i) second[i] = static_cast<char>(i * 11 + i / 251);
  TestWriter writer;
  writer.tensor("a", {33}, TensorType::f32, first).tensor("b", {100003}, TensorType::f32, second);
  return writer.bytes();
}

TEST(Upload, RefusesAContextOfTheCpu) {
  Context context = Context::cpu(1);
  try {
    Uploader uploader(context);
    ADD_FAILURE() << "accepted";
  } catch (const BackendUnavailable& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "gguf.upload: expected a context of the cuda backend: this one is cpu, whose memory needs no upload");
  }
}

TEST(Upload, TheDataOfAllTensorsAreOneView) {
  const std::string bytes = two_tensors();
  const File file = File::parse("m", bytes).value();
  for (const TensorEntry& tensor : file.tensors())
    EXPECT_EQ(file.tensor_data().substr(tensor.offset, tensor.data.size()), tensor.data);
  TestWriter none;
  none.set("general.architecture", "llama");
  const std::string empty = none.bytes();
  EXPECT_TRUE(File::parse("m", empty).value().tensor_data().empty());
}

/// Pieces that divide nothing, smaller and larger than the file: the device holds the file's bytes.
TEST(Upload, BringsEveryByteInPiecesOfAnySize) {
  if (!cuda_available()) GTEST_SKIP() << "no CUDA device here: not run";
  Context context = Context::cuda(0, 3);
  const std::string bytes = two_tensors();
  const File file = File::parse("m", bytes).value();
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{65536}, std::size_t{1} << 24}) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> heard;
    const DeviceBuffer buffer =
        upload_tensors(context, file, piece,
                       [&](std::uint64_t done, std::uint64_t total) { heard.emplace_back(done, total); });
    std::string back(file.tensor_data().size(), '\0');
    ASSERT_EQ(buffer.bytes(), back.size());
    context.stream().copy(back.data(), buffer.data(), back.size());
    context.synchronize();
    EXPECT_EQ(back, file.tensor_data()) << piece;
    EXPECT_EQ(heard.size(), (back.size() + piece - 1) / piece);
    EXPECT_EQ(heard.back(), std::pair(std::uint64_t{back.size()}, std::uint64_t{back.size()}));
  }
  EXPECT_THROW(Uploader(context, 0), ContractError);
}

}  // namespace
}  // namespace assay::gguf
