#include "engine/llm/gguf/file.hpp"

#include <gtest/gtest.h>

#include <random>

#include "engine/llm/gguf/test_writer.hpp"

namespace assay::gguf {
namespace {

using T = TestWriter;

std::string two_tensors() {
  T writer;
  writer.set("general.architecture", "golden");
  set_every_type(writer);
  writer.tensor("a", {3}, TensorType::f32, std::string(12, 'a'));
  writer.tensor("b", {32, 2}, TensorType::q4_0, std::string(36, 'b'));
  return writer.bytes();
}

/// The refusal of these bytes: one line that begins with the name.
std::string refusal(std::string_view bytes) {
  const Result<File> file = File::parse("m.gguf", bytes);
  EXPECT_FALSE(file) << "accepted";
  if (file) return "";
  const InputError& error = file.error();
  EXPECT_TRUE(error.message.starts_with("m.gguf: ")) << error.message;
  EXPECT_EQ(error.message.find('\n'), std::string::npos);
  EXPECT_TRUE(error.byte_offset);
  return error.message.substr(8);
}
std::string refusal(const T& writer) {
  return refusal(writer.bytes());
}

std::string refusal_of_value(std::uint32_t type, std::string_view bytes) {
  return refusal(T().raw("k", type, bytes));
}
std::string refusal_of_array(std::string_view bytes) {
  return refusal_of_value(static_cast<std::uint32_t>(ValueType::array), bytes);
}

TEST(GgufFile, ReadsWhatWasWritten) {
  const std::string bytes = two_tensors();
  const Result<File> read = File::parse("m.gguf", bytes);
  ASSERT_TRUE(read) << read.error().message;
  const File& file = read.value();
  EXPECT_EQ(file.version(), 3U);
  EXPECT_EQ(file.alignment(), 32U);
  EXPECT_EQ(file.metadata().size(), 18U);
  EXPECT_EQ(file.metadata()[0].key, "general.architecture");
  EXPECT_EQ(file.find("general.architecture")->as_text(), "golden");
  EXPECT_EQ(file.find("a.u8")->as_unsigned(), 255U);
  EXPECT_EQ(file.find("a.i8")->as_signed(), -128);
  EXPECT_EQ(file.find("a.i8")->as_unsigned(), std::nullopt);
  EXPECT_EQ(file.find("a.u16")->as_signed(), 65535);
  EXPECT_EQ(file.find("a.i16")->as_signed(), -32768);
  EXPECT_EQ(file.find("a.u32")->as_unsigned(), 4294967295U);
  EXPECT_EQ(file.find("a.i32")->as_signed(), -2147483648LL);
  EXPECT_EQ(file.find("a.f32")->as_real(), 0.5);
  EXPECT_EQ(file.find("a.f64")->as_real(), 0.1);
  EXPECT_EQ(file.find("a.true")->as_flag(), true);
  EXPECT_EQ(file.find("a.false")->as_flag(), false);
  EXPECT_EQ(file.find("a.u64")->as_unsigned(), ~std::uint64_t{0});
  EXPECT_EQ(file.find("a.u64")->as_signed(), std::nullopt);
  EXPECT_EQ(file.find("a.i64")->as_signed(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(file.find("a.text")->as_real(), std::nullopt);
  EXPECT_EQ(file.find("a"), nullptr);

  ASSERT_EQ(file.tensors().size(), 2U);
  const TensorEntry* const b = file.find_tensor("b");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->type, TensorType::q4_0);
  EXPECT_EQ(b->rank, 2U);
  EXPECT_EQ(b->elements, 64U);
  EXPECT_EQ(b->rows(), 2U);
  EXPECT_EQ(b->offset, 32U);
  EXPECT_EQ(b->data, std::string(36, 'b'));
  EXPECT_EQ(b->data.data(), bytes.data() + file.data_offset() + 32);  // a view, no copy
  EXPECT_EQ(file.find_tensor("c"), nullptr);
}

TEST(GgufFile, WalksArrays) {
  const std::string bytes = two_tensors();
  const Result<File> read = File::parse("m.gguf", bytes);
  ASSERT_TRUE(read);
  Elements none(*read.value().find("a.none"));
  EXPECT_FALSE(none.next());
  Elements no_array(*read.value().find("a.text"));
  EXPECT_FALSE(no_array.next());
  Elements numbers(*read.value().find("a.numbers"));
  EXPECT_EQ(numbers.next()->as_signed(), -1);
  EXPECT_EQ(numbers.next()->as_signed(), 0);
  const std::optional<Value> last = numbers.next();
  EXPECT_EQ(last->as_signed(), 1);
  EXPECT_EQ(last->bytes.data(), bytes.data() + last->offset);  // offsets are those in the file
  EXPECT_FALSE(numbers.next());
  Elements rows(*read.value().find("a.rows"));
  const std::optional<Value> first = rows.next(), second = rows.next();
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(rows.next());
  Elements bytes_of_first(*first);
  EXPECT_EQ(bytes_of_first.next()->as_unsigned(), 1U);
  const std::optional<Value> two = bytes_of_first.next();
  EXPECT_EQ(two->as_unsigned(), 2U);
  EXPECT_EQ(bytes[two->offset], '\x02');  // in nested arrays too
  Elements texts(*second);
  EXPECT_EQ(texts.next()->as_text(), "x");
}

TEST(GgufFile, TakesVersion2AndLittleThings) {
  T empty;
  EXPECT_TRUE(File::parse("m", empty.bytes()));
  empty.version = 2;
  EXPECT_EQ(File::parse("m", empty.bytes()).value().version(), 2U);
  // A scalar, gaps between tensors, tensors in any order, bytes after the last.
  T writer;
  writer.tensor_entry("late", {8}, 0, 128).tensor_entry("scalar", {}, 0, 0).data(std::string(200, 'x'));
  const std::string bytes = writer.bytes();
  const Result<File> file = File::parse("m", bytes);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file.value().find_tensor("scalar")->elements, 1U);
  EXPECT_EQ(file.value().trailing_bytes(), 40U);
  // The padding of the last tensor may be there or not.
  EXPECT_EQ(
      File::parse("m", T().tensor("w", {1}, TensorType::f32, "abcd").data(std::string(28, '\0')).bytes())
          .value()
          .trailing_bytes(),
      0U);
}

TEST(GgufFile, AlignsDataTo32BytesWhereNothingIsSaid) {
  for (std::size_t length = 1; length <= 32; ++length) {
    const std::string bytes =
        T().set(std::string(length, 'k'), "").tensor("w", {1}, TensorType::f32, "abcd").bytes();
    const Result<File> file = File::parse("m", bytes);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file.value().data_offset() % 32, 0U);
    EXPECT_EQ(file.value().find_tensor("w")->data, "abcd");
  }
}

TEST(GgufFile, HasTheAlignmentThatItSays) {
  T writer;
  writer.alignment = 128;
  writer.set("general.alignment", std::uint32_t{128});
  writer.tensor("a", {1}, TensorType::f32, "abcd").tensor("b", {1}, TensorType::f32, "efgh");
  const std::string bytes = writer.bytes();
  const Result<File> file = File::parse("m", bytes);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file.value().find_tensor("b")->offset, 128U);
  EXPECT_EQ(file.value().find_tensor("b")->data, "efgh");
  EXPECT_EQ(file.value().data_offset() % 128, 0U);
}

