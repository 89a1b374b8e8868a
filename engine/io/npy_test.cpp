#include "engine/io/npy.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <random>
#include <vector>

#include "engine/io/atomic_write.hpp"

namespace assay::io {
namespace {

namespace fs = std::filesystem;

std::string npy(const std::string& dictionary, const std::string& data, int version = 1) {
  std::string out = "\x93NUMPY";
  out += static_cast<char>(version);
  out += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out += static_cast<char>(dictionary.size() >> (8 * i));
  return out + dictionary + data;
}

template <typename T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string error_of(const std::string& bytes) {
  const auto array = parse_npy("f.npy", bytes);
  return array ? "no error" : array.error().message;
}

class Folder : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::path(testing::TempDir()) /
            ("io_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + "." +
             std::to_string(::getpid()));
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  void TearDown() override { fs::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }
  fs::path path_;
};

using Npy = Folder;
using AtomicWrite = Folder;

TEST_F(Npy, WhatIsWrittenReadsBack) {
  std::mt19937_64 bits(3);
  for (const DType type :
       {DType::f64, DType::f32, DType::f16, DType::i64, DType::i32, DType::u32, DType::u8}) {
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{7}, Shape{3, 5}, Shape{2, 0, 4}, Shape{2, 3, 4}}) {
      SCOPED_TRACE(std::string(name_of(type)) + " " + to_string(shape));
      Tensor array(type, shape);
      for (std::size_t i = 0; i < array.bytes(); ++i) array.view().data[i] = static_cast<std::byte>(bits());
      ASSERT_TRUE(write_npy(file("a.npy"), std::as_const(array).view()));
      const auto back = read_npy(file("a.npy"));
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_EQ(back.value().dtype(), type);
      EXPECT_EQ(back.value().shape(), shape);
      EXPECT_EQ(std::memcmp(back.value().view().data, array.view().data, array.bytes()), 0);
      EXPECT_EQ(files(), 1U);
    }
  }
}

TEST_F(Npy, BrainFloatsAreWrittenAsTheFloatsTheyStandFor) {
  const std::vector<BFloat16> values{{0x3f80}, {0xc000}};
  const auto array = Tensor::from(values, {2});
  ASSERT_TRUE(write_npy(file("a.npy"), array.view()));
  const auto back = read_npy(file("a.npy"));
  ASSERT_TRUE(back);
  EXPECT_EQ(back.value().as<float>()[0], 1.0F);
  EXPECT_EQ(back.value().as<float>()[1], -2.0F);
}

TEST(NpyText, FortranOrderBecomesRowMajor) {
  const std::vector<double> columns{1, 2, 3, 4, 5, 6};
  const auto array =
      parse_npy("f", npy("{'descr': '<f8', 'fortran_order': True, 'shape': (3, 2), }\n", raw(columns)));
  ASSERT_TRUE(array) << array.error().message;
  EXPECT_EQ(array.value().shape(), (Shape{3, 2}));
  const auto values = array.value().as<double>();
  EXPECT_EQ(std::vector<double>(values.begin(), values.end()), (std::vector<double>{1, 4, 2, 5, 3, 6}));
}

TEST(NpyText, AllVersionsAndSpellingsOfTheHeader) {
  const std::string data = raw(std::vector<float>{1, 2});
  for (int version = 1; version <= 3; ++version) {
    for (const char* dictionary : {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }   \n",
                                   "{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"<f4\"}",
                                   "{'shape': (2L,), 'descr': '<f4', 'fortran_order': False}",
                                   "{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}"}) {
      const auto array = parse_npy("f", npy(dictionary, data, version));
      ASSERT_TRUE(array) << dictionary << array.error().message;
      EXPECT_EQ(array.value().as<float>()[1], 2.0F);
    }
  }
}

