#include <cmath>

#include "ci/test_process.hpp"
#include "engine/operation.hpp"
#include "engine/runtime/device.hpp"
#include "engine/tensors/block_format.hpp"
#include "engine/tensors/half.hpp"
#include "reference/operations.hpp"

namespace assay::program {
namespace {

using nlohmann::json;

/// FNV-1a, from the start value that the index was made with (FNV's own is 14695981039346656037).
std::uint64_t fnv1a_64(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = 1469598103934665603u;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001B3u;
  return hash;
}

/// "q4_K" of the index, "Q4_K" of the formats.
std::optional<BlockFormat> format_of(const std::string& type) {
  std::string name = type;
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return std::toupper(c); });
  return block_format_named(name);
}

/// One tensor of the golden folder, as rows of its first dimension.
struct Stored {
  std::string name;
  BlockFormat format = BlockFormat::f32;
  HostArguments arguments;
  std::vector<float> expected;
};

/// Where each tensor's bytes begin: the data end where the file ends and each tensor is filled up to the
/// alignment.
std::map<std::string, std::size_t> starts_of(const json& index, const fs::path& file) {
  const std::size_t alignment = file.stem() == "all_types_align128" ? 128 : 32;
  const auto filled = [&](std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; };
  std::size_t total = 0;
  for (const json& tensor : index)
    if (tensor["file"].get<std::string>() == file.filename()) total += filled(tensor["nbytes"]);
  const std::size_t size = fs::file_size(file);
  std::map<std::string, std::size_t> starts;
  if (total > size) return starts;
  std::size_t at = size - total;
  for (const json& tensor : index)
    if (tensor["file"].get<std::string>() == file.filename()) {
      starts[tensor["tensor"]] = at;
      at += filled(tensor["nbytes"]);
    }
  return starts;
}

std::vector<std::uint8_t> part_of(const std::string& content, std::size_t first, std::size_t count) {
  if (first > content.size() || count > content.size() - first) return {};
  return {content.begin() + static_cast<std::ptrdiff_t>(first),
          content.begin() + static_cast<std::ptrdiff_t>(first + count)};
}

class GoldenBlocks : public testing::Test {
 protected:
  void SetUp() override {
    const char* const given = std::getenv("ASSAY_GOLDEN");
    folder_ = fs::path(given == nullptr ? "" : given) / "gguf";
    if (given == nullptr || !fs::exists(folder_ / "index.json"))
      GTEST_SKIP() << "no golden data here (ASSAY_GOLDEN): not run";
    index_ = json::parse(content_of(folder_ / "index.json"));
    for (const json& tensor : index_) {
      const std::string file = tensor["file"];
      if (!starts_.contains(file)) {
        starts_[file] = starts_of(index_, folder_ / file);
        contents_[file] = content_of(folder_ / file);
      }
      const std::string values = tensor["f32_file"];
      if (!contents_.contains(values)) contents_[values] = content_of(folder_ / values);
    }
  }

  void load(const json& tensor, Stored& into) {
    const std::string file = tensor["file"];
    into.name = file + " " + tensor["tensor"].get<std::string>();
    const std::optional<BlockFormat> format = format_of(tensor["type"]);
    ASSERT_TRUE(format) << into.name << ": no format " << tensor["type"];
    into.format = *format;
    EXPECT_EQ(block_format_of_ggml(tensor["type_id"]), format) << into.name;
    const std::vector<std::uint8_t> bytes =
        part_of(contents_[file], starts_[file].at(tensor["tensor"]), tensor["nbytes"]);
    std::ostringstream hash;
    hash << std::hex << std::setw(16) << std::setfill('0') << fnv1a_64(bytes);
    ASSERT_EQ(hash.str(), tensor["data_fnv1a64"].get<std::string>())
        << into.name << ": these are not its bytes";
    const std::int64_t count = tensor["n"];
    const std::int64_t columns = tensor["ne"][0];
    const std::int64_t rows = count / columns;
    into.arguments.inputs.emplace("blocks", Tensor::from(bytes, {rows, std::ssize(bytes) / rows}));
    into.arguments.parameters.emplace("format", std::string(layout_of(*format).name));
    into.arguments.parameters.emplace("columns", columns);
    const std::vector<std::uint8_t> values =
        part_of(contents_[tensor["f32_file"]], tensor["f32_offset"], static_cast<std::size_t>(count) * 4);
    ASSERT_EQ(values.size(), static_cast<std::size_t>(count) * 4) << into.name;
    into.expected.resize(static_cast<std::size_t>(count));
    std::memcpy(into.expected.data(), values.data(), values.size());
  }

  fs::path folder_;
  json index_;
  std::map<std::string, std::map<std::string, std::size_t>> starts_;
  std::map<std::string, std::string> contents_;
};

/// NaN equals NaN; everything else by its bits.
std::ptrdiff_t first_difference(std::span<const float> got, std::span<const float> expected) {
  if (got.size() != expected.size()) return 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(got[i]) && std::isnan(expected[i])) continue;
    if (assay::detail::bits_of(got[i]) != assay::detail::bits_of(expected[i]))
      return static_cast<std::ptrdiff_t>(i);
  }
  return -1;
}

TEST_F(GoldenBlocks, EveryTensorHasTheBitsOfItsExpectedValuesOnEveryBackend) {
  const Operation& operation = *find_operation("quant.dequantize");
  Context cpu = Context::cpu(2);
  std::optional<Context> cuda;
  if (cuda_available()) cuda.emplace(Context::cuda());
  std::map<BlockFormat, int> tensors;
  std::int64_t non_finite = 0;
  for (const json& tensor : index_) {
    Stored stored;
    load(tensor, stored);
    if (HasFatalFailure()) return;
    const auto on = [&](Context& context, const char* backend) {
      const auto outputs = run_on_host(context, operation, stored.arguments.view());
      EXPECT_EQ(first_difference(outputs.at("values").as<float>(), stored.expected), -1)
          << stored.name << " on " << backend;
    };
    on(cpu, "cpu");
    if (cuda) on(*cuda, "cuda");
    const auto outputs = reference::run(operation, stored.arguments.view());
    const auto doubles = outputs.at("values").as<double>();
    const std::vector<float> narrowed(doubles.begin(), doubles.end());
    EXPECT_EQ(first_difference(narrowed, stored.expected), -1) << stored.name << " by the reference";
    ++tensors[stored.format];
    non_finite += tensor["nonfinite"].get<std::int64_t>();
  }
  EXPECT_EQ(tensors.size(), 16U) << "all formats but Q8_K, of which no file holds tensors";
  EXPECT_GT(non_finite, 0);
}

/// What holds the values can be told from what does not.
TEST_F(GoldenBlocks, OneBitOfABlockShows) {
  const Operation& operation = *find_operation("quant.dequantize");
  Context cpu = Context::cpu(1);
  int seen = 0;
  for (const json& tensor : index_) {
    if (tensor["tensor"] != "q.normal") continue;
    Stored stored;
    load(tensor, stored);
    if (HasFatalFailure()) return;
    Tensor& blocks = stored.arguments.inputs.at("blocks");
    blocks.as<std::uint8_t>()[static_cast<std::size_t>(layout_of(stored.format).bytes) / 2] ^= 0x10;
    const auto outputs = run_on_host(cpu, operation, stored.arguments.view());
    EXPECT_NE(first_difference(outputs.at("values").as<float>(), stored.expected), -1) << stored.name;
    ++seen;
  }
  EXPECT_GT(seen, 0);
}

}  // namespace
}  // namespace assay::program