TEST(GgufFile, RefusesTheHeader) {
  EXPECT_EQ(refusal(""), "is empty, expected a GGUF file");
  EXPECT_EQ(refusal("GG"), "has 2 bytes, expected a GGUF file");
  T writer;
  writer.magic = "GGML";
  EXPECT_EQ(refusal(writer), "magic is 'GGML' at byte 0, expected 'GGUF'");
  writer.magic = "tjgg";
  EXPECT_EQ(refusal(writer),
            "magic is 'tjgg' at byte 0, expected 'GGUF': this is an older format of ggml, which is not read");
  writer.magic = "GGUF";
  writer.version = 1;
  EXPECT_EQ(refusal(writer),
            "version is 1 at byte 4, expected 2 or 3: version 1 has another layout and is not read");
  for (const std::uint32_t version : {0U, 4U, 65535U}) {
    writer.version = version;
    EXPECT_EQ(refusal(writer), "version is " + std::to_string(version) + " at byte 4, expected 2 or 3");
  }
  writer.version = 3U << 24;
  EXPECT_EQ(refusal(writer),
            "version is 50331648 at byte 4, expected 2 or 3: the file is big-endian, only little-endian ones "
            "are read");
  EXPECT_EQ(refusal(T().bytes().substr(0, 10)),
            "the file ends at byte 10 inside tensor count, which begins at byte 8");
}

