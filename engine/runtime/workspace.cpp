#include "engine/runtime/workspace.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace assay {

namespace {
constexpr std::size_t alignment = 256;
constexpr std::size_t smallest_block = std::size_t{64} << 10;

std::size_t round_up(std::size_t bytes) {
  if (bytes > SIZE_MAX / 2) throw std::length_error("a workspace request overflows");
  return (bytes + alignment - 1) / alignment * alignment;
}
}  // namespace

Workspace::Frame::~Frame() {
  workspace_.block_ = block_;
  workspace_.used_ = used_;
  workspace_.frames_ = depth_;
}

Workspace::Block Workspace::make_block(std::size_t bytes) {
  Block block;
  block.bytes = bytes;
  if (space_ == MemorySpace::device) {
    block.device = DeviceBuffer(device_, bytes);
    block.data = block.device.data();
  } else {
    // The host allocator aligns to 64 bytes; the rest is made up here.
    block.host = Tensor(DType::u8, {static_cast<std::int64_t>(bytes + alignment)});
    const auto address = reinterpret_cast<std::uintptr_t>(block.host.view().data);
    block.data = block.host.view().data + (alignment - address % alignment) % alignment;
  }
  ++allocations_;
  return block;
}

std::byte* Workspace::take_bytes(std::size_t bytes) {
  if (frames_ == 0) throw std::logic_error("workspace memory was asked for outside a frame");
  const std::size_t needed = round_up(std::max<std::size_t>(bytes, 1));
  const bool empty = block_ == 0 && used_ == 0;
  if (empty && !blocks_.empty() && (blocks_.size() > 1 || blocks_[0].bytes < needed)) {
    // Nothing is in use: the pieces that the last call grew by become one.
    const std::size_t whole = std::max(capacity(), needed);
    blocks_.clear();
    blocks_.push_back(make_block(whole));
  }
  while (block_ < blocks_.size() && blocks_[block_].bytes - used_ < needed) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) blocks_.push_back(make_block(std::max({needed, capacity(), smallest_block})));
  std::byte* memory = blocks_[block_].data + used_;
  used_ += needed;
  return memory;
}

std::size_t Workspace::capacity() const {
  return std::accumulate(blocks_.begin(), blocks_.end(), std::size_t{0},
                         [](std::size_t sum, const Block& block) { return sum + block.bytes; });
}

}  // namespace assay
