#include "ci/program/shown_pieces.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>

#include "engine/vocabulary/utf8.hpp"
#include "fmt/format.h"

namespace assay::program {
namespace {



/// Backgrounds that black letters can be read on, by their numbers of the 256 of xterm.
constexpr std::array<int, 5> backgrounds = {153, 157, 222, 217, 183};

/// A piece with what a terminal would not show made visible. Colours end before a line break, so that a
/// background does not run to the edge.
std::string visible(std::string_view bytes, std::string_view colour) {
  std::string shown;
  while (!bytes.empty()) {
    const Utf8Step step = utf8_step(bytes);
    const std::string_view part = bytes.substr(0, step.size);
    const auto first = static_cast<unsigned char>(part[0]);
    if (part == "\n")
      shown += fmt::format("\u23CE{}\n{}", colour.empty() ? "" : "\x1b[0m", colour);
    else if (step.kind != Utf8Step::Kind::character || (first < 0x20 && first != '\t') || first == 0x7F)
      for (const char byte : part) shown += fmt::format("\\x{:02X}", static_cast<unsigned char>(byte));
    else
      shown += part;
    bytes.remove_prefix(step.size);
  }
  return shown;
}

}  // namespace

std::string as_utf8(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t valid = valid_prefix(bytes);
    text += bytes.substr(0, valid);
    bytes.remove_prefix(valid);
    if (bytes.empty()) break;
    text += replacement_character;
    bytes.remove_prefix(utf8_step(bytes).size);
  }
  return text;
}

bool colours_wanted() {
  return ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
}

std::string shown_pieces(const TokenizerDescription& tokenizer, std::span<const TokenId> ids, bool colours) {
  std::string text;
  std::size_t count = 0;
  for (const TokenId id : ids) {
    const std::string_view bytes = tokenizer.vocabulary.bytes_of(id);
    if (colours) {
      const std::string colour = fmt::format("\x1b[30;48;5;{}m", backgrounds[count % backgrounds.size()]);
      text += colour + visible(bytes, colour) + "\x1b[0m";
    } else {
      text += (count == 0 ? "" : "|") + visible(bytes, {});
    }
    ++count;
  }
  return text + fmt::format("\n{} tokens\n", count);
}

}  // namespace assay::program
