#include "engine/io/json_tree.hpp"

#include <gtest/gtest.h>

namespace assay::io {
namespace {

TEST(JsonTree, ValuesAndOffsets) {
  const Result<JsonTree> read =
      JsonTree::parse("f.json", R"({"a": [1, -2.5, "x\u00e9", null, true], "b": {"c": 7}})");
  ASSERT_TRUE(read) << read.error().message;
  const JsonNode root = read.value().root();
  EXPECT_EQ(root.count(), 2U);
  JsonNode each = root.find("a").first();
  EXPECT_EQ(each.whole(), 1U);
  each = each.next();
  EXPECT_EQ(each.number(), -2.5);
  EXPECT_FALSE(each.whole());
  each = each.next();
  EXPECT_EQ(each.text(), "x\u00E9");
  each = each.next();
  EXPECT_TRUE(each.is_null());
  each = each.next();
  EXPECT_EQ(each.flag(), true);
  EXPECT_FALSE(each.next());
  EXPECT_EQ(root.find("b").find("c").whole(), 7U);
  EXPECT_NEAR(static_cast<double>(root.find("b").offset()), 44, 2);
  // None has no parts, no text and no number.
  EXPECT_FALSE(root.find("z").find("y").first().next());
  EXPECT_FALSE(root.find("z").text());
  EXPECT_EQ(root.find("a").find("c").count(), 0U);
}

TEST(JsonTree, RefusesInOneLineWithTheOffset) {
  const auto refusal = [](const std::string& json) {
    const Result<JsonTree> read = JsonTree::parse("f.json", json);
    if (read) return std::string("accepted");
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
    EXPECT_TRUE(read.error().byte_offset);
    return read.error().message;
  };
  EXPECT_EQ(refusal("").substr(0, 26), "f.json: byte 0: is no JSON");
  EXPECT_EQ(
      refusal("[1,\n2"),
      "f.json: byte 5: is no JSON: syntax error while parsing array - unexpected end of input; expected ']'");
  EXPECT_NE(refusal("[1] 2").find("is no JSON"), std::string::npos);
  EXPECT_NE(refusal("\"\xFF\"").find("is no JSON"), std::string::npos);
  EXPECT_NE(refusal(R"({"a":1,"b":2,"a":3})").find("has the key \"a\" twice"), std::string::npos);
  EXPECT_NE(refusal(std::string(65, '[') + std::string(65, ']')).find("nests deeper than 64 values"),
            std::string::npos);
  EXPECT_EQ(refusal(std::string(64, '[') + std::string(64, ']')), "accepted");
  EXPECT_NE(refusal("1e999").find("is no JSON"), std::string::npos);
}

}  // namespace
}  // namespace assay::io
