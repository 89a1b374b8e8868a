#include "validation/guarded.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

namespace assay::validation {

bool exact_size_allocations() {
  const char* mode = std::getenv("ASSAY_GUARD");
  return mode != nullptr && std::string_view(mode) == "exact";
}

void GuardedTensor::Free::operator()(std::byte* memory) const noexcept {
  std::free(memory);
}

GuardedTensor::GuardedTensor(DType dtype, Shape shape, std::uint8_t fill)
    : dtype_(dtype), shape_(std::move(shape)), fill_(fill) {
  bytes_ = static_cast<std::size_t>(element_count(shape_)) * size_of(dtype_);
  const bool exact = exact_size_allocations();
  before_ = exact ? 0 : guard_bytes;
  const std::size_t total = bytes_ + 2 * before_;
  void* memory = nullptr;
  // posix_memalign, unlike aligned_alloc, takes a size that is no multiple of the alignment: the end stays
  // exact.
  if (posix_memalign(&memory, exact ? 64 : guard_bytes, total == 0 ? 1 : total) != 0) throw std::bad_alloc();
  memory_.reset(static_cast<std::byte*>(memory));
  std::memset(memory, fill, total);
}

GuardedTensor::GuardedTensor(const ConstTensorView& source, std::uint8_t fill)
    : GuardedTensor(source.dtype, source.shape, fill) {
  if (bytes_ > 0) std::memcpy(memory_.get() + before_, source.data, bytes_);
}

TensorView GuardedTensor::view() {
  return {memory_.get() + before_, dtype_, shape_, contiguous_strides(shape_), MemorySpace::host};
}

ConstTensorView GuardedTensor::view() const {
  return {memory_.get() + before_, dtype_, shape_, contiguous_strides(shape_), MemorySpace::host};
}

const std::byte* GuardedTensor::data() const {
  return memory_.get() + before_;
}

std::span<std::byte> GuardedTensor::whole() {
  return {memory_.get(), bytes_ + 2 * before_};
}

std::optional<std::ptrdiff_t> GuardedTensor::broken() const {
  const std::byte* before = memory_.get();
  const std::byte* after = before + before_ + bytes_;
  const auto intact = [&](const std::byte* band) {
    // A band whose first byte is right and that equals itself one byte on is right as a whole.
    return before_ == 0 ||
           (band[0] == static_cast<std::byte>(fill_) && std::memcmp(band, band + 1, before_ - 1) == 0);
  };
  const auto first_wrong = [&](const std::byte* band) {
    const std::byte* wrong = std::find_if(
        band, band + before_, [&](std::byte byte) { return byte != static_cast<std::byte>(fill_); });
    return static_cast<std::ptrdiff_t>(wrong - band);
  };
  if (!intact(before)) return first_wrong(before) - static_cast<std::ptrdiff_t>(before_);
  if (!intact(after)) return first_wrong(after);
  return std::nullopt;
}

}  // namespace assay::validation
