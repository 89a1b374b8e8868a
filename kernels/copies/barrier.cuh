#pragma once

// Barriers in shared memory that count arrivals (PTX ISA, mbarrier; from sm_80 on).
#include <cstdint>

namespace assay::kernels::copies {

/// Its phases end in turn, the first with parity 0: each when as many have arrived as begin() was told.
struct Barrier {
  std::uint64_t state;
};

__device__ inline std::uint32_t shared_address(const void* of) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(of));
}

/// By one thread, before any other touches the barrier; threads are told by a barrier of the block.
__device__ inline void begin(Barrier& barrier, unsigned arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&barrier)), "r"(arrivals)
               : "memory");
}

/// Arrives `count` times; what the thread did before is seen by whoever waits for the phase.
__device__ inline void arrive(Barrier& barrier, unsigned count = 1) {
#if __CUDA_ARCH__ >= 900
  asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&barrier)),
               "r"(count)
               : "memory");
#else
  for (; count > 0; --count) {
    std::uint64_t state;
    asm volatile("mbarrier.arrive.shared::cta.b64 %0, [%1];"
                 : "=l"(state)
                 : "r"(shared_address(&barrier))
                 : "memory");
  }
#endif
}

/// Waits until the phase of this parity has ended; the one before it has, or nobody waits for it any more.
__device__ inline void wait(const Barrier& barrier, unsigned parity) {
  unsigned over = 0;
  do {
#if __CUDA_ARCH__ >= 900
    asm volatile(
        "{\n.reg .pred over;\n"
        "mbarrier.try_wait.parity.acquire.cta.shared::cta.b64 over, [%1], %2;\n"
        "selp.u32 %0, 1, 0, over;\n}"
        : "=r"(over)
        : "r"(shared_address(&barrier)), "r"(parity)
        : "memory");
#else
    asm volatile(
        "{\n.reg .pred over;\n"
        "mbarrier.test_wait.parity.shared::cta.b64 over, [%1], %2;\n"
        "selp.u32 %0, 1, 0, over;\n}"
        : "=r"(over)
        : "r"(shared_address(&barrier)), "r"(parity)
        : "memory");
#endif
  } while (over == 0);
}

/// Waits for `Threads` threads of the block, whole warps, wherever in the code they come to barrier `Id` (PTX
/// ISA, bar.sync with a count). Barrier 0 is __syncthreads()'s, which asks all of them to come to one place.
template <int Id, int Threads>
__device__ inline void meet() {
  static_assert(Id > 0 && Threads % 32 == 0);
  asm volatile("bar.sync %0, %1;" ::"n"(Id), "n"(Threads) : "memory");
}

}  // namespace assay::kernels::copies
