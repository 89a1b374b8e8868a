#include "validation/guarded.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace assay::validation {

bool exact_size_allocations() {
  const char* mode = std::getenv("ASSAY_GUARD");
  return mode != nullptr && std::string_view(mode) == "exact";
}

void GuardedTensor::Free::operator()(std::byte* memory) const noexcept {
  std::free(memory);
}

GuardedTensor::GuardedTensor(DType dtype, Shape shape, std::uint8_t fill, Placement placement)
    : dtype_(dtype), shape_(std::move(shape)), fill_(fill) {
  if (placement.offset < 0 || placement.row_gap < 0 || (placement.row_gap > 0 && shape_.size() < 2))
    throw std::invalid_argument("a tensor " + to_string(shape_) + " cannot begin " +
                                std::to_string(placement.offset) + " elements off, its rows " +
                                std::to_string(placement.row_gap) + " apart");
  const std::int64_t elements = element_count(shape_);
  if (!shape_.empty()) columns_ = shape_.back();
  rows_ = columns_ == 0 ? 0 : elements / columns_;
  gap_ = placement.row_gap;
  bytes_ = rows_ == 0 ? 0 : static_cast<std::size_t>(rows_ - 1) * pitch() + row_bytes();
  const bool exact = exact_size_allocations();
  before_ = (exact ? 0 : guard_bytes) + static_cast<std::size_t>(placement.offset) * size_of(dtype_);
  after_ = exact ? 0 : guard_bytes;
  const std::size_t total = before_ + bytes_ + after_;
  void* memory = nullptr;
  // posix_memalign, unlike aligned_alloc, takes a size that is no multiple of the alignment: the end stays
  // exact.
  if (posix_memalign(&memory, exact ? 64 : guard_bytes, total == 0 ? 1 : total) != 0) throw std::bad_alloc();
  memory_.reset(static_cast<std::byte*>(memory));
  std::memset(memory, fill, total);
}

GuardedTensor::GuardedTensor(const ConstTensorView& source, std::uint8_t fill, Placement placement)
    : GuardedTensor(source.dtype, source.shape, fill, placement) {
  for (std::int64_t row = 0; row < rows_; ++row)
    std::memcpy(memory_.get() + before_ + static_cast<std::size_t>(row) * pitch(),
                source.data + static_cast<std::size_t>(row) * row_bytes(), row_bytes());
}

TensorView GuardedTensor::view() {
  const ConstTensorView held = std::as_const(*this).view();
  return {memory_.get() + before_, dtype_, shape_, held.strides, MemorySpace::host};
}

ConstTensorView GuardedTensor::view() const {
  // The strides of the tensor whose rows have the gap for columns of their own.
  Shape padded = shape_;
  if (!padded.empty()) padded.back() += gap_;
  return {data(), dtype_, shape_, contiguous_strides(padded), MemorySpace::host};
}

const std::byte* GuardedTensor::data() const {
  return memory_.get() + before_;
}

bool GuardedTensor::holds(const ConstTensorView& source) const {
  for (std::int64_t row = 0; row < rows_; ++row)
    if (std::memcmp(data() + static_cast<std::size_t>(row) * pitch(),
                    source.data + static_cast<std::size_t>(row) * row_bytes(), row_bytes()) != 0)
      return false;
  return true;
}

std::span<std::byte> GuardedTensor::whole() {
  return {memory_.get(), before_ + bytes_ + after_};
}

std::optional<std::ptrdiff_t> GuardedTensor::broken() const {
  const auto first_wrong = [&](const std::byte* band, std::size_t bytes) -> std::optional<std::ptrdiff_t> {
    // A band whose first byte is right and that equals itself one byte on is right as a whole.
    if (bytes == 0 ||
        (band[0] == static_cast<std::byte>(fill_) && std::memcmp(band, band + 1, bytes - 1) == 0))
      return std::nullopt;
    const std::byte* wrong = std::find_if(
        band, band + bytes, [&](std::byte byte) { return byte != static_cast<std::byte>(fill_); });
    return wrong - band;
  };
  if (const auto wrong = first_wrong(memory_.get(), before_))
    return *wrong - static_cast<std::ptrdiff_t>(before_);
  return first_wrong(data() + bytes_, after_);
}

std::optional<std::int64_t> GuardedTensor::broken_gap() const {
  for (std::int64_t row = 0; row + 1 < rows_; ++row) {
    const std::byte* gap = data() + static_cast<std::size_t>(row) * pitch() + row_bytes();
    if (!std::all_of(gap, gap + (pitch() - row_bytes()),
                     [&](std::byte byte) { return byte == static_cast<std::byte>(fill_); }))
      return row;
  }
  return std::nullopt;
}

}  // namespace assay::validation
