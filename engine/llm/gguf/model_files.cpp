#include "engine/llm/gguf/model_files.hpp"

#include <algorithm>
#include <cstdio>

#include "engine/io/bytes.hpp"

namespace assay::gguf {
namespace {

InputError refusal(const File& file, const std::string& what, std::optional<std::uint64_t> offset = {}) {
  return {InputError::Code::malformed, file.path() + ": " + what, offset, {}, {}};
}

std::string part_suffix(std::uint64_t number, std::uint64_t count) {
  char text[64];
  std::snprintf(text, sizeof text, "-%05llu-of-%05llu.gguf", static_cast<unsigned long long>(number + 1),
                static_cast<unsigned long long>(count));
  return text;
}

/// An error where a part is not what the first file that was opened says.
std::optional<InputError> check_part(const File& file, const SplitPart& whole, std::uint64_t number) {
  const Result<std::optional<SplitPart>> part = split_part_of(file);
  if (!part) return part.error();
  if (!part.value()) return refusal(file, "has no split.no, expected part " + std::to_string(number));
  if (part.value()->number != number) {
    return refusal(
        file, "split.no is " + std::to_string(part.value()->number) + ", expected " + std::to_string(number),
        file.find("split.no")->offset);
  }
  if (part.value()->count != whole.count || part.value()->tensors != whole.tensors) {
    return refusal(file, "split.count and split.tensors.count are " + std::to_string(part.value()->count) +
                             " and " + std::to_string(part.value()->tensors) + ", expected " +
                             std::to_string(whole.count) + " and " + std::to_string(whole.tensors) +
                             " as the other parts have them");
  }
  return std::nullopt;
}

std::optional<InputError> check_tensors(std::span<const File> parts, const SplitPart& whole) {
  std::vector<std::string_view> names;
  for (const File& part : parts) {
    for (const TensorEntry& tensor : part.tensors()) names.push_back(tensor.name);
  }
  std::ranges::sort(names);
  if (const auto at = std::ranges::adjacent_find(names); at != names.end()) {
    return refusal(parts.front(), "tensor '" + io::printable(*at) + "' is in two parts, expected it in one");
  }
  if (names.size() != whole.tensors) {
    return refusal(parts.front(), "split.tensors.count is " + std::to_string(whole.tensors) +
                                      ", the parts have " + std::to_string(names.size()) + " tensors");
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<SplitPart>> split_part_of(const File& file) {
  const Value* const number = file.find("split.no");
  const Value* const count = file.find("split.count");
  const Value* const tensors = file.find("split.tensors.count");
  if (number == nullptr && count == nullptr && tensors == nullptr) return std::optional<SplitPart>();
  SplitPart part;
  for (const auto& [key, value, out] :
       {std::tuple{"split.no", number, &part.number}, std::tuple{"split.count", count, &part.count},
        std::tuple{"split.tensors.count", tensors, &part.tensors}}) {
    if (value == nullptr)
      return refusal(file,
                     std::string(key) + " is missing, expected it beside the other keys of a split model");
    const std::optional<std::uint64_t> said = value->as_unsigned();
    if (!said) {
      return refusal(file,
                     std::string(key) + " has type " + std::string(name_of(value->type)) + " at byte " +
                         std::to_string(value->offset) + ", expected an integer that is not negative",
                     value->offset);
    }
    *out = *said;
  }
  if (part.count == 0 || part.count > max_split_parts) {
    return refusal(file,
                   "split.count is " + std::to_string(part.count) + " at byte " +
                       std::to_string(count->offset) + ", expected 1 to " + std::to_string(max_split_parts),
                   count->offset);
  }
  if (part.number >= part.count) {
    return refusal(file,
                   "split.no is " + std::to_string(part.number) + " at byte " +
                       std::to_string(number->offset) + ", expected less than split.count, " +
                       std::to_string(part.count),
                   number->offset);
  }
  return std::optional(part);
}

std::optional<std::string> name_of_part(const std::string& path, const SplitPart& part,
                                        std::uint64_t number) {
  const std::string own = part_suffix(part.number, part.count);
  if (!path.ends_with(own)) return std::nullopt;
  return path.substr(0, path.size() - own.size()) + part_suffix(number, part.count);
}

Result<ModelFiles> ModelFiles::open(const std::string& path) {
  Result<File> opened = File::open(path);
  if (!opened) return opened.error();
  const Result<std::optional<SplitPart>> split = split_part_of(opened.value());
  if (!split) return split.error();
  if (!split.value() || split.value()->count == 1) return alone(std::move(opened).value());

  const SplitPart whole = *split.value();
  ModelFiles files;
  for (std::uint64_t number = 0; number < whole.count; ++number) {
    const std::optional<std::string> name = name_of_part(path, whole, number);
    if (!name) {
      return refusal(opened.value(), "is part " + std::to_string(whole.number + 1) + " of " +
                                         std::to_string(whole.count) + ", expected a name that ends with " +
                                         part_suffix(whole.number, whole.count));
    }
    Result<File> part = File::open(*name);
    if (!part) return part.error();
    if (auto error = check_part(part.value(), whole, number)) return *error;
    files.parts_.push_back(std::move(part).value());
  }
  if (auto error = check_tensors(files.parts_, whole)) return *error;
  return files;
}

ModelFiles ModelFiles::alone(File file) {
  ModelFiles files;
  files.parts_.push_back(std::move(file));
  return files;
}

const TensorEntry* ModelFiles::find_tensor(std::string_view name) const {
  for (const File& part : parts_) {
    if (const TensorEntry* tensor = part.find_tensor(name)) return tensor;
  }
  return nullptr;
}

}  // namespace assay::gguf
