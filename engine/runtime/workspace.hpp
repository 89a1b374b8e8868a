#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/runtime/buffer.hpp"
#include "engine/tensors/tensor.hpp"

namespace assay {

/// Scratch memory of a context: handed out by moving a mark, given back when a frame ends, kept for the next
/// call. It grows to the largest use and allocates nothing after that. Host or device memory. Used by one
/// thread at a time: parallel bodies take one piece before they start and share it out by worker.
class Workspace {
 public:
  Workspace(MemorySpace space, int device) : space_(space), device_(device) {}

  /// What was taken while the frame lived is given back when it ends. Frames nest.
  class Frame {
   public:
    explicit Frame(Workspace& workspace)
        : workspace_(workspace),
          block_(workspace.block_),
          used_(workspace.used_),
          depth_(workspace.frames_++) {}
    ~Frame();
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

   private:
    Workspace& workspace_;
    std::size_t block_;
    std::size_t used_;
    std::size_t depth_;
  };

  /// `bytes` of uninitialised memory, 256-byte aligned, valid until the innermost frame ends. Throws
  /// std::logic_error outside any frame, std::bad_alloc or DeviceError where memory is short. A larger
  /// request than ever before allocates, which on a device may wait for its work.
  std::byte* take_bytes(std::size_t bytes);
  template <typename T>
  std::span<T> take(std::size_t count) {
    if (count > SIZE_MAX / sizeof(T)) throw std::length_error("a workspace request overflows");
    return {reinterpret_cast<T*>(take_bytes(count * sizeof(T))), count};
  }

  MemorySpace space() const { return space_; }
  /// Bytes held, in use or not.
  std::size_t capacity() const;
  /// How often memory was allocated since construction: constant once warm.
  std::size_t allocations() const { return allocations_; }

 private:
  struct Block {
    Tensor host;
    DeviceBuffer device;
    std::byte* data = nullptr;
    std::size_t bytes = 0;
  };
  Block make_block(std::size_t bytes);

  MemorySpace space_;
  int device_;
  std::vector<Block> blocks_;
  std::size_t block_ = 0;  ///< the block that is being handed out
  std::size_t used_ = 0;   ///< bytes of it that are taken
  std::size_t frames_ = 0;
  std::size_t allocations_ = 0;
};

}  // namespace assay
