#include <array>

#include "engine/runtime/clock_meter.hpp"
#include "engine/runtime/stream.hpp"
#include "kernels/clock/read_clock.hpp"

namespace assay {

using kernels::clock::ClockReading;

namespace {
ClockReading* at(const DeviceBuffer& readings, int index) {
  return reinterpret_cast<ClockReading*>(readings.data()) + index;
}
}  // namespace

ClockMeter::ClockMeter(int device) : readings_(device, 2 * sizeof(ClockReading)) {}

void ClockMeter::begin(Stream& stream) {
  stream.fill(readings_.data(), 0, 2 * sizeof(ClockReading));
  kernels::clock::read_clock(stream.handle(), at(readings_, 0));
}

void ClockMeter::end(Stream& stream) {
  kernels::clock::read_clock(stream.handle(), at(readings_, 1));
}

double ClockMeter::megahertz(Stream& stream) const {
  std::array<ClockReading, 2> readings;
  stream.copy(readings.data(), readings_.data(), sizeof readings);
  stream.synchronize();
  const auto& [before, after] = readings;
  if (before.nanoseconds == 0 || after.nanoseconds <= before.nanoseconds || after.cycles <= before.cycles)
    return 0;
  return 1e3 * static_cast<double>(after.cycles - before.cycles) /
         static_cast<double>(after.nanoseconds - before.nanoseconds);
}

}  // namespace assay
