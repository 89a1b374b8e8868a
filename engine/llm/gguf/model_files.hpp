#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/llm/gguf/file.hpp"

namespace assay::gguf {

/// Which part of a split model a file is (keys split.no, split.count and split.tensors.count).
struct SplitPart {
  std::uint64_t number = 0;  ///< 0-based
  std::uint64_t count = 1;
  std::uint64_t tensors = 0;  ///< of all parts together
};

inline constexpr std::uint64_t max_split_parts = 65535;  ///< split.count is a uint16 where it is written

/// What a file says of itself; nothing where it is no part of a split model. Errors: keys of a wrong type, a
/// number that is not below the count, a count of 0 or above `max_split_parts`, one key without the others.
Result<std::optional<SplitPart>> split_part_of(const File& file);

/// The name that llama.cpp gives to another part: "m-00001-of-00003.gguf" and 2 give "m-00003-of-00003.gguf".
/// Nothing where `path` is not named so for that part.
std::optional<std::string> name_of_part(const std::string& path, const SplitPart& part, std::uint64_t number);

/// A model in one file or in all files that it was split into.
class ModelFiles {
 public:
  /// Opens the file and, where it is a part, all others beside it. Refused besides what `File` refuses: a
  /// part that is missing or misnamed, that says another number or count, a tensor in two parts, another
  /// number of tensors than split.tensors.count.
  static Result<ModelFiles> open(const std::string& path);
  /// One file alone, whether or not it is a part.
  static ModelFiles alone(File file);

  /// In order; the first holds the metadata of the model.
  std::span<const File> parts() const { return parts_; }
  const Value* find(std::string_view key) const { return parts_.front().find(key); }
  /// In any part, or nullptr.
  const TensorEntry* find_tensor(std::string_view name) const;
  const std::string& path() const { return parts_.front().path(); }

 private:
  std::vector<File> parts_;
};

}  // namespace assay::gguf
