#pragma once

#include <string>

namespace assay::benchmarks {

/// Retired user-mode instructions of this process, counted by the processor where the kernel and the
/// (virtual) machine allow it. To be made before the threads that are to be counted.
class InstructionCounter {
 public:
  InstructionCounter();
  ~InstructionCounter();
  InstructionCounter(const InstructionCounter&) = delete;
  InstructionCounter& operator=(const InstructionCounter&) = delete;

  bool works() const { return file_ >= 0; }
  /// Why it does not; empty where it does.
  const std::string& reason() const { return reason_; }
  /// Instructions since it was made; 0 where it does not work.
  double read() const;

 private:
  int file_ = -1;
  std::string reason_;
};

}  // namespace assay::benchmarks
