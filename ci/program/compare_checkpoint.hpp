#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace assay::program {

/// What a comparison has measured so far, as JSON lines in a file: first what is compared, then a line for
/// each step. A line is on the disk before the next step begins, so a comparison that is killed loses one
/// block; a line that was cut short is dropped. Without a path nothing is kept. One process at a time holds
/// the file.
class CompareCheckpoint {
 public:
  /// Throws Failure (2) where the file belongs to another comparison than `header` describes, is held by
  /// another process or is no checkpoint.
  CompareCheckpoint(const std::string& path, const nlohmann::json& header);
  ~CompareCheckpoint();
  CompareCheckpoint(const CompareCheckpoint&) = delete;
  CompareCheckpoint& operator=(const CompareCheckpoint&) = delete;

  /// The steps that were kept by an earlier process, in order.
  const std::vector<nlohmann::json>& steps() const { return steps_; }
  void append(const nlohmann::json& step);

 private:
  std::string path_;
  int file_ = -1;
  std::vector<nlohmann::json> steps_;
};

}  // namespace assay::program
