#pragma once

#include "ci/program/invocation.hpp"

namespace assay::program {

/// --lock: for the commands that measure.
Option lock_option();

/// Held while this process measures, so that two runs on one machine do not measure each other.
///
/// An flock on one file of the machine (`measuring.lock` in ASSAY_LOCK_FOLDER, else assay-measuring.lock in
/// /run/lock or /tmp): the kernel gives it back when its holder ends, however that ends, so that a dead
/// holder never blocks. Containers with a /run/lock of their own do not see each other's unless
/// ASSAY_LOCK_FOLDER names a folder that they share.
class MachineLock {
 public:
  /// Takes the lock: --lock wait (the default) says who has it and waits, refuse ends with exit 7, none does
  /// without. For the processes that this one starts ASSAY_LOCK becomes none: they measure on its behalf.
  explicit MachineLock(const Invocation& invocation);
  ~MachineLock();
  MachineLock(const MachineLock&) = delete;
  MachineLock& operator=(const MachineLock&) = delete;

 private:
  int file_ = -1;
};

}  // namespace assay::program
