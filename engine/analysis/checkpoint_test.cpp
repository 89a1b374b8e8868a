#include "engine/analysis/checkpoint.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "engine/analysis/host_memory.hpp"

namespace assay::analysis {
namespace {

namespace fs = std::filesystem;

class CheckpointFile : public testing::Test {
 protected:
  void SetUp() override { fs::remove(path); }
  void TearDown() override { fs::remove(path); }
  std::string path = testing::TempDir() + "assay_checkpoint_" +
                     testing::UnitTest::GetInstance()->current_test_info()->name() + "." +
                     std::to_string(::getpid());
  CheckpointKey key{{7, 8}, 100, 10};

  static std::vector<std::byte> bytes_of(const std::string& text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
  }
  void append(std::int64_t part, const std::string& text) {
    CheckpointKey same = key;
    Checkpoint file = Checkpoint::open(path, same).value();
    file.load([](std::int64_t, std::span<const std::byte>) { return true; });
    EXPECT_FALSE(file.append(part, bytes_of(text)));
  }
  std::map<std::int64_t, std::string> held() {
    CheckpointKey same = key;
    Checkpoint file = Checkpoint::open(path, same).value();
    std::map<std::int64_t, std::string> records;
    const auto error = file.load([&](std::int64_t part, std::span<const std::byte> bytes) {
      records[part] = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return true;
    });
    EXPECT_FALSE(error);
    return records;
  }
  std::string refusal(CheckpointKey asked) {
    const auto opened = Checkpoint::open(path, asked);
    return opened ? std::string("none") : opened.error().message.substr(path.size());
  }
};

TEST_F(CheckpointFile, GivesBackWhatWasAppended) {
  append(3, "three");
  append(0, "");
  EXPECT_EQ(held(), (std::map<std::int64_t, std::string>{{0, ""}, {3, "three"}}));
  CheckpointKey other{{7, 8}, 1, 1};
  const Checkpoint file = Checkpoint::open(path, other).value();
  EXPECT_EQ(other.source_block, 100);  // the file's cutting
  EXPECT_EQ(other.target_batch, 10);
}

TEST_F(CheckpointFile, CutsOffATornTailAtEveryLength) {
  append(1, "first");
  const auto whole = fs::file_size(path);
  append(2, "the second record");
  const auto both = fs::file_size(path);
  for (auto length = both - 1; length >= whole; --length) {
    fs::resize_file(path, length);
    EXPECT_EQ(held(), (std::map<std::int64_t, std::string>{{1, "first"}})) << length;
    EXPECT_EQ(fs::file_size(path), whole);
    append(2, "the second record");
    EXPECT_EQ(held().size(), 2U);
  }
}

TEST_F(CheckpointFile, DropsADamagedRecordAndWhatComesAfterIt) {
  append(1, "first");
  const auto whole = fs::file_size(path);
  append(2, "second");
  append(3, "third");
  for (const int at : {0, 8, 17, 23}) {  // in the number, the length, the bytes, the checksum
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(whole) + at);
    const char letter = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(whole) + at);
    file.put(static_cast<char>(letter ^ 1));
    file.close();
    EXPECT_EQ(held(), (std::map<std::int64_t, std::string>{{1, "first"}})) << at;
    append(2, "second");
    append(3, "third");
  }
}

TEST_F(CheckpointFile, RefusesWhatIsNotItsOwn) {
  append(1, "first");
  EXPECT_EQ(refusal({{7, 9}, 100, 10}),
            ": is the checkpoint of other data or options, expected those it was made with or a new name");
  {
    CheckpointKey same = key;
    const Checkpoint held_open = Checkpoint::open(path, same).value();
    EXPECT_EQ(refusal(key),
              ": is the checkpoint of a run that is still going on, expected one run a checkpoint");
  }
  EXPECT_EQ(refusal(key), "none");
  for (const std::string& text : {std::string("x,y\n1,2\n"), std::string(), std::string(200, 'a')}) {
    std::ofstream(path, std::ios::binary) << text;
    EXPECT_EQ(refusal(key),
              ": is not a checkpoint of a network, expected a new name or one of an earlier run");
    EXPECT_EQ(fs::file_size(path), text.size());  // left as it was
  }
}

TEST(HostMemory, IsWhatTheSystemAndTheControlGroupLeave) {
  const fs::path root = testing::TempDir() + std::string("assay_memory_groups.") + std::to_string(::getpid());
  fs::remove_all(root);
  fs::create_directories(root / "a" / "b");
  const auto write = [&](const fs::path& path, const std::string& text) { std::ofstream(path) << text; };
  const std::string meminfo = "MemTotal:  8000 kB\nMemAvailable:   5000 kB\nBuffers: 1 kB\n";
  EXPECT_EQ(available_memory(meminfo, "", root), 5000 * 1024);
  write(root / "a" / "b" / "memory.max", "max\n");
  write(root / "a" / "b" / "memory.current", "100\n");
  EXPECT_EQ(available_memory(meminfo, "0::/a/b\n", root), 5000 * 1024);
  write(root / "a" / "memory.max", "1000000\n");
  write(root / "a" / "memory.current", "400000\n");
  EXPECT_EQ(available_memory(meminfo, "0::/a/b\n", root), 600000);
  EXPECT_EQ(available_memory("", "", root), -1);
  EXPECT_GT(available_memory(), 0);
  EXPECT_EQ(memory_text(1.5 * 1024 * 1024 * 1024), "1.5 GiB");
  EXPECT_EQ(memory_text(12 * 1024 * 1024), "12.0 MiB");
  fs::remove_all(root);
}

}  // namespace
}  // namespace assay::analysis
