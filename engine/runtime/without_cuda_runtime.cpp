// The CUDA side of the runtime in a program without CUDA bodies: nothing can be made, so nothing needs
// destroying.
#include "engine/runtime/buffer.hpp"
#include "engine/runtime/clock_meter.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/event.hpp"
#include "engine/runtime/graph.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"

namespace assay {

namespace {
constexpr const char* reason = "this program was built without CUDA";
[[noreturn]] void refuse() {
  throw BackendUnavailable(reason);
}
}  // namespace

bool cuda_compiled() {
  return false;
}
Availability cuda_available() {
  return {false, reason};
}
std::vector<DeviceInfo> cuda_devices() {
  return {};
}
std::string cuda_driver_version() {
  return "";
}
std::string cuda_runtime_version() {
  return "";
}

ClockMeter::ClockMeter(int) {
  refuse();
}
void ClockMeter::begin(Stream&) {
  refuse();
}
void ClockMeter::end(Stream&) {
  refuse();
}
double ClockMeter::megahertz(Stream&) const {
  refuse();
}

DeviceScope::DeviceScope(int device) {
  if (device >= 0) refuse();
}
DeviceScope::~DeviceScope() = default;

Stream::Stream(int device) : device_(device) {
  refuse();
}
void Stream::Destroy::operator()(CUstream_st*) const noexcept {}
void Stream::synchronize() {
  refuse();
}
bool Stream::idle() const {
  refuse();
}
void Stream::wait(const Event&) {
  refuse();
}
void Stream::copy(void*, const void*, std::size_t) {
  refuse();
}
void Stream::fill(void*, unsigned char, std::size_t) {
  refuse();
}

Event::Event(int, bool) {
  refuse();
}
void Event::Destroy::operator()(CUevent_st*) const noexcept {}
void Event::record(const Stream&) {
  refuse();
}
void Event::synchronize() const {
  refuse();
}
bool Event::done() const {
  refuse();
}
double milliseconds_between(const Event&, const Event&) {
  refuse();
}

Graph Graph::capture(Stream&, const std::function<void()>&) {
  refuse();
}
void Graph::launch(const Stream&) const {
  refuse();
}
void Graph::Destroy::operator()(CUgraphExec_st*) const noexcept {}

DeviceBuffer::DeviceBuffer(int, std::size_t) {
  refuse();
}
void DeviceBuffer::Free::operator()(std::byte*) const noexcept {}
PinnedBuffer::PinnedBuffer(std::size_t) {
  refuse();
}
void PinnedBuffer::Free::operator()(std::byte*) const noexcept {}

StatusWord::StatusWord(int) {
  refuse();
}
void StatusWord::Free::operator()(std::uint32_t*) const noexcept {}
DeviceStatus StatusWord::take() {
  refuse();
}

}  // namespace assay
