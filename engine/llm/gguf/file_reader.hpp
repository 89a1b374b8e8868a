#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/llm/gguf/cursor.hpp"
#include "engine/llm/gguf/file.hpp"

namespace assay::gguf {

/// Reads one file from front to back. Steps return false once something is wrong; `error` then says what.
class FileReader {
 public:
  explicit FileReader(File& file) : file_(file), cursor_(file.bytes_) {}

  bool read();
  InputError take_error() { return std::move(*error_); }

 private:
  bool read_header();
  bool read_metadata();
  bool read_entry(Metadata& entry, std::uint64_t index);
  bool index_metadata();
  bool read_alignment();
  bool read_tensors();
  bool read_tensor(TensorEntry& tensor, std::uint64_t index);
  bool read_shape(TensorEntry& tensor, const std::string& field);
  bool place_tensors();
  bool index_tensors();

  template <typename T>
  bool take(T& value, const std::string& field);
  bool take_name(std::string_view& name, std::uint64_t most, const std::string& field);
  /// Always false: "<field> is <value> at byte <offset>, expected <expected>".
  bool refuse(const std::string& field, const std::string& value, std::uint64_t offset,
              const std::string& expected);
  bool refuse(const std::string& field, std::uint64_t value, std::uint64_t offset,
              const std::string& expected) {
    return refuse(field, std::to_string(value), offset, expected);
  }
  bool fail(std::uint64_t offset, const std::string& what);

  File& file_;
  Cursor cursor_;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t metadata_count_ = 0;
  std::vector<std::uint64_t> tensor_at_;         ///< where each tensor's entry begins
  std::vector<std::uint64_t> tensor_offset_at_;  ///< where its offset stands
  std::vector<std::uint64_t> tensor_bytes_;      ///< of its data
  std::optional<InputError> error_;
};

}  // namespace assay::gguf
