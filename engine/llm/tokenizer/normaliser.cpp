#include "engine/llm/tokenizer/normaliser.hpp"

#include <algorithm>
#include <vector>

#include "engine/llm/tokenizer/sentencepiece_text.hpp"
#include "engine/runtime/mutant.hpp"
#include "kernels/unicode/normalize.hpp"

namespace assay::tokenizer {
namespace {

namespace unicode = kernels::unicode;

/// Writes the new text, and the map where one is wanted.
class Writer {
 public:
  Writer(std::string_view segment, std::string& made, TextMap* map)
      : segment_(segment), made_(made), map_(map) {}

  /// The next `size` bytes of the segment stay as they are.
  void keep(std::size_t size) {
    if (size == 0) return;
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

/// Text whose normal form is `composed`, which `changes` lead to.
void write_nfc(Writer& writer, std::string_view composed, const std::vector<unicode::Change>& changes) {
  std::uint32_t done = 0;
  for (const unicode::Change& change : changes) {
    writer.keep(change.source_begin - done);
    writer.replace(change.source_end - change.source_begin,
                   composed.substr(change.made_begin, change.made_end - change.made_begin));
    done = change.source_end;
  }
  writer.keep(writer.rest().size());
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
      return first || !mutant("tokenizer.encode.prefix_first_only");
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
                     segment.find(space_mark) != std::string_view::npos &&
                     !mutant("tokenizer.encode.mark_kept");
  std::string composed;
  std::vector<unicode::Change> changes;
  if (specification_.nfc && !unicode::surely_nfc(segment)) unicode::to_nfc(segment, composed, &changes);
  const bool composes = !composed.empty() && composed != segment;
  if (!prefix && !marks && !composes) return segment;
  made.clear();
  Writer writer(segment, made, map);
  if (prefix) writer.replace(0, " ");
  if (composes)
    write_nfc(writer, composed, changes);
  else if (marks)
    write_spaces(writer);
  else
    writer.keep(segment.size());
  writer.finish();
  return made;
}

}  // namespace assay::tokenizer
