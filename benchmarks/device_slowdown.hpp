#pragma once

#include <memory>

#include "benchmarks/slowdown.hpp"

namespace assay {
class Stream;
}

namespace assay::benchmarks {

/// Spends time of one kind on a device, in stream order: `work` as dependent multiply-adds on every
/// multiprocessor, `memory` as reads of a buffer beyond any cache, `idle` as a thread that sleeps by the
/// device's clock. Calls throw DeviceError, or BackendUnavailable without CUDA.
class DeviceTimeSpender {
 public:
  /// Finds out what a launch costs by itself and how much of its kind fits into a second, behind other work
  /// of the stream as it will be used.
  DeviceTimeSpender(SlowdownKind kind, Stream& stream);
  ~DeviceTimeSpender();
  DeviceTimeSpender(const DeviceTimeSpender&) = delete;
  DeviceTimeSpender& operator=(const DeviceTimeSpender&) = delete;

  /// Puts one launch on the stream that adds about so many seconds to it; what a launch costs by itself is
  /// the least (some microseconds).
  void spend(double seconds, Stream& stream);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace assay::benchmarks
