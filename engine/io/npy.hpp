#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/io/bytes.hpp"
#include "engine/runtime/result.hpp"
#include "engine/tensors/tensor.hpp"

namespace assay::io {

/// Arrays in NumPy's .npy format (NEP 1; versions 1 to 3), little-endian: float64, float32, float16, int64,
/// int32, uint32, uint8. Fortran order is turned into row-major. The header is checked before anything is
/// allocated: sizes that overflow, data that are too short or too long, object arrays (pickles, which would
/// run code), structured, big-endian and other types are refused with one line that names the file.
Result<Tensor> read_npy(const std::string& path);

/// The same from memory; `name` stands for the path in messages.
Result<Tensor> parse_npy(const std::string& name, std::string_view bytes);

/// Writes a contiguous host array, version 1.0, whole or not at all. bfloat16, which NumPy lacks, is written
/// as the float32 of the same value. Returns the number of bytes.
Result<std::uint64_t> write_npy(const std::string& path, const ConstTensorView& array);

/// Whether a file of that name is read as .npy rather than as text.
bool is_npy_name(std::string_view path);

}  // namespace assay::io
