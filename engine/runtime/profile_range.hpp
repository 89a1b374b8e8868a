#pragma once

namespace assay {

/// Names what this thread starts while it lives in the vendor's profilers (NVTX): every operation's run is one, by the
/// operation's name. Costs a few nanoseconds where no profiler listens, and is nothing without CUDA.
class ProfileRange {
 public:
  explicit ProfileRange(const char* name);
  ~ProfileRange();
  ProfileRange(const ProfileRange&) = delete;
  ProfileRange& operator=(const ProfileRange&) = delete;
};

}  // namespace assay
