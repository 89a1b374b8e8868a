#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/mapped_file.hpp"
#include "engine/llm/gguf/tensor_type.hpp"
#include "engine/llm/gguf/value.hpp"
#include "engine/runtime/result.hpp"

namespace assay::gguf {

/// One key of a file with its value.
struct Metadata {
  std::string_view key;
  Value value;
  std::uint64_t offset = 0;  ///< of the entry in the file, bytes
};

inline constexpr std::size_t max_rank = 4;                  ///< dimensions of a tensor
inline constexpr std::uint64_t max_key_bytes = 65535;       ///< by the format
inline constexpr std::uint64_t max_tensor_name_bytes = 64;  ///< by the format
inline constexpr std::uint64_t default_alignment = 32;      ///< bytes, where general.alignment is absent

/// One tensor of a file: a view of its bytes.
struct TensorEntry {
  std::string_view name;
  TensorType type = TensorType::f32;
  std::uint32_t rank = 0;  ///< 0: one element
  /// Extents; shape[0] is contiguous, and what is beyond the rank is 1.
  std::array<std::uint64_t, max_rank> shape{1, 1, 1, 1};
  std::uint64_t elements = 1;
  std::uint64_t offset = 0;  ///< from the beginning of the file's tensor data, as the file has it
  std::string_view data;     ///< the stored blocks

  std::uint64_t rows() const { return elements / shape[0]; }
};

/// A GGUF file, version 2 or 3, little-endian (gguf.md of ggml): its metadata and tensors, without a copy of
/// either. The views that it gives out stay valid while it (or what it was moved to) lives.
///
/// A file is taken as if an attacker had written it. Every count, length, offset and product is checked
/// before it is used: no read leaves the file; memory is asked for in proportion to what the file itself
/// holds (under 16 bytes a byte of header); the time is that of one pass over the header and two sorts of its
/// names. Refused, with one line that names the field, its value and its byte offset: another magic, version
/// or byte order; counts and lengths beyond the file; unknown types of values or tensors; bools other than 0
/// and 1; arrays nested deeper than `max_array_depth`; empty, too long or repeated keys and tensor names;
/// general.alignment that is no uint32 or no power of two; more than `max_rank` dimensions, an extent of 0,
/// more than 2^63 - 1 elements or bytes; rows that are no whole number of blocks; tensors that are not
/// aligned, that overlap, or that end after the file. Gaps between tensors, any order of them, and bytes
/// after the last are taken. What keys mean is left to others (model.hpp).
class File {
 public:
  static Result<File> open(const std::string& path);
  /// The same from memory, which the caller keeps; `name` stands for the path in messages.
  static Result<File> parse(const std::string& name, std::string_view bytes);

  const std::string& path() const { return path_; }
  std::uint32_t version() const { return version_; }
  std::uint64_t alignment() const { return alignment_; }      ///< bytes
  std::uint64_t data_offset() const { return data_offset_; }  ///< of the tensor data in the file, bytes
  std::uint64_t bytes() const { return bytes_.size(); }       ///< of the whole file
  /// The bytes that hold all tensors, each at its `offset`; what follows the last one is left out.
  std::string_view tensor_data() const;
  /// Bytes after the last tensor and the padding that aligns its end.
  std::uint64_t trailing_bytes() const { return trailing_bytes_; }

  /// In the order of the file.
  std::span<const Metadata> metadata() const { return metadata_; }
  std::span<const TensorEntry> tensors() const { return tensors_; }
  /// An entry of `metadata` as it is stored: key, type and value.
  std::string_view stored(const Metadata& entry) const;
  /// Lets go of the memory that the pages of a tensor's data take, once they have been read through.
  void release(std::string_view data) const { mapping_.release(data); }
  /// By name, or nullptr.
  const Value* find(std::string_view key) const;
  const TensorEntry* find_tensor(std::string_view name) const;

 private:
  friend class FileReader;

  io::MappedFile mapping_;
  std::string path_;
  std::string_view bytes_;
  std::uint32_t version_ = 0;
  std::uint64_t alignment_ = default_alignment;
  std::uint64_t data_offset_ = 0;
  std::uint64_t trailing_bytes_ = 0;
  std::vector<Metadata> metadata_;
  std::vector<TensorEntry> tensors_;
  std::vector<std::size_t> by_key_;   ///< indices into metadata_, by rising key
  std::vector<std::size_t> by_name_;  ///< indices into tensors_, by rising name
};

}  // namespace assay::gguf
