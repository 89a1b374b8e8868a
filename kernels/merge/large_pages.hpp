#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace assay::kernels::merge {

/// Allocates large arrays on large pages where the system has them to give. Tables of some megabytes that are
/// read here and there miss the translation buffer on small ones as often as the cache.
template <typename T>
struct LargePages {
  using value_type = T;
  static constexpr std::size_t page = std::size_t{2} << 20;

  LargePages() = default;
  template <typename Other>
  LargePages(const LargePages<Other>&) {}

  static std::align_val_t alignment(std::size_t count) {
    return std::align_val_t{count * sizeof(T) >= page ? page : alignof(std::max_align_t)};
  }
  T* allocate(std::size_t count) {
    void* made = ::operator new(count * sizeof(T), alignment(count));
#ifdef __linux__
    // A wish: refused, it changes nothing but the time.
    if (count * sizeof(T) >= page) madvise(made, count * sizeof(T) / page * page, MADV_HUGEPAGE);
#endif
    return static_cast<T*>(made);
  }
  void deallocate(T* at, std::size_t count) {
    ::operator delete(at, alignment(count));
  }
  bool operator==(const LargePages&) const {
    return true;
  }
};

template <typename T>
using LargeVector = std::vector<T, LargePages<T>>;

}  // namespace assay::kernels::merge
