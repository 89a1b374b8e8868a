#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "engine/runtime/result.hpp"

namespace assay::analysis {

/// What a checkpoint belongs to: a digest of data and options, and how the work is cut, which a resumed run
/// takes from the file.
struct CheckpointKey {
  std::array<std::uint64_t, 2> digest{};
  std::int64_t source_block = 0, target_batch = 0;
};

/// A file of finished parts that survives the process. It begins with a header (magic, version, key,
/// checksum), written under a temporary name and renamed, so that it is there whole or not at all. Then come
/// records: part number, length, bytes, checksum; each is written and synchronised to the disk before
/// `append` returns. A process that is killed leaves at most one torn record at the end: it is recognised by
/// its length or its checksum, and cut off. A lock keeps two processes from writing one file. Numbers are
/// those of the machine (little-endian). Move-only.
class Checkpoint {
 public:
  /// Opens the file and hands the key its cutting, or makes it with the key given. Refused: a file that is no
  /// checkpoint, one of another digest, one that another process holds, one that cannot be written.
  static Result<Checkpoint> open(const std::string& path, CheckpointKey& key);

  Checkpoint(Checkpoint&& other) noexcept;
  Checkpoint& operator=(Checkpoint&& other) noexcept;
  ~Checkpoint();

  /// Calls visit(part, bytes) for every whole record, in the order they were written, and cuts off what comes
  /// after the last one. A record that visit refuses (false) counts as damaged. To be called once, before
  /// `append`.
  std::optional<InputError> load(
      const std::function<bool(std::int64_t part, std::span<const std::byte> bytes)>& visit);
  /// Durable when it returns.
  std::optional<InputError> append(std::int64_t part, std::span<const std::byte> bytes);

 private:
  Checkpoint(std::string path, int file) : path_(std::move(path)), file_(file) {}
  std::string path_;
  int file_ = -1;
};

}  // namespace assay::analysis
