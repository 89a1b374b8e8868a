#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/llm/gguf/quantize_plan.hpp"
#include "engine/llm/gguf/tensor_values.hpp"

namespace assay::gguf {

/// Writes the model that was planned to one file (GGUF version 3), tensor by tensor and piece by piece, so
/// that memory does not grow with the file: under a temporary name that is renamed at the end
/// (io::write_file). Metadata of the first part are carried over byte for byte, but for general.file_type and
/// general.quantization_version, which are set, and the keys of a split, which are left out. Tensors keep
/// their order; each begins on a multiple of general.alignment, and zeros fill the gaps.
///
/// `run` runs quant.dequantize and quant.quantize; `progress` hears of elements done and of all. Returns the
/// number of bytes. Errors, after which nothing is left behind: a value that is not finite in a tensor to be
/// converted, or too large for the type's 16-bit scales (each with the tensor and the element); a failed
/// write.
Result<std::uint64_t> write_quantized(const ModelFiles& files, const QuantizePlan& plan,
                                      const std::string& path, const RunOperation& run,
                                      const std::function<void(std::uint64_t, std::uint64_t)>& progress);

/// Bytes of the file that write_quantized makes.
std::uint64_t quantized_file_bytes(const ModelFiles& files, const QuantizePlan& plan);

}  // namespace assay::gguf
