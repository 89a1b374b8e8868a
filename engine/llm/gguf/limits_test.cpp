#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "engine/llm/gguf/file.hpp"
#include "engine/llm/gguf/test_writer.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ASSAY_SHADOW_MEMORY 1  // sanitizers reserve terabytes of addresses
#endif

namespace assay::gguf {
namespace {

using T = TestWriter;

/// Addresses that this process has in use, bytes.
rlim_t address_space() {
  std::ifstream pages("/proc/self/statm");
  rlim_t count = 0;
  pages >> count;
  return count * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

/// Runs the body in a child that may use so many bytes of addresses and so many seconds of a CPU more: its
/// exit code, or 128 and the signal that ended it.
int in_limits(rlim_t bytes, rlim_t seconds, const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlim_t most = address_space() + bytes;
    const rlimit memory{most, most}, time{seconds, seconds};
    if (::setrlimit(RLIMIT_AS, &memory) != 0 || ::setrlimit(RLIMIT_CPU, &time) != 0) ::_exit(100);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// 1: refused for what it says; 2: refused for lack of memory; 0: accepted.
int verdict(const std::string& bytes) {
  const Result<File> file = File::parse("m", bytes);
  if (file) return 0;
  return file.error().code == InputError::Code::too_large ? 2 : 1;
}

TEST(GgufLimits, TheLimitIsFelt) {
#ifdef ASSAY_SHADOW_MEMORY
  GTEST_SKIP() << "no limit on addresses under this sanitizer: not run";
#endif
  EXPECT_EQ(in_limits(16 << 20, 10,
                      [] {
                        try {
                          return std::string(64 << 20, 'x').size() == 64 << 20 ? 0 : 1;
                        } catch (const std::bad_alloc&) {
                          return 42;
                        }
                      }),
            42);
}

/// Files that claim far more than they hold are refused within 4 MiB, none for lack of memory.
TEST(GgufLimits, ClaimsTakeNoMemory) {
#ifdef ASSAY_SHADOW_MEMORY
  GTEST_SKIP() << "no limit on addresses under this sanitizer: not run";
#endif
  std::vector<std::string> hostile;
  for (const int power : {20, 32, 40, 60, 61, 62, 63}) {
    const std::uint64_t many = std::uint64_t{1} << power;
    for (const std::uint64_t claimed : {many - 1, many, many + 1}) {
      T tensors, metadata;
      tensors.claimed_tensors = metadata.claimed_metadata = claimed;
      hostile.push_back(tensors.set("k", std::string(1000, 'x')).bytes());
      hostile.push_back(metadata.set("k", std::string(1000, 'x')).bytes());
      hostile.push_back(T().raw("k", ValueType::string, T::stored(claimed) + "abc").bytes());
      for (std::uint32_t element = 0; element < value_type_count; ++element) {
        hostile.push_back(
            T().raw("k", ValueType::array,
                    T::array_head(static_cast<ValueType>(element), claimed) + std::string(64, '\0'))
                .bytes());
      }
      hostile.push_back(T().tensor_entry("w", {claimed}, 0, 0).data(std::string(64, 'x')).bytes());
      hostile.push_back(
          T().tensor_entry("w", {32, claimed, claimed}, 2, 0).data(std::string(64, 'x')).bytes());
    }
  }
  EXPECT_EQ(in_limits(4 << 20, 10,
                      [&] {
                        for (const std::string& bytes : hostile) {
                          if (const int got = verdict(bytes); got != 1) return 10 + got;
                        }
                        return 0;
                      }),
            0)
      << "10: one was accepted, 12: memory ran out";
}

/// The malformed files of the golden data, where they are.
TEST(GgufLimits, GoldenFilesTakeNoMemory) {
  const char* const root = std::getenv("ASSAY_GOLDEN");
  const std::filesystem::path folder = std::filesystem::path(root == nullptr ? "" : root) / "gguf_malformed";
  if (root == nullptr || !std::filesystem::exists(folder)) {
    GTEST_SKIP() << "no golden data here (ASSAY_GOLDEN): not run";
  }
#ifdef ASSAY_SHADOW_MEMORY
  GTEST_SKIP() << "no limit on addresses under this sanitizer: not run";
#endif
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".gguf") continue;
    ++count;
    EXPECT_EQ(in_limits(4 << 20, 10,
                        [&] {
                          const Result<File> file = File::open(entry.path().string());
                          return !file && file.error().code == InputError::Code::too_large ? 1 : 0;
                        }),
              0)
        << entry.path();
  }
  EXPECT_GT(count, 0);
}

/// The densest headers that there are: 16 bytes of memory a byte of the file suffice, and little time does.
TEST(GgufLimits, MemoryAndTimeFollowTheSizeOfTheFile) {
#ifdef ASSAY_SHADOW_MEMORY
  GTEST_SKIP() << "no limit on addresses under this sanitizer: not run";
#endif
  T metadata, tensors;
  for (std::uint32_t i = 0; i < 60000; ++i) {
    const std::string name{static_cast<char>('a' + i % 16), static_cast<char>('a' + i / 16 % 16),
                           static_cast<char>('a' + i / 256 % 16), static_cast<char>('a' + i / 4096)};
    metadata.raw(name, ValueType::uint8, "x");
    tensors.tensor_entry(name, {}, static_cast<std::uint32_t>(TensorType::i8), 32 * std::uint64_t{i});
  }
  tensors.data(std::string(60000 * 32, 'x'));
  // Empty arrays in arrays: a walk that went through each level again would take its square.
  std::string arrays = T::array_head(ValueType::uint8, 0);
  for (int depth = 1; depth < max_array_depth; ++depth) {
    std::vector<std::string> twice(depth < 13 ? 2 : 1, arrays);
    arrays = T::array(ValueType::array, twice);
  }
  std::string wide = T::array_head(ValueType::string, 500000) + std::string(8 * 500000, '\0');
  for (const std::string& bytes :
       {metadata.bytes(), tensors.bytes(), T().raw("k", ValueType::array, arrays).bytes(),
        T().raw("k", ValueType::array, wide).bytes()}) {
    EXPECT_EQ(in_limits(16 * bytes.size() + (1 << 20), 5, [&] { return verdict(bytes); }), 0) << bytes.size();
  }
}

/// A file that is too large for what addresses are left is an error like others.
TEST(GgufLimits, AFileThatCannotBeMappedIsRefused) {
#ifdef ASSAY_SHADOW_MEMORY
  GTEST_SKIP() << "no limit on addresses under this sanitizer: not run";
#endif
  const std::string path = testing::TempDir() + "gguf_sparse." + std::to_string(::getpid());
  std::ofstream(path, std::ios::binary) << T().bytes();
  ASSERT_EQ(::truncate(path.c_str(), off_t{1} << 36), 0);  // no block of it is on the disk
  EXPECT_EQ(in_limits(16 << 20, 10,
                      [&] {
                        const Result<File> file = File::open(path);
                        return !file && file.error().code == InputError::Code::too_large ? 0 : 1;
                      }),
            0);
  EXPECT_TRUE(File::open(path));  // without a limit 64 GiB of nothing behind a header are no trouble
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace assay::gguf
