#pragma once

#include "engine/runtime/buffer.hpp"

namespace assay {

class Stream;

/// The average clock of a multiprocessor over a piece of device work, from cycle counters read by the device
/// itself before and after it. Calls throw DeviceError, or BackendUnavailable without CUDA.
class ClockMeter {
 public:
  explicit ClockMeter(int device);
  void begin(Stream& stream);
  void end(Stream& stream);
  /// After the stream has been waited for: MHz, or 0 where the device did not tell (the device's time
  /// advances in steps of up to a microsecond: work should take some hundreds).
  double megahertz(Stream& stream) const;

 private:
  DeviceBuffer readings_;
};

}  // namespace assay
