#pragma once

#include <cstdint>
#include <vector>

namespace assay::tokenizer {

/// Where the bytes of a changed text come from. The text is a sequence of runs: those that were kept
/// correspond byte for byte, those that were replaced as a whole. Without a run the two texts are the same.
class TextMap {
 public:
  /// The next run: what follows in the new text from `made` on comes from `source` on, offsets in bytes. Both
  /// rise.
  void add_kept(std::uint32_t made, std::uint32_t source) { runs_.push_back({made, source, true}); }
  void add_replaced(std::uint32_t made, std::uint32_t source) { runs_.push_back({made, source, false}); }
  void clear() { runs_.clear(); }
  bool is_identity() const { return runs_.empty(); }

  /// The source offset of what begins, or ends, at an offset of the new text; within a replaced run it is the
  /// run's beginning, or end. The new text must end with an empty kept run.
  std::uint32_t begin_of(std::uint32_t made) const { return source_of(made, false); }
  std::uint32_t end_of(std::uint32_t made) const { return source_of(made, true); }

 private:
  struct Run {
    std::uint32_t made, source;
    bool kept;
  };
  std::uint32_t source_of(std::uint32_t made, bool ends) const;

  std::vector<Run> runs_;
};

}  // namespace assay::tokenizer
