#pragma once

#include <cstdint>

struct CUstream_st;

namespace assay::kernels::checks {

#ifdef ASSAY_HAVE_CUDA
/// Puts a kernel on the stream that stores DeviceStatus::value_out_of_range in `status` where one of `count`
/// doubles in device memory is NaN or infinite, and nothing otherwise. The stream's device is current;
/// `status` is StatusWord::on_device(). Neither waits nor allocates; may be captured. Throws DeviceError
/// where the launch fails.
void check_finite_cuda(CUstream_st* stream, const double* values, std::int64_t count, std::uint32_t* status);
#endif

}  // namespace assay::kernels::checks
