#include "engine/llm/tokenizer/normaliser.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "engine/llm/tokenizer/sentencepiece_text.hpp"
#include "engine/llm/tokenizer/utf8.hpp"

namespace assay::tokenizer {
namespace {

/// Whether a character never joins what stands before it, in composition or in canonical order: then NFC of a
/// text is NFC of what is before and of what begins here. Marks join, and the vowels and finals of Hangul.
bool stands_alone(char32_t point) {
  if (point < 0x300) return true;
  if ((point >= 0x1161 && point <= 0x1175) || (point >= 0x11A8 && point <= 0x11C2)) return false;
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(point));
  return category != UTF8PROC_CATEGORY_MN && category != UTF8PROC_CATEGORY_MC &&
         category != UTF8PROC_CATEGORY_ME;
}

/// The first character and what joins it, bytes; ASCII that stands alone goes on until the last before
/// another.
std::size_t chunk_size(std::string_view text) {
  std::size_t at = utf8_step(text).size;
  while (at < text.size() && !stands_alone(first_code_point(text.substr(at))))
    at += utf8_step(text.substr(at)).size;
  return at;
}

void append_nfc(std::string_view chunk, std::string& made) {
  utf8proc_uint8_t* composed = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(chunk.data()), static_cast<utf8proc_ssize_t>(chunk.size()),
      &composed, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, &std::free);
  // Of valid UTF-8, which this is, it says nothing but that it has no memory.
  if (size < 0) throw std::bad_alloc();
  made.append(reinterpret_cast<const char*>(composed), static_cast<std::size_t>(size));
}

/// Writes the new text, and the map where one is wanted.
class Writer {
 public:
  Writer(std::string_view segment, std::string& made, TextMap* map)
      : segment_(segment), made_(made), map_(map) {}

  /// The next `size` bytes of the segment stay as they are.
  void keep(std::size_t size) {
    if (map_ != nullptr && !keeping_) map_->add_kept(made_size(), source());
    keeping_ = true;
    made_ += segment_.substr(done_, size);
    done_ += size;
  }
  /// Another text stands for the next `size` bytes.
  void replace(std::size_t size, std::string_view text) {
    if (map_ != nullptr) map_->add_replaced(made_size(), source());
    keeping_ = false;
    made_ += text;
    done_ += size;
  }
  void finish() {
    if (map_ != nullptr) map_->add_kept(made_size(), source());
  }
  std::string_view rest() const { return segment_.substr(done_); }

 private:
  std::uint32_t made_size() const { return static_cast<std::uint32_t>(made_.size()); }
  std::uint32_t source() const { return static_cast<std::uint32_t>(done_); }

  std::string_view segment_;
  std::string& made_;
  TextMap* map_;
  std::size_t done_ = 0;
  bool keeping_ = false;
};

void write_nfc(Writer& writer) {
  std::string composed;
  while (!writer.rest().empty()) {
    const std::size_t size = chunk_size(writer.rest());
    const std::string_view chunk = writer.rest().substr(0, size);
    composed.clear();
    if (size > 1) append_nfc(chunk, composed);
    if (size == 1 || composed == chunk)
      writer.keep(size);
    else
      writer.replace(size, composed);
  }
}

void write_spaces(Writer& writer) {
  while (!writer.rest().empty()) {
    const std::size_t mark = writer.rest().find(space_mark);
    writer.keep(std::min(mark, writer.rest().size()));
    if (mark != std::string_view::npos) writer.replace(space_mark.size(), " ");
  }
}

}  // namespace

bool Normaliser::takes_prefix(std::string_view segment, bool first) const {
  const bool spaced = segment[0] == ' ' || (specification_.model == TokenizerModel::sentencepiece_bpe &&
                                            segment.substr(0, space_mark.size()) == space_mark);
  switch (specification_.space_prefix) {
    case SpacePrefix::never:
      return false;
    case SpacePrefix::every_segment:
      return true;
    case SpacePrefix::unless_space:
      return !spaced;
    case SpacePrefix::first_unless_space:
      return first && !spaced;
  }
  return false;
}

std::string_view Normaliser::operator()(std::string_view segment, bool first, std::string& made,
                                        TextMap* map) const {
  if (map != nullptr) map->clear();
  if (segment.empty()) return segment;
  const bool prefix = takes_prefix(segment, first);
  const bool marks = specification_.model == TokenizerModel::sentencepiece_bpe &&
                     segment.find(space_mark) != std::string_view::npos;
  bool composes = specification_.nfc;
  if (composes) {
    composes = false;
    for (const char byte : segment) composes |= (byte & 0x80) != 0;
    if (composes) {
      made.clear();
      append_nfc(segment, made);
      composes = made != segment;
    }
  }
  if (!prefix && !marks && !composes) return segment;
  made.clear();
  Writer writer(segment, made, map);
  if (prefix) writer.replace(0, " ");
  if (composes)
    write_nfc(writer);
  else if (marks)
    write_spaces(writer);
  else
    writer.keep(segment.size());
  writer.finish();
  return made;
}

}  // namespace assay::tokenizer
