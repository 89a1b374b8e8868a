#include "engine/view_checks.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "engine/runtime/device.hpp"
#include "engine/runtime/error.hpp"
#include "engine/runtime/status_word.hpp"
#include "engine/runtime/stream.hpp"
#include "kernels/checks/finite.hpp"

namespace assay {

namespace {

void check_type_and_layout(std::string_view operation, std::string_view argument, DType held, DType expected,
                           bool contiguous) {
  if (held != expected)
    throw ContractError(
        std::string(operation), std::string(argument),
        "holds " + std::string(name_of(held)) + "; expected " + std::string(name_of(expected)));
  if (!contiguous)
    throw ContractError(std::string(operation), std::string(argument),
                        "is strided; expected row-major elements");
}

}  // namespace

void check_view(std::string_view operation, std::string_view argument, const ConstTensorView& view,
                DType dtype, std::size_t rank) {
  check_type_and_layout(operation, argument, view.dtype, dtype, view.contiguous());
  if (view.rank() != rank)
    throw ContractError(std::string(operation), std::string(argument),
                        "has shape " + to_string(view.shape) + "; expected " + std::to_string(rank) +
                            (rank == 1 ? " dimension" : " dimensions"));
}

void check_view(std::string_view operation, std::string_view argument, const TensorView& view, DType dtype,
                const Shape& shape) {
  check_type_and_layout(operation, argument, view.dtype, dtype, view.contiguous());
  if (view.shape != shape)
    throw ContractError(std::string(operation), std::string(argument),
                        "has shape " + to_string(view.shape) + "; expected " + to_string(shape));
}

void check_memory(std::string_view operation, std::string_view argument, const Context& context,
                  MemorySpace held) {
  const bool on_device = context.backend() == Backend::cuda;
  if (held != (on_device ? MemorySpace::device : MemorySpace::host))
    throw ContractError(std::string(operation), std::string(argument),
                        "lies in " + std::string(on_device ? "host" : "device") +
                            " memory; expected memory of the " + std::string(name_of(context.backend())) +
                            " backend");
}

void check_on_host(std::string_view operation, std::string_view argument, MemorySpace held) {
  if (held != MemorySpace::host)
    throw ContractError(std::string(operation), std::string(argument),
                        "lies in device memory; expected host memory on every backend");
}

void check_finite(std::string_view operation, std::string_view argument, std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw ContractError(
          std::string(operation), std::string(argument),
          "element " + std::to_string(i) + " is " + std::to_string(values[i]) + "; expected finite numbers");
}

void check_values(std::string_view operation, std::string_view argument, std::span<const double> values,
                  [[maybe_unused]] Context& context) {
#ifdef ASSAY_HAVE_CUDA
  if (context.backend() == Backend::cuda) {
    const DeviceScope device(context.device());
    kernels::checks::check_finite_cuda(context.stream().handle(), values.data(),
                                       static_cast<std::int64_t>(values.size()),
                                       context.status().on_device());
    return;
  }
#endif
  check_finite(operation, argument, values);
}

void check_trial_lengths(std::string_view operation, std::span<const std::int64_t> trial_lengths,
                         std::int64_t rows) {
  if (trial_lengths.empty()) return;
  std::int64_t sum = 0;
  for (std::size_t trial = 0; trial < trial_lengths.size(); ++trial) {
    if (trial_lengths[trial] < 1)
      throw ContractError(std::string(operation), "trial_lengths",
                          "entry " + std::to_string(trial) + " is " + std::to_string(trial_lengths[trial]) +
                              "; expected at least 1");
    if (trial_lengths[trial] > rows - sum)
      throw ContractError(std::string(operation), "trial_lengths",
                          "sum to more than the " + std::to_string(rows) + " rows; expected that sum");
    sum += trial_lengths[trial];
  }
  if (sum != rows)
    throw ContractError(std::string(operation), "trial_lengths",
                        "sum to " + std::to_string(sum) + "; expected the " + std::to_string(rows) + " rows");
}

void check_row_count(std::string_view operation, std::string_view argument, std::int64_t rows) {
  if (rows > std::numeric_limits<std::int32_t>::max())
    throw ContractError(std::string(operation), std::string(argument),
                        "has " + std::to_string(rows) + " rows; expected at most 2147483647");
}

void require_cpu(std::string_view operation, const Context& context) {
  if (context.backend() == Backend::cuda)
    throw BackendUnavailable(std::string(operation) + " has no CUDA body; run it on the cpu backend");
}

}  // namespace assay
