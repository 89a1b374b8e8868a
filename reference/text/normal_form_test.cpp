#include "reference/text/normal_form.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/runtime/philox.hpp"
#include "kernels/unicode/normalize.hpp"
#include "kernels/unicode/properties.hpp"
#include "kernels/unicode/utf8.hpp"

namespace assay::kernels::unicode {
namespace {

std::string code_points(std::initializer_list<std::uint32_t> all) {
  std::string text;
  for (const std::uint32_t c : all) append(text, c);
  return text;
}

std::string nfc(const std::string& text) {
  std::string made;
  to_nfc(text, made);
  return made;
}

TEST(Normalize, EveryCharacterAloneAndBehindALetter) {
  for (std::uint32_t c = 1; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const std::string text = code_points({c, 'a', c, 0x301, 0xAC00, c});
    ASSERT_EQ(nfc(text), reference::nfc(text)) << std::hex << c;
  }
}

TEST(Normalize, RandomRunsOfWhatComposes) {
  std::vector<std::uint32_t> telling = {'a',    'e',    0x1E0A, 0xAC00, 0xAC01,
                                        0x1100, 0x1161, 0x11A8, 0x11A7, 0x9C7};
  for (std::uint32_t c = 0; c < 0x110000; ++c)
    if ((properties_of(c) & decomposes) || combining_class_of(c) != 0 || !(properties_of(c) & nfc_boundary))
      telling.push_back(c);
  for (std::uint32_t i = 0; i < composition_count; ++i) telling.push_back(compositions[i].first);
  Philox random(1);
  std::vector<Change> changes;
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    for (std::size_t left = random.below(12) + 1; left > 0; --left) {
      // Few characters at a time, so that pairs that compose come together.
      const std::uint32_t c = random.below(3) == 0
                                  ? static_cast<std::uint32_t>('a' + random.below(26))
                                  : telling[random.below(random.below(2) ? 10 : telling.size())];
      append(text, random.below(4) == 0 ? 0x300 + static_cast<std::uint32_t>(random.below(0x70)) : c);
    }
    std::string made;
    to_nfc(text, made, &changes);
    const std::string expected = reference::nfc(text);
    ASSERT_EQ(made, expected) << text;
    if (surely_nfc(text)) {
      ASSERT_EQ(text, expected);
    }
    // Between the changes the texts are the same.
    std::uint32_t source = 0, normal = 0;
    for (const Change& change : changes) {
      ASSERT_EQ(text.substr(source, change.source_begin - source),
                made.substr(normal, change.made_begin - normal));
      source = change.source_end;
      normal = change.made_end;
    }
    ASSERT_EQ(text.substr(source), made.substr(normal));
  }
}

TEST(Normalize, LongRunsOfMarks) {
  std::string text = "a";
  for (int i = 0; i < 20000; ++i) append(text, i % 3 == 0 ? 0x327 : i % 3 == 1 ? 0x301 : 0x323);
  EXPECT_EQ(nfc(text), reference::nfc(text));
  EXPECT_EQ(nfc(""), "");
  EXPECT_TRUE(surely_nfc("plain \xC3\xA9t\xC3\xA9 text of more than eight bytes"));
  EXPECT_FALSE(surely_nfc("e\xCC\x81 and more than eight bytes behind it"));
}

}  // namespace
}  // namespace assay::kernels::unicode
