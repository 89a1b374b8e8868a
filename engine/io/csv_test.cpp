#include "engine/io/csv.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>

namespace assay::io {
namespace {

/// What the time of an instrumented build says nothing about.
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr double most_seconds = 2.0;
#else
constexpr double most_seconds = 60.0;
#endif

FileBytes bytes_of(std::string_view text) {
  std::unique_ptr<char[]> memory(new char[text.size() + 1]);
  std::memcpy(memory.get(), text.data(), text.size());
  return {std::move(memory), text.size()};
}

Result<NumberTable> table_of(std::string_view text, std::int64_t rows = 1 << 30) {
  auto file = CsvFile::parse("f.csv", bytes_of(text));
  if (!file) return file.error();
  return file.value().read_all(rows);
}

std::string error_of(std::string_view text) {
  const auto table = table_of(text);
  return table ? "no error" : table.error().message;
}

using Names = std::vector<std::string>;
using Values = std::vector<double>;

struct Dialect {
  std::string name, text;
  Names names;
};

TEST(Csv, EveryDialectGivesTheSameNumbers) {
  const std::vector<Dialect> dialects{
      {"comma", "x,y\n1,2.5\n-3e2,4\n", {"x", "y"}},
      {"semicolon", "x;y\n1;2.5\n-3e2;4\n", {"x", "y"}},
      {"tab", "x\ty\n1\t2.5\n-3e2\t4\n", {"x", "y"}},
      {"no header", "1,2.5\n-3e2,4\n", {"0", "1"}},
      {"no last line end", "x,y\n1,2.5\n-3e2,4", {"x", "y"}},
      {"CRLF", "x,y\r\n1,2.5\r\n-3e2,4\r\n", {"x", "y"}},
      {"CR", "x,y\r1,2.5\r-3e2,4\r", {"x", "y"}},
      {"byte-order mark", "\xef\xbb\xbfx,y\n1,2.5\n-3e2,4\n", {"x", "y"}},
      {"byte-order mark, no header",
       "\xef\xbb\xbf"
       "1,2.5\n-3e2,4\n",
       {"0", "1"}},
      {"quotes", "\"x\",\"y\"\n\"1\",\"2.5\"\n\"-3e2\",4\n", {"x", "y"}},
      {"quoted numbers as names", "\"0\",\"1\"\n1,2.5\n-3e2,4\n", {"0", "1"}},
      {"blanks", " x , y \n 1 , 2.5\n-3e2 ,\t4\n", {"x", "y"}},
      {"comments", "# made by hand\nx,y\n1,2.5\n  # half way, or so\n-3e2,4\n#end", {"x", "y"}},
      {"blank lines", "\n\nx,y\n\n1,2.5\n   \n-3e2,4\n\n", {"x", "y"}},
      {"signs and points", "x,y\n+1,+2.5\n-3.00E+02,4.\n", {"x", "y"}},
      {"quoted separators and quotes in names",
       "\"a,b\",\"say \"\"c\"\"\"\n1,2.5\n-3e2,4\n",
       {"a,b", "say \"c\""}},
  };
  for (const Dialect& dialect : dialects) {
    SCOPED_TRACE(dialect.name);
    const auto table = table_of(dialect.text);
    ASSERT_TRUE(table) << table.error().message;
    EXPECT_EQ(table.value().names, dialect.names);
    EXPECT_EQ(table.value().rows, 2);
    EXPECT_EQ(table.value().values, (Values{1, 2.5, -300, 4}));
  }
}

TEST(Csv, OneColumnAndManyColumns) {
  const auto one = table_of("x\n1\n2\n");
  ASSERT_TRUE(one);
  EXPECT_EQ(one.value().values, (Values{1, 2}));
  std::string wide = "0";
  for (int i = 1; i < 5000; ++i) wide += "," + std::to_string(i);
  const auto many = table_of(wide + "\n" + wide + "\n");
  ASSERT_TRUE(many);
  EXPECT_EQ(many.value().names.size(), 5000U);
  EXPECT_EQ(many.value().values.at(9999), 4999.0);
}

TEST(Csv, ErrorsSayFileLineColumnAndWhatWasExpected) {
  EXPECT_EQ(error_of(""), "f.csv: is empty, expected rows of numbers");
  EXPECT_EQ(error_of("\n# only words\n"), "f.csv: has no rows, expected rows of numbers");
  EXPECT_EQ(error_of("x,y\n"), "f.csv: has a header and no rows, expected rows of numbers");
  EXPECT_EQ(error_of("x,y\n1,2\n3,abc\n"), "f.csv: line 3, column 2 (y): 'abc' is not a number");
  EXPECT_EQ(error_of("1,2\n3,abc\n"), "f.csv: line 2, column 2: 'abc' is not a number");
  EXPECT_EQ(error_of("x,y\n\n# c\n1,1.5.2\n"), "f.csv: line 4, column 2 (y): '1.5.2' is not a number");
  EXPECT_EQ(error_of("x,y\n1,2\n3,0x10\n"), "f.csv: line 3, column 2 (y): '0x10' is not a number");
  EXPECT_EQ(error_of("x,y\n1,\n3,4\n"), "f.csv: line 2, column 2 (y): an empty field, expected a number");
  EXPECT_EQ(error_of("x,y\n1,2\nNaN,4\n"),
            "f.csv: line 3, column 1 (x): 'NaN' is not finite, expected a finite number");
  EXPECT_EQ(error_of("x,y\n1,2\n1,-inf\n"),
            "f.csv: line 3, column 2 (y): '-inf' is not finite, expected a finite number");
  EXPECT_EQ(error_of("x,y\n1,2\n1,1e999\n"),
            "f.csv: line 3, column 2 (y): '1e999' is not finite, expected a finite number");
  EXPECT_EQ(error_of("x,y\n1,2\n3\n"), "f.csv: line 3: a row of 1 field, expected 2 as in the first row");
  EXPECT_EQ(error_of("x,y\n1,2\n3,4,5\n"),
            "f.csv: line 3: a row of 3 fields, expected 2 as in the first row");
  EXPECT_EQ(error_of("x,y\r\n1,2\r\nq,4\r\n"), "f.csv: line 3, column 1 (x): 'q' is not a number");
  EXPECT_EQ(error_of("x,y\n1,\"2\n3,4\n"),
            "f.csv: line 2, column 2 (y): a quote that is not closed before the field ends");
  EXPECT_EQ(error_of("x;y\n1,5;2\n"), "f.csv: line 2, column 1 (x): '1,5' is not a number");
  EXPECT_EQ(error_of("\xff\xfex\0,\0"), "f.csv: is UTF-16 text, expected UTF-8 or ASCII");
  EXPECT_EQ(error_of("x\n1\n\x01"
                     "2\n"),
            "f.csv: line 3, column 1 (x): '\\x012' is not a number");
}

TEST(Csv, ErrorsCarryThePlace) {
  const auto table = table_of("x,y\n1,2\n3,abc\n");
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().line, 3U);
  EXPECT_EQ(table.error().column, 2U);
  EXPECT_EQ(table.error().code, InputError::Code::malformed);
}

TEST(Csv, OnlyTheColumnsAndRowsThatAreAskedForAreParsed) {
  const auto file = CsvFile::parse("f.csv", bytes_of("day,x,y\nMonday,1,2\nTuesday,3,4\nbroken,5\n"));
  ASSERT_TRUE(file);
  const std::vector<std::int64_t> columns{2, 1, 2};
  const auto table = file.value().read(columns, 2);
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(table.value().values, (Values{2, 1, 2, 4, 3, 4}));
  EXPECT_EQ(table.value().names, (Names{"y", "x", "y"}));
  EXPECT_FALSE(file.value().read(columns));
  EXPECT_FALSE(file.value().read(std::vector<std::int64_t>{3}));
  EXPECT_FALSE(file.value().read(std::vector<std::int64_t>{-1}));
}

TEST(Csv, NumbersAreCorrectlyRounded) {
  std::vector<std::string> texts{"0.1",
                                 "1e23",
                                 "9007199254740993",
                                 "2.2250738585072011e-308",
                                 "4.9e-324",
                                 "1e-400",
                                 "-1e-400",
                                 "1.7976931348623157e308",
                                 "123456789012345678901234567890",
                                 "3e-320",
                                 "0.500000000000000166533453693773481063544750213623046875"};
  std::mt19937_64 bits(7);
  for (int i = 0; i < 20000; ++i) {
    const auto value = std::bit_cast<double>(bits());
    if (!std::isfinite(value)) continue;
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), i % 2 ? "%.17g" : "%.9e", value);
    texts.emplace_back(text.data());
  }
  for (const std::string& text : texts) {
    const auto value = parse_double(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(*value),
              std::bit_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr)))
        << text;
  }
}