TEST(GgufFile, RefusesCountsThatTheFileCannotHold) {
  for (const std::uint64_t claimed :
       {std::uint64_t{1}, std::uint64_t{1} << 40, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    T tensors;
    tensors.claimed_tensors = claimed;
    EXPECT_EQ(refusal(tensors), "tensor count is " + std::to_string(claimed) +
                                    " at byte 8, expected at most 0, for which bytes are left");
    T metadata;
    metadata.claimed_metadata = claimed;
    EXPECT_EQ(refusal(metadata), "metadata count is " + std::to_string(claimed) +
                                     " at byte 16, expected at most 0, for which bytes are left");
  }
  T used_up;  // the metadata take the bytes that the tensors would need
  used_up.claimed_tensors = 1;
  EXPECT_EQ(refusal(used_up.set("k", std::string(100, 'x'))),
            "tensor count is 1 at byte 8, expected at most 0, for which bytes are left after the metadata");
}

TEST(GgufFile, RefusesKeys) {
  EXPECT_EQ(refusal(T().set("", "v")), "key 0 length is 0 at byte 24, expected 1 to 65535");
  EXPECT_EQ(refusal(T().set(std::string(65536, 'k'), "v")),
            "key 0 length is 65536 at byte 24, expected 1 to 65535");
  EXPECT_TRUE(File::parse("m", T().set(std::string(65535, 'k'), "v").bytes()));
  T claimed;
  claimed.claimed_metadata = 1;
  EXPECT_EQ(refusal(claimed.bytes() + T::stored<std::uint64_t>(100) + "0123456789"),
            "key 0 length is 100 at byte 24, expected at most 10, the bytes that are left");
  EXPECT_EQ(refusal(T().set("k", "v").set("j", "v").set("k", "v")),
            "key 2 is 'k' at byte 68, expected a key that the file does not have already");
  EXPECT_EQ(refusal_of_value(13, "12345678"), "key 'k': value type is 13 at byte 33, expected 0 to 12");
  EXPECT_EQ(refusal_of_value(~0U, "12345678"),
            "key 'k': value type is 4294967295 at byte 33, expected 0 to 12");
}

TEST(GgufFile, RefusesValues) {
  for (std::uint32_t type = 0; type < value_type_count; ++type) {
    const std::uint64_t size = size_of(static_cast<ValueType>(type));
    if (size < 2) continue;  // one byte fewer leaves no byte, and the count is refused before
    EXPECT_EQ(refusal_of_value(type, std::string(size - 1, '\0')),
              "key 'k': " + std::string(name_of(static_cast<ValueType>(type))) + " needs " +
                  std::to_string(size) + " bytes at byte 37, the file has " + std::to_string(size - 1) +
                  " left");
  }
  EXPECT_EQ(refusal_of_value(7, "\x02"), "key 'k': bool is 2 at byte 37, expected 0 or 1");
  EXPECT_EQ(refusal_of_value(8, T::stored(~std::uint64_t{0}) + "abc"),
            "key 'k': string length is 18446744073709551615 at byte 37, expected at most 3, the bytes that "
            "are left");
  EXPECT_EQ(refusal_of_value(8, "1234"),
            "key 'k': string length needs 8 bytes at byte 37, the file has 4 left");
}

TEST(GgufFile, RefusesArrays) {
  EXPECT_EQ(refusal_of_array("12"),
            "key 'k': array element type needs 4 bytes at byte 37, the file has 2 left");
  EXPECT_EQ(refusal_of_array(T::stored<std::uint32_t>(13) + T::stored<std::uint64_t>(0)),
            "key 'k': array element type is 13 at byte 37, expected 0 to 12");
  EXPECT_EQ(refusal_of_array(T::array_head(ValueType::int32, 1).substr(0, 10)),
            "key 'k': array length needs 8 bytes at byte 41, the file has 6 left");
  EXPECT_EQ(refusal_of_array(T::array_head(ValueType::int32, 3) + "12345678"),
            "key 'k': array length is 3 at byte 41, expected at most 2 elements of int32, for which bytes "
            "are left");
  // 2^62 x 4 wraps to 0; 2^61 + 1 strings of 8 bytes to 8.
  EXPECT_EQ(
      refusal_of_array(T::array_head(ValueType::int32, std::uint64_t{1} << 62) + "12345678"),
      "key 'k': array length is 4611686018427387904 at byte 41, expected at most 2 elements of int32, for "
      "which bytes are left");
  EXPECT_EQ(
      refusal_of_array(T::array_head(ValueType::string, (std::uint64_t{1} << 61) + 1) + "12345678"),
      "key 'k': array length is 2305843009213693953 at byte 41, expected at most 1 elements of string, for "
      "which bytes are left");
  EXPECT_EQ(refusal_of_array(T::array<std::uint8_t>(ValueType::boolean, {1, 0, 9})),
            "key 'k': bool is 9 at byte 51, expected 0 or 1");
  EXPECT_EQ(refusal_of_array(
                T::array<std::string>(ValueType::string, {T::text("ab"), T::stored<std::uint64_t>(5)})),
            "key 'k': element 1: string length is 5 at byte 59, expected at most 0, the bytes that are left");
}

TEST(GgufFile, ReadsArraysToADepthOf16) {
  const std::string bytes = T().raw("k", ValueType::array, nested_array(max_array_depth)).bytes();
  const Result<File> file = File::parse("m", bytes);
  ASSERT_TRUE(file) << file.error().message;
  Value value = *file.value().find("k");
  for (int depth = 0; depth < max_array_depth; ++depth) value = *Elements(value).next();
  EXPECT_EQ(value.as_unsigned(), 7U);
  for (const int depth : {max_array_depth + 1, 1000}) {
    const std::string refused = refusal_of_array(nested_array(depth));
    EXPECT_NE(refused.find("is nested 17 deep, expected at most 16"), std::string::npos) << refused;
  }
}

TEST(GgufFile, RefusesTheAlignment) {
  for (const std::uint32_t alignment : {0U, 3U, 33U, 4294967295U}) {
    EXPECT_EQ(refusal(T().set("general.alignment", alignment)),
              "general.alignment is " + std::to_string(alignment) + " at byte 53, expected a power of two");
  }
  EXPECT_EQ(refusal(T().raw("general.alignment", ValueType::uint64, T::stored<std::uint64_t>(32))),
            "general.alignment is of type uint64 at byte 53, expected a uint32");
  EXPECT_EQ(refusal(T().set("general.alignment", "32")),
            "general.alignment is of type string at byte 61, expected a uint32");
  // A power of two that puts the data behind the end of the file.
  EXPECT_EQ(
      refusal(T().set("general.alignment", 0x80000000U).tensor_entry("w", {1}, 0, 0).data("12345678")),
      "tensor 'w': offset is 0 at byte 82, and 4 bytes from there end after the 0 bytes of tensor data in "
      "the file");
}

TEST(GgufFile, RefusesShapesAndTypes) {
  const auto of_tensor = [](const std::vector<std::uint64_t>& shape, std::uint32_t type) {
    return refusal(T().tensor_entry("w", shape, type, 0).data(std::string(256, 'x')));
  };
  EXPECT_EQ(of_tensor({1, 1, 1, 1, 1}, 0),
            "tensor 'w': number of dimensions is 5 at byte 33, expected at most 4");
  EXPECT_EQ(of_tensor({0}, 0), "tensor 'w': dimension 0 is 0 at byte 37, expected 1 to 2^63 - 1");
  EXPECT_EQ(of_tensor({1, std::uint64_t{1} << 63}, 0),
            "tensor 'w': dimension 1 is 9223372036854775808 at byte 45, expected 1 to 2^63 - 1");
  EXPECT_EQ(of_tensor({std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 0),
            "tensor 'w': dimension 1 is 4294967296 at byte 45, expected a product of the dimensions of at "
            "most 2^63 - "
            "1 elements");
  // The elements can be counted, the bytes cannot: 2^62 x 4 wraps to 0.
  EXPECT_EQ(
      of_tensor({std::uint64_t{1} << 31, std::uint64_t{1} << 31}, 0),
      "tensor 'w': size is 4611686018427387904 elements of f32 at byte 37, expected at most 2^63 - 1 bytes");
  EXPECT_EQ(of_tensor({33}, 2),
            "tensor 'w': row length is 33 at byte 37, expected a multiple of 32, the block length of q4_0");
  EXPECT_EQ(of_tensor({128, 2}, 12),
            "tensor 'w': row length is 128 at byte 37, expected a multiple of 256, the block length of q4_K");
  EXPECT_EQ(of_tensor({1}, 200),
            "tensor 'w': type is 200 (unknown) at byte 45, expected the number of one of "
            "ggml's types");
  EXPECT_EQ(of_tensor({32}, 4),
            "tensor 'w': type is 4 (q4_2, which was removed from the format) at byte 45, expected the number "
            "of one "
            "of ggml's types");
  EXPECT_EQ(refusal(T().tensor_entry("", {1}, 0, 0).data("x")),
            "tensor 0: name length is 0 at byte 24, expected 1 to 64");
  EXPECT_EQ(refusal(T().tensor_entry(std::string(65, 'w'), {1}, 0, 0).data("x")),
            "tensor 0: name length is 65 at byte 24, expected 1 to 64");
}

TEST(GgufFile, RefusesPlaces) {
  EXPECT_EQ(refusal(T().tensor_entry("w", {1}, 0, 8).data(std::string(64, 'x'))),
            "tensor 'w': offset is 8 at byte 49, expected a multiple of the alignment, 32");
  EXPECT_EQ(
      refusal(T().tensor_entry("w", {16}, 0, 32).data(std::string(95, 'x'))),
      "tensor 'w': offset is 32 at byte 49, and 64 bytes from there end after the 95 bytes of tensor data in "
      "the file");
  EXPECT_EQ(
      refusal(T().tensor_entry("w", {16}, 0, ~std::uint64_t{0} - 31).data(std::string(95, 'x'))),
      "tensor 'w': offset is 18446744073709551584 at byte 49, and 64 bytes from there end after the 95 bytes "
      "of tensor data in the file");
  EXPECT_EQ(
      refusal(T().tensor_entry("a", {16}, 0, 0).tensor_entry("b", {16}, 0, 32).data(std::string(96, 'x'))),
      "tensor 'b': offset is 32 at byte 82, expected at least 64, where tensor 'a' ends: the two overlap");
  EXPECT_EQ(
      refusal(T().tensor_entry("a", {1}, 0, 0).tensor_entry("b", {1}, 0, 0).data(std::string(96, 'x'))),
      "tensor 'b': offset is 0 at byte 82, expected at least 4, where tensor 'a' ends: the two overlap");
  EXPECT_EQ(refusal(T().tensor("w", {1}, TensorType::f32, "abcd").tensor("w", {1}, TensorType::f32, "abcd")),
            "tensor 1: name is 'w' at byte 57, expected a name that the file does not have already");
}

TEST(GgufFile, NamesInMessagesAreMadeSafe) {
  EXPECT_EQ(refusal(T().raw("k\n\x1b[31m", 99, "12345678")),
            "key 'k\\x0a\\x1b[31m': value type is 99 at byte 39, expected 0 to 12");
}

/// Every beginning of a file is refused, up to the end of its last tensor.
TEST(GgufFile, RefusesEveryTruncation) {
  const std::string bytes = two_tensors();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);  // of exactly that size, so that a sanitizer sees the edge
    EXPECT_FALSE(File::parse("m", std::string_view(cut))) << size;
  }
}

/// Whatever is accepted of a damaged file lies within it and can be walked.
TEST(GgufFile, DamagedFilesAreRefusedOrSound) {
  const std::string good = two_tensors();
  std::mt19937_64 random(20260718);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = good;
    for (std::uint64_t changes = 1 + random() % 3; changes-- > 0;) {
      bytes[random() % bytes.size()] = static_cast<char>(random() % 3 == 0 ? 0xff : random());
    }
    const Result<File> file = File::parse("m", bytes);
    if (!file) {
      ++refused;
      EXPECT_EQ(file.error().message.find('\n'), std::string::npos);
      continue;
    }
    ++accepted;
    for (const TensorEntry& tensor : file.value().tensors()) {
      EXPECT_GE(tensor.data.data(), bytes.data());
      EXPECT_LE(tensor.data.data() + tensor.data.size(), bytes.data() + bytes.size());
    }
    for (const Metadata& entry : file.value().metadata()) {
      std::uint64_t count = 0;
      for (Elements elements(entry.value); elements.next();) ++count;
      EXPECT_EQ(count, entry.value.type == ValueType::array ? entry.value.count : 0);
    }
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace assay::gguf
