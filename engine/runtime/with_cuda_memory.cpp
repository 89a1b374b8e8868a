#include <cuda_runtime_api.h>

#include "engine/runtime/buffer.hpp"
#include "engine/runtime/device.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/with_cuda_check.hpp"

namespace assay {

using detail::check;

DeviceBuffer::DeviceBuffer(int device, std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  const DeviceScope scope(device);
  void* memory = nullptr;
  check(cudaMalloc(&memory, bytes), "cudaMalloc");
  memory_.reset(static_cast<std::byte*>(memory));
}

void DeviceBuffer::Free::operator()(std::byte* memory) const noexcept {
  (void)cudaFree(memory);
}

PinnedBuffer::PinnedBuffer(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  void* memory = nullptr;
  check(cudaHostAlloc(&memory, bytes, cudaHostAllocPortable), "cudaHostAlloc");
  memory_.reset(static_cast<std::byte*>(memory));
}

void PinnedBuffer::Free::operator()(std::byte* memory) const noexcept {
  (void)cudaFreeHost(memory);
}

StatusWord::StatusWord(int device) {
  const DeviceScope scope(device);
  void* word = nullptr;
  check(cudaHostAlloc(&word, sizeof(std::uint32_t), cudaHostAllocMapped), "cudaHostAlloc");
  on_host_.reset(static_cast<std::uint32_t*>(word));
  *on_host_ = 0;
  void* seen_from_device = nullptr;
  check(cudaHostGetDevicePointer(&seen_from_device, word, 0), "cudaHostGetDevicePointer");
  on_device_ = static_cast<std::uint32_t*>(seen_from_device);
}

void StatusWord::Free::operator()(std::uint32_t* word) const noexcept {
  (void)cudaFreeHost(word);
}

DeviceStatus StatusWord::take() {
  volatile std::uint32_t* word = on_host_.get();  // the device writes it behind the compiler's back
  const auto status = static_cast<DeviceStatus>(*word);
  *word = 0;
  return status;
}

}  // namespace assay