TEST(NpyText, RefusalsSayWhatIsWrong) {
  const std::string data = raw(std::vector<double>{1, 2});
  const auto dictionary = [](const std::string& descr, const std::string& shape) {
    return "{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }\n";
  };
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "is empty"},
      {"x,y\n1,2\n", "does not begin as an .npy file does"},
      {"PK\x03\x04", ".npz archive"},
      {std::string("\x93NUMPY\x01\0", 8), "ends inside its header"},
      {std::string("\x93NUMPY\x02\0\x01\0", 10), "ends inside its header"},
      {npy("{}", "", 9), "version 9"},
      {std::string("\x93NUMPY\x01\0\xff\xff{", 11), "a header of 65535 bytes"},
      {std::string("\x93NUMPY\x02\0\xff\xff\xff\xff{", 13), "a header of 4294967295 bytes"},
      {npy(dictionary("'<f8'", "(3,)"), data), "needs 24 bytes, the file has 16"},
      {npy(dictionary("'<f8'", "(1,)"), data), "needs 8 bytes, the file has 16"},
      {npy(dictionary("'<f8'", "(4611686018427387904, 4)"), data), "more elements than can be counted"},
      {npy(dictionary("'<f8'", "(99999999999999999999,)"), data), "expected a tuple of sizes"},
      {npy(dictionary("'<f8'", "(-2,)"), data), "expected a tuple of sizes"},
      {npy(dictionary("'<f8'", "2"), data), "expected a tuple of sizes"},
      {npy(dictionary("'<f8'", "(2"), data), "expected a tuple of sizes"},
      {npy(dictionary("'|O'", "(2,)"), data), "pickled Python objects"},
      {npy(dictionary("'>f8'", "(2,)"), data), "big-endian"},
      {npy(dictionary("'<c16'", "(1,)"), data), "'<c16' are not read"},
      {npy(dictionary("[('a', '<f8')]", "(2,)"), data), "structured types"},
      {npy("{'descr': '<f8', 'fortran_order': False}", data), "expected the keys"},
      {npy("{'descr': '<f8', 'fortran_order': maybe, 'shape': (2,)}", data), "expected True or False"},
      {npy("{'descr': '<f8', 'descr': '<f8'}", data), "repeated key 'descr'"},
      {npy("{'extra': 1}", data), "unknown or repeated key 'extra'"},
      {npy("['descr']", data), "expected '{'"},
      {npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)} and more", data), "unexpected text"},
      {npy("{'descr': '<f8", data), "expected a quoted type"},
      {npy("{", data), "expected a quoted key"},
      {npy("{'descr' '<f8'}", data), "expected ':'"},
  };
  for (const auto& [bytes, expected] : cases) {
    const std::string error = error_of(bytes);
    EXPECT_NE(error.find(expected), std::string::npos) << "got: " << error << "\nexpected: " << expected;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
    EXPECT_TRUE(error.starts_with("f.npy: ") || error == "no error") << error;
  }
}

TEST(NpyText, AnyDamageIsRefusedOrReadWithoutHarm) {
  const std::string whole = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }\n",
                                raw(std::vector<double>{1, 2, 3, 4, 5, 6}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_npy("f", std::string_view(whole).substr(0, size))) << size;
  }
  std::mt19937_64 bits(5);
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = whole;
    for (int j = 0; j < 1 + i % 3; ++j) damaged[bits() % 80] = static_cast<char>(bits());
    const auto array = parse_npy("f", damaged);
    if (!array)
      ++refused;
    else
      EXPECT_EQ(array.value().bytes(), 48U);
  }
  EXPECT_GT(refused, 10000);
}

TEST_F(AtomicWrite, ReplacesWholeFilesAndLeavesNothingElse) {
  ASSERT_TRUE(write_file(file("a"), {"old content"}));
  const auto bytes = write_file(file("a"), {"new", " ", "one"});
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes.value(), 7U);
  const auto back = read_file(file("a"));
  ASSERT_TRUE(back);
  EXPECT_EQ(back.value().view(), "new one");
  EXPECT_EQ(files(), 1U);
}

TEST_F(AtomicWrite, FailuresNameThePathAndLeaveNothing) {
  const auto missing = write_file(file("no/such/folder"), {"x"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, InputError::Code::write_failed);
  EXPECT_NE(missing.error().message.find("no/such/folder: cannot be written"), std::string::npos);
  fs::create_directory(path_ / "folder");
  EXPECT_FALSE(write_file(file("folder"), {"x"}));
  EXPECT_EQ(files(), 1U);
}

TEST_F(AtomicWrite, DevicesAreWrittenToAndNotReplaced) {
  EXPECT_TRUE(write_file("/dev/null", {"x"}));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  const auto full = write_file("/dev/full", {"x"});
  EXPECT_FALSE(full);
}

}  // namespace
}  // namespace assay::io
