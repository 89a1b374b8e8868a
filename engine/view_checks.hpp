#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/runtime/context.hpp"
#include "engine/tensors/tensor.hpp"

namespace assay {

/// Checks of the views that an operation is given. Each throws ContractError, naming the operation, the
/// argument and what was expected of it.

/// The element type, the rank and a row-major layout.
void check_view(std::string_view operation, std::string_view argument, const ConstTensorView& view,
                DType dtype, std::size_t rank);
void check_view(std::string_view operation, std::string_view argument, const TensorView& view, DType dtype,
                const Shape& shape);

/// In memory of the context's backend: host memory for cpu, device memory for cuda.
void check_memory(std::string_view operation, std::string_view argument, const Context& context,
                  MemorySpace held);

/// In host memory on every backend: small inputs that the host reads (TensorInfo::on_host).
void check_on_host(std::string_view operation, std::string_view argument, MemorySpace held);

/// Every element finite, in host memory. Values in device memory are looked at by a kernel (kernels/checks).
void check_finite(std::string_view operation, std::string_view argument, std::span<const double> values);

/// Every element finite, in memory of the context's backend. On CUDA a kernel looks, and the next
/// synchronisation throws DeviceError.
void check_values(std::string_view operation, std::string_view argument, std::span<const double> values,
                  Context& context);

/// Every length at least 1, all of them summing to `rows`; an empty list stands for one trial.
void check_trial_lengths(std::string_view operation, std::span<const std::int64_t> trial_lengths,
                         std::int64_t rows);

/// At most 2^31 - 1 rows: positions of points are 32-bit numbers in the searches.
void check_row_count(std::string_view operation, std::string_view argument, std::int64_t rows);

/// Throws BackendUnavailable where the context is not the CPU backend, for operations that have no other
/// body.
void require_cpu(std::string_view operation, const Context& context);

}  // namespace assay
