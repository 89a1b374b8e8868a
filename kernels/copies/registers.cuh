#pragma once

// Registers handed from warps that need few to warps that need many (setmaxnreg, on sm_90a alone; elsewhere
// all have what the kernel was launched with).
namespace assay::kernels::copies {

/// By all warps of a group of four that begins on a multiple of four: from here on they have `Count`, a
/// multiple of 8, fewer than the kernel was launched with.
template <int Count>
__device__ inline void give_registers() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Count));
#endif
}

/// The same of more; waits until others have given so many.
template <int Count>
__device__ inline void take_registers() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Count));
#endif
}

}  // namespace assay::kernels::copies
