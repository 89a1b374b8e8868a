#include "validation/tokens/texts.hpp"

#include <algorithm>
#include <ostream>

namespace assay::validation::tokens {

const std::vector<std::string>& atoms() {
  static const std::vector<std::string> all = {"a",
                                               " ",
                                               "b",
                                               "1",
                                               "!",
                                               "\n",
                                               "'s",
                                               "'S",
                                               "'ll",
                                               "'lL",
                                               "'re",
                                               "'Ve",
                                               "'m",
                                               "'T",
                                               "'d",
                                               "'\u017F",
                                               "'",
                                               "A",
                                               "Bc",
                                               "dE",
                                               "the",
                                               "x",
                                               "2",
                                               "345",
                                               "\t",
                                               "\r\n",
                                               "\r",
                                               "\v",
                                               "\f",
                                               "  ",
                                               "   ",
                                               "\u0085",
                                               "\u00A0",
                                               "\u1680",
                                               "\u2003",
                                               "\u2028",
                                               "\u202F",
                                               "\u3000",
                                               "\u180E",
                                               "\u200B",
                                               "\u200D",
                                               "\uFEFF",
                                               std::string(1, '\0'),
                                               "\x1C",
                                               "\x7F",
                                               "\u00E9",
                                               "\u00DF",
                                               "\u0130",
                                               "\u01C5",
                                               "\u01C4",
                                               "\u02B0",
                                               "\u0149",
                                               "\u0391",
                                               "\u03C9",
                                               "\u0416",
                                               "\u0436",
                                               "\u05D0",
                                               "\u0627",
                                               "\u0915\u093F",
                                               "\u0E01\u0E34",
                                               "\u1100\u1161\u11A8",
                                               "\uAC00",
                                               "\uD7A3",
                                               "\u4E00",
                                               "\u9FA5",
                                               "\u9FA6",
                                               "\u3042",
                                               "\u30FC",
                                               "\u0800",
                                               "\u07FF",
                                               "\u0301",
                                               "e\u0301",
                                               "\u0300\u0301",
                                               "\u20DD",
                                               "\u0903",
                                               "\u00B2",
                                               "\u00BD",
                                               "\u0663",
                                               "\u2167",
                                               "\u3007",
                                               "\u0E51",
                                               "\U0001D7D8",
                                               ".",
                                               ",",
                                               "-",
                                               "_",
                                               "/",
                                               "//",
                                               "(",
                                               "[",
                                               "{",
                                               "#",
                                               "%",
                                               "$",
                                               "+",
                                               "<",
                                               "=",
                                               ">",
                                               "^",
                                               "~",
                                               "|",
                                               "`",
                                               "\"",
                                               "\\",
                                               "\u00A1",
                                               "\u2014",
                                               "\u2018",
                                               "\u2019",
                                               "\u201F",
                                               "\u2026",
                                               "\u3001",
                                               "\u3002",
                                               "\u3003",
                                               "\uFF01",
                                               "\uFF0F",
                                               "\uFF1A",
                                               "\uFF5E",
                                               "\uFF21",
                                               "\u20AC",
                                               "\u00D7",
                                               "\u2122",
                                               "\U0001F600",
                                               "\U0001F469\u200D\U0001F4BB",
                                               "\U00010400",
                                               "\U0001E900",
                                               "\U00020000",
                                               "\uE000",
                                               "\u13A0",
                                               "\uAB70",
                                               "\u1C90",
                                               "\u10D0",
                                               "\u2126",
                                               "\u212A"};
  return all;
}

std::string Text::bytes() const {
  std::string once;
  for (const int part : parts) once += atoms()[static_cast<std::size_t>(part)];
  std::string all;
  for (int i = 0; i < repeats; ++i) all += once;
  return all;
}

std::ostream& operator<<(std::ostream& out, const Text& text) {
  for (const char byte : text.bytes().substr(0, 200)) {
    const auto value = static_cast<unsigned char>(byte);
    if (value >= ' ' && value < 0x7F && byte != '\\')
      out << byte;
    else
      out << "\\x"
          << "0123456789ABCDEF"[value / 16] << "0123456789ABCDEF"[value % 16];
  }
  return out << " (" << text.bytes().size() << " bytes)";
}

rc::Gen<Text> texts(int most, bool narrow, int most_repeats) {
  const auto simpler = [](const Text& text) {
    std::vector<Text> made;
    if (text.repeats > 1) {
      made.push_back({text.parts, 1});
      made.push_back({text.parts, text.repeats / 2});
      made.push_back({text.parts, text.repeats - 1});
    }
    for (std::size_t size = text.parts.size() / 2; size > 0; size /= 2)
      for (std::size_t at = 0; at + size <= text.parts.size(); at += size) {
        Text fewer = text;
        fewer.parts.erase(fewer.parts.begin() + static_cast<std::ptrdiff_t>(at),
                          fewer.parts.begin() + static_cast<std::ptrdiff_t>(at + size));
        made.push_back(std::move(fewer));
      }
    if (text.parts.size() == 1) made.push_back({{}, 1});
    for (std::size_t at = 0; at < text.parts.size(); ++at)
      if (text.parts[at] > 0) {
        made.push_back(text);
        made.back().parts[at] = 0;
        made.push_back(text);
        made.back().parts[at] = text.parts[at] / 2;
      }
    return made;
  };
  return rc::Gen<Text>([=](const rc::Random& random, int) {
    rc::Random source = random;
    const auto below = [&](std::uint64_t count) { return static_cast<int>(source.next() % count); };
    Text text;
    const int kinds = narrow ? 1 + below(6) : static_cast<int>(atoms().size());
    std::vector<int> palette(static_cast<std::size_t>(kinds));
    for (int& atom : palette) atom = below(atoms().size());
    const int count = below(static_cast<std::uint64_t>(most) + 1);
    for (int i = 0; i < count; ++i)
      text.parts.push_back(palette[static_cast<std::size_t>(below(palette.size()))]);
    text.repeats = 1 + below(static_cast<std::uint64_t>(most_repeats));
    return rc::shrinkable::shrinkRecur(
        text, [simpler](const Text& whole) { return rc::seq::fromContainer(simpler(whole)); });
  });
}

Tensor tensor_of(std::string_view bytes) {
  const std::vector<std::uint8_t> values(bytes.begin(), bytes.end());
  return Tensor::from(values, {std::ssize(values)});
}

}  // namespace assay::validation::tokens
