#include "engine/runtime/context.hpp"

#include <optional>
#include <string>

#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/workspace.hpp"

namespace assay {

struct Context::State {
  State(Backend chosen, int ordinal, unsigned thread_count)
      : backend(chosen),
        device(ordinal),
        threads(thread_count),
        workspace(chosen == Backend::cuda ? MemorySpace::device : MemorySpace::host, ordinal) {
    if (backend == Backend::cuda) {
      stream.emplace(device);
      status.emplace(device);
    }
  }

  Backend backend;
  int device;
  unsigned threads;
  std::optional<ThreadPool> pool;  // made when first asked for: work on a device seldom needs host threads
  std::optional<Stream> stream;
  std::optional<StatusWord> status;
  Workspace workspace;
};

Context::Context(std::unique_ptr<State> state) : state_(std::move(state)) {}
Context::Context(Context&&) noexcept = default;
Context& Context::operator=(Context&&) noexcept = default;
Context::~Context() = default;

Context Context::cpu(unsigned threads) {
  return Context(std::make_unique<State>(Backend::cpu, -1, threads));
}

Context Context::cuda(int device, unsigned threads) {
  const Availability availability = cuda_available();
  if (!availability) throw BackendUnavailable(availability.reason);
  const std::size_t devices = cuda_devices().size();
  if (device < 0 || static_cast<std::size_t>(device) >= devices)
    throw BackendUnavailable("there is no CUDA device " + std::to_string(device) + "; devices: 0 to " +
                             std::to_string(devices - 1));
  return Context(std::make_unique<State>(Backend::cuda, device, threads));
}

Backend Context::backend() const {
  return state_->backend;
}
int Context::device() const {
  return state_->device;
}

ThreadPool& Context::pool() {
  if (!state_->pool) state_->pool.emplace(state_->threads);
  return *state_->pool;
}

Stream& Context::stream() {
  if (!state_->stream) throw BackendUnavailable("a stream was asked for on the cpu backend");
  return *state_->stream;
}

StatusWord& Context::status() {
  if (!state_->status) throw BackendUnavailable("a status word was asked for on the cpu backend");
  return *state_->status;
}

void Context::synchronize() {
  if (state_->backend != Backend::cuda) return;
  state_->stream->synchronize();
  const DeviceStatus status = state_->status->take();
  if (status != DeviceStatus::ok) throw DeviceError(message_of(status), false);
}

Workspace& Context::workspace() {
  return state_->workspace;
}

}  // namespace assay
