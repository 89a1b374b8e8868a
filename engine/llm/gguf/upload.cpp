#include "engine/llm/gguf/upload.hpp"

#include <algorithm>
#include <cstring>

#include "engine/runtime/error.hpp"
#include "engine/runtime/stream.hpp"
#include "engine/runtime/thread_pool.hpp"

namespace assay::gguf {
namespace {

constexpr const char* name = "gguf.upload";

Context& cuda_context(Context& context) {
  if (context.backend() != Backend::cuda)
    throw BackendUnavailable(std::string(name) + ": expected a context of the cuda backend: this one is " +
                             std::string(name_of(context.backend())) + ", whose memory needs no upload");
  return context;
}

std::size_t checked_piece(std::size_t bytes) {
  if (bytes == 0) throw ContractError(name, "piece_bytes", "is 0; expected at least 1");
  return bytes;
}

}  // namespace

Uploader::Uploader(Context& context, std::size_t piece_bytes)
    : context_(&cuda_context(context)),
      piece_bytes_(checked_piece(piece_bytes)),
      pieces_{{{PinnedBuffer(piece_bytes), Event(context.device(), false)},
               {PinnedBuffer(piece_bytes), Event(context.device(), false)}}} {}

Uploader::~Uploader() {
  for (const Piece& piece : pieces_) {
    if (piece.memory.data() == nullptr || !piece.in_use) continue;  // moved from, or never sent
    try {
      piece.sent.synchronize();
    } catch (const DeviceError&) {  // whoever uses the device next hears of it
    }
  }
}

/// A page that was not looked at yet is a fault of its own, so that one thread does not fill the bus.
void Uploader::read(std::string_view bytes, std::byte* to) {
  constexpr std::int64_t grain = std::int64_t{1} << 19;
  context_->pool().parallel_for(
      std::ssize(bytes), grain, [&](std::int64_t begin, std::int64_t end, unsigned) {
        std::memcpy(to + begin, bytes.data() + begin, static_cast<std::size_t>(end - begin));
      });
}

void Uploader::upload(std::string_view bytes, std::byte* to, const Progress& progress) {
  for (std::size_t done = 0; done < bytes.size();) {
    const std::string_view now = bytes.substr(done, piece_bytes_);
    Piece& piece = pieces_[next_];
    next_ = 1 - next_;
    if (piece.in_use) piece.sent.synchronize();
    read(now, piece.memory.data());
    context_->stream().copy(to + done, piece.memory.data(), now.size());
    piece.sent.record(context_->stream());
    piece.in_use = true;
    done += now.size();
    if (progress) progress(done, bytes.size());
  }
}

DeviceBuffer upload_tensors(Context& context, const File& file, std::size_t piece_bytes,
                            const Uploader::Progress& progress) {
  Uploader uploader(context, piece_bytes);
  const std::string_view data = file.tensor_data();
  DeviceBuffer buffer(context.device(), data.size());
  uploader.upload(data, buffer.data(), progress);
  return buffer;
}

}  // namespace assay::gguf