TEST(Csv, AMillionRowsInUnderTwoSeconds) {
  std::string text = "x,y,z\n";
  std::mt19937_64 bits(1);
  std::normal_distribution<double> gauss;
  std::array<char, 64> number{};
  std::vector<std::string> numbers;
  for (int i = 0; i < 1000; ++i) {
    std::snprintf(number.data(), number.size(), "%.17g", gauss(bits));
    numbers.emplace_back(number.data());
  }
  for (std::size_t i = 0; i < 1'000'000; ++i) {
    text += numbers[i % 1000] + "," + numbers[(i * 7) % 1000] + "," + numbers[(i * 13) % 1000] + "\n";
  }
  const std::string path = testing::TempDir() + "million.csv." + std::to_string(::getpid());
  std::ofstream(path) << text;
  const std::clock_t start = std::clock();  // of this process: what else runs here is not the reader's time
  auto file = CsvFile::open(path);
  ASSERT_TRUE(file);
  const auto table = file.value().read_all();
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::remove(path.c_str());
  ASSERT_TRUE(table);
  EXPECT_EQ(table.value().rows, 1'000'000);
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds, most_seconds);
}

TEST(Csv, MissingFilesAndFoldersAreSaidToBeSo) {
  const auto missing = CsvFile::open("/nonexistent/f.csv");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "/nonexistent/f.csv: no such file");
  EXPECT_EQ(missing.error().code, InputError::Code::not_found);
  const auto folder = CsvFile::open(testing::TempDir());
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message.find("is a directory"), std::string::npos);
  EXPECT_FALSE(CsvFile::open(""));
}

}  // namespace
}  // namespace assay::io
