#pragma once

// Pieces of 16 bytes brought from device memory to shared memory while threads do something else (cp.async,
// from sm_80 on).
#include <cstdint>

#include "kernels/copies/barrier.cuh"

namespace assay::kernels::copies {

/// Begins to bring 16 bytes; both addresses are multiples of 16. The L2 cache is asked for the whole 128
/// around them: their neighbours follow.
__device__ inline void bring_sixteen(void* to, const void* from) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" ::"r"(shared_address(to)), "l"(from)
               : "memory");
}

/// The thread arrives at the barrier once all that it has begun to bring has come.
__device__ inline void arrive_behind_copies(Barrier& barrier) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(shared_address(&barrier))
               : "memory");
}

/// Asks the L2 cache for the line that holds an address. A hint that may come before the data are final: what
/// is written later is seen all the same.
__device__ inline void ask_for(const void* from) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(from) : "memory");
}

}  // namespace assay::kernels::copies
