#pragma once

#include "engine/runtime/host_device.hpp"

/// What changes a single logit. Each operation is rounded to float by itself, in the order written, so that
/// all backends have the same bits: equal logits stay equal, and cuts fall at the same token.
namespace assay::kernels::distribution {

/// NaN is taken as -Inf, and -0 as +0.
ASSAY_HOST_DEVICE inline float canonical(float logit) {
  return logit == logit ? logit + 0.0F : -__builtin_inff();
}

/// Precondition: temperature > 0.
ASSAY_HOST_DEVICE inline float with_temperature(float logit, float temperature) {
#ifdef __CUDA_ARCH__
  return canonical(__fdiv_rn(logit, temperature));
#else
  return canonical(logit / temperature);
#endif
}

ASSAY_HOST_DEVICE inline float with_bias(float logit, float bias) {
  return canonical(logit + bias);
}

/// Of a token that was seen `times` times, at least once (Keskar et al. 2019, section 4.1, for `repetition`).
ASSAY_HOST_DEVICE inline float with_penalties(float logit, float times, float repetition, float frequency,
                                              float presence) {
#ifdef __CUDA_ARCH__
  const float scaled = logit > 0 ? __fdiv_rn(logit, repetition) : __fmul_rn(logit, repetition);
  return canonical(__fsub_rn(scaled, __fadd_rn(__fmul_rn(times, frequency), presence)));
#else
  // Compiled for plain x86-64, which has no fused multiply-add for the compiler to find.
  const float scaled = logit > 0 ? logit / repetition : logit * repetition;
  const float by_frequency = times * frequency;
  return canonical(scaled - (by_frequency + presence));
#endif
}

}  // namespace assay::kernels::distribution
