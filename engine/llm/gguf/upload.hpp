#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "engine/llm/gguf/file.hpp"
#include "engine/runtime/buffer.hpp"
#include "engine/runtime/context.hpp"
#include "engine/runtime/event.hpp"

namespace assay::gguf {

inline constexpr std::size_t default_upload_piece = std::size_t{16} << 20;  ///< bytes

/// Brings bytes of mapped files to device memory: all threads of the context copy a piece out of the page
/// cache into pinned memory while the one before it crosses the bus. Two pieces of pinned memory are held as
/// long as the uploader lives. Move-only, by one thread at a time; the context has to outlive it.
class Uploader {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  /// Throws BackendUnavailable where the context is not a CUDA one, ContractError for pieces of 0 bytes,
  /// DeviceError where the pinned memory is not to be had.
  explicit Uploader(Context& context, std::size_t piece_bytes = default_upload_piece);
  ~Uploader();  ///< waits: the device may still read the pinned memory
  Uploader(Uploader&&) = default;

  /// Copies `bytes` to device memory that holds as many, in the order of the context's stream. When it
  /// returns the bytes have been read, and kernels put on the stream see them. `progress` hears of bytes on
  /// their way after every piece.
  void upload(std::string_view bytes, std::byte* to, const Progress& progress = {});

 private:
  struct Piece {
    PinnedBuffer memory;
    Event sent;  ///< the device has read what was in it
    bool in_use = false;
  };
  void read(std::string_view bytes, std::byte* to);

  Context* context_;
  std::size_t piece_bytes_;
  std::array<Piece, 2> pieces_;
  std::size_t next_ = 0;
};

/// All tensors of a file in one buffer: a tensor's data begin at its `offset`. Empty where there are none.
DeviceBuffer upload_tensors(Context& context, const File& file,
                            std::size_t piece_bytes = default_upload_piece,
                            const Uploader::Progress& progress = {});

}  // namespace assay::gguf
