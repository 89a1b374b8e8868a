#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "engine/runtime/error.hpp"

namespace assay::detail {

/// Whether the error outlives the call that reports it: after these the device's context is lost for the
/// process.
inline bool is_sticky(cudaError_t code) {
  switch (code) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorAssert:
    case cudaErrorECCUncorrectable:
    case cudaErrorTensorMemoryLeak:
    case cudaErrorUnknown:
      return true;
    default:
      return false;
  }
}

/// Throws DeviceError that names the call and the runtime's error. The pending error is cleared where it can
/// be, so that the next call does not report it again.
inline void check(cudaError_t code, const char* call) {
  if (code == cudaSuccess) return;
  (void)cudaGetLastError();
  throw DeviceError(std::string(call) + ": " + cudaGetErrorName(code) + ": " + cudaGetErrorString(code),
                    is_sticky(code));
}

}  // namespace assay::detail
